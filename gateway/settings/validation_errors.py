"""What pydantic found wrong with a section, as mistakes with lines, in words for whoever edits the file."""

import re
import typing
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from .credentials import mask
from .errors import Path, nearest
from .yaml_document import Document


def note_findings(
    document: Document,
    error: ValidationError,
    model: type[BaseModel],
    at: Path = (),
    elsewhere: Mapping[str, str] | None = None,
    unspoken: Collection[str] = (),
) -> None:
    """Add pydantic's findings about the section `at` to the document.

    `elsewhere` tells in which section a key belongs that is unknown here. `unspoken` are secrets that a
    stranger's validator may have put into its words; ours quote no values.
    """
    for found in error.errors(include_url=False):
        if found["type"] in _CONSEQUENCES:
            continue
        path = _place(document, model, at, found["loc"])
        message = mask(_sentence(found), unspoken)
        document.note(path, message, _nearest(found, model, elsewhere or {}))


#: Findings that only follow from another one.
_CONSEQUENCES = frozenset({"default_factory_not_called"})


def _place(document: Document, model: type[BaseModel], at: Path, loc: Path) -> Path:
    # A location may end in names of pydantic's own (a union's branch), and a missing key is not in the file.
    place = document.place(at + loc)
    rest = (at + loc)[len(place) :]
    owner = _model_at(model, place[len(at) :])
    if rest and owner is not None and rest[0] in _keys(owner):
        return (*place, rest[0])
    return place


def _model_at(model: type[BaseModel], path: Path) -> type[BaseModel] | None:
    owner: type[BaseModel] | None = model
    for part in path:
        if isinstance(part, str) and owner is not None:
            owner = next(_models(_keys(owner).get(part)), None)
    return owner


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in typing.get_args(annotation):
        yield from _models(part)


def _keys(model: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _nearest(
    found: ErrorDetails, model: type[BaseModel], elsewhere: Mapping[str, str]
) -> str | None:
    match found["type"]:
        case "extra_forbidden":
            key = str(found["loc"][-1])
            owner = _model_at(model, found["loc"][:-1])
            return nearest(key, _keys(owner) if owner else ()) or elsewhere.get(key)
        case "literal_error" if isinstance(found["input"], str):
            return nearest(found["input"], re.findall(r"'([^']*)'", _context(found, "expected")))
        case _:
            return None


# words ------------------------------------------------------------------------------------------


def _sentence(found: ErrorDetails) -> str:
    if found["input"] is None and found["type"] != "missing":
        return "has no value; give one, or remove the key"
    words = _WORDS.get(found["type"], _own_words)
    return words if isinstance(words, str) else words(found)


def _own_words(found: ErrorDetails) -> str:
    message = found["msg"].removeprefix("Input ").removeprefix("String ")
    return message[:1].lower() + message[1:]


def _reason(found: ErrorDetails) -> str:
    return _context(found, "error") or _own_words(found)


def _text(found: ErrorDetails) -> str:
    shape = isinstance(found["input"], list | dict)
    return "must be text, not a list or a section" if shape else "must be text; put it in quotes"


def _choice(found: ErrorDetails) -> str:
    return f"must be {_context(found, 'expected')}"


def _too_few(found: ErrorDetails) -> str:
    return f"needs at least {_context(found, 'min_length')}"


def _bound(relation: str, limit: str) -> Callable[[ErrorDetails], str]:
    return lambda found: f"must be {relation} {_context(found, limit)}"


def _context(found: ErrorDetails, name: str) -> str:
    return str(found.get("ctx", {}).get(name, ""))


_LIST = "must be a list, such as [a, b]"
_SECTION = "must be a section with keys"
_TRUTH = "must be true or false"
_NUMBER = "must be a number"
_WHOLE = "must be a whole number"

#: pydantic's word for a finding on the left, our sentence on the right.
_WORDS: dict[str, str | Callable[[ErrorDetails], str]] = {
    "missing": "is required",
    "extra_forbidden": "unknown key",
    "value_error": _reason,
    "assertion_error": _reason,
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
