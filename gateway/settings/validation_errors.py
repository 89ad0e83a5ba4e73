"""Turns pydantic's validation errors into mistakes with lines, worded for the person who edits the file."""

import re
import typing
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from .credentials import mask
from .errors import Path, nearest
from .yaml_document import Document


def add_validation_errors(
    document: Document,
    exc: ValidationError,
    model: type[BaseModel],
    at: Path = (),
    section_of_key: Mapping[str, str] | None = None,
    secrets: Collection[str] = (),
) -> None:
    """Add pydantic's errors about the section `at` to the document.

    `section_of_key` names the section of a key that is unknown here. `secrets` are masked, because a plugin's
    validator may quote them; our own messages quote no values.
    """
    for error in exc.errors(include_url=False):
        if error["type"] in _FOLLOW_UP_TYPES:
            continue
        path = _path_in_file(document, model, at, error["loc"])
        message = mask(_message(error), secrets)
        near = _nearest(error, model, section_of_key or {})
        if near is None and error["type"] == "extra_forbidden":
            message += "; remove it, or look for its name in what airlock schema prints"
        document.add_mistake(path, message, near)


#: Errors that only follow from another error.
_FOLLOW_UP_TYPES = frozenset({"default_factory_not_called"})


def _path_in_file(document: Document, model: type[BaseModel], at: Path, loc: Path) -> Path:
    # A location may end in names that pydantic adds (a union's branch), and a missing key is not in the file.
    place = document.known_path(at + loc)
    rest = (at + loc)[len(place) :]
    owner = _model_at(model, place[len(at) :])
    if rest and owner is not None and rest[0] in _keys(owner):
        return (*place, rest[0])
    return place


def _model_at(model: type[BaseModel], path: Path) -> type[BaseModel] | None:
    owner: type[BaseModel] | None = model
    is_name = False
    for part in path:
        if not isinstance(part, str) or owner is None:
            continue
        if is_name:  # of one of several sections, which are all of the same model
            is_name = False
            continue
        annotation = _keys(owner).get(part)
        owner, is_name = next(_models(annotation), None), _has_names(annotation)
    return owner


def _has_names(annotation: Any) -> bool:
    """Whether a key holds sections by names of the operator's choice."""
    if typing.get_origin(annotation) is Mapping:
        return True
    return any(_has_names(part) for part in typing.get_args(annotation))


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in typing.get_args(annotation):
        yield from _models(part)


def _keys(model: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _nearest(
    error: ErrorDetails, model: type[BaseModel], section_of_key: Mapping[str, str]
) -> str | None:
    match error["type"]:
        case "extra_forbidden":
            key = str(error["loc"][-1])
            owner = _model_at(model, error["loc"][:-1])
            # A key that another section has is in the wrong place, not misspelt.
            return section_of_key.get(key) or nearest(key, _keys(owner) if owner else ())
        case "literal_error" if isinstance(error["input"], str):
            return nearest(error["input"], re.findall(r"'([^']*)'", _context(error, "expected")))
        case _:
            return None


# messages ---------------------------------------------------------------------------------------


def _message(error: ErrorDetails) -> str:
    if error["input"] is None and error["type"] != "missing":
        return "has no value; give one, or remove the key"
    message = _MESSAGES.get(error["type"], _pydantic_message)
    return message if isinstance(message, str) else message(error)


def _pydantic_message(error: ErrorDetails) -> str:
    message = error["msg"].removeprefix("Input ").removeprefix("String ")
    return message[:1].lower() + message[1:]


def _value_error(error: ErrorDetails) -> str:
    return _context(error, "error") or _pydantic_message(error)


def _text(error: ErrorDetails) -> str:
    shape = isinstance(error["input"], list | dict)
    return "must be text, not a list or a section" if shape else "must be text; put it in quotes"


def _choice(error: ErrorDetails) -> str:
    return f"must be {_context(error, 'expected')}"


def _too_few(error: ErrorDetails) -> str:
    return f"needs at least {_context(error, 'min_length')}"


def _bound(relation: str, limit: str) -> Callable[[ErrorDetails], str]:
    return lambda error: f"must be {relation} {_context(error, limit)}"


def _context(error: ErrorDetails, name: str) -> str:
    return str(error.get("ctx", {}).get(name, ""))


_LIST = "must be a list, such as [a, b]"
_SECTION = "must be a section with keys"
_TRUTH = "must be true or false"
_NUMBER = "must be a number"
_WHOLE = "must be a whole number"

#: pydantic's error types on the left, our messages on the right.
_MESSAGES: dict[str, str | Callable[[ErrorDetails], str]] = {
    "missing": "is required",
    "extra_forbidden": "unknown key",
    "value_error": _value_error,
    "assertion_error": _value_error,
    "string_type": _text,
    "path_type": _text,
    "url_type": _text,
    "string_too_short": _too_few,
    "too_short": _too_few,
    "literal_error": _choice,
    "enum": _choice,
    "tuple_type": _LIST,
    "list_type": _LIST,
    "set_type": _LIST,
    "frozen_set_type": _LIST,
    "model_type": _SECTION,
    "model_attributes_type": _SECTION,
    "dict_type": _SECTION,
    "mapping_type": _SECTION,
    "bool_type": _TRUTH,
    "bool_parsing": _TRUTH,
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "greater_than": _bound("more than", "gt"),
    "greater_than_equal": _bound("at least", "ge"),
    "less_than": _bound("less than", "lt"),
    "less_than_equal": _bound("at most", "le"),
}
