"""Words for the answers of a form. Platforms hardly document the shape of answers, so any JSON is read."""

import re
from collections.abc import Mapping
from typing import Any

import orjson

#: The fields in which platforms name a question, and those in which they give the answer.
_QUESTIONS = ("label", "title", "question", "name", "key", "id")
_ANSWERS = ("value", "values", "answer", "answers", "response", "selected")
#: The field of a chosen option that people can read, best first.
_OPTIONS = ("title", "label", "text", "name", "value", "id")
#: Fields that describe a form beside the part that contains the answers.
_DESCRIPTIONS = frozenset({"id", "identifier", "name", "title", "type", "version", "status"})
#: Fields that are never an answer: https://developers.facebook.com/docs/whatsapp/flows/reference/flowjson
_TECHNICAL = frozenset({"flow_token"})
#: Meta's editor of flows names a field after its screen and position, such as screen_0_Rating_0.
_GENERATED = re.compile(r"screen_\d+_(.+)_\d+")
#: Levels of nesting that are read. Events are not serialized if they are nested much deeper.
_MAX_DEPTH = 20


def answers_in_words(value: Any) -> str | None:
    """The answers of a form, one line for each, as `question: answer`. None if there are none."""
    lines = _labelled(value, _MAX_DEPTH) or _plain(value, _MAX_DEPTH)
    return "\n".join(lines) or None


def as_words(value: Any) -> str:
    """A scalar, a list of scalars or chosen options as text; empty for anything else."""
    match value:
        case bool():
            return "yes" if value else "no"
        case str():
            return value.strip()
        case int() | float():
            return str(value)
        case list():
            return ", ".join(filter(None, map(_option, value)))
        case _:
            return _option(value)


def as_json(value: Any) -> Any:
    """The JSON object or array in a text; every other value, and JSON that is nested too deep, as it is."""
    if not isinstance(value, str) or value.lstrip()[:1] not in {"{", "["}:
        return value
    try:
        found = orjson.loads(value)
    except ValueError:
        return value
    return found if _is_shallow(found, _MAX_DEPTH) else value


def _labelled(value: Any, depth: int) -> list[str]:
    """The lines of all objects that name both a question and an answer."""
    value = as_json(value)
    if depth == 0 or not isinstance(value, dict | list):
        return []
    if isinstance(value, list):
        return [line for inner in value for line in _labelled(inner, depth - 1)]
    question = _first(value, _QUESTIONS)
    answered = next((name for name in _ANSWERS if as_words(value.get(name))), None)
    if question and answered:
        own, rest = [f"{question}: {as_words(value[answered])}"], {**value, answered: None}
    else:
        own, rest = [], value
    return own + [line for one in rest.values() for line in _labelled(one, depth - 1)]


def _plain(value: Any, depth: int) -> list[str]:
    """The lines of an object whose names are the questions."""
    value = as_json(value)
    if depth == 0 or not isinstance(value, dict | list):
        return []
    if isinstance(value, list):
        return [line for inner in value for line in _plain(inner, depth - 1)]
    fields = {name: as_json(inner) for name, inner in value.items() if name not in _TECHNICAL}
    has_parts = any(isinstance(inner, dict | list) for inner in fields.values())
    return [
        line
        for name, inner in fields.items()
        if not (has_parts and name in _DESCRIPTIONS)
        for line in _field(name, inner, depth)
    ]


def _field(name: str, value: Any, depth: int) -> list[str]:
    if _is_part(value):
        return _plain(value, depth - 1)
    words = as_words(value)
    return [f"{_question(name)}: {words}"] if words else []


def _is_part(value: Any) -> bool:
    """Whether a value contains further answers. A list of scalars is one answer."""
    if isinstance(value, list):
        return any(isinstance(inner, dict | list) for inner in value)
    return isinstance(value, dict) and bool(value)


def _is_shallow(value: Any, depth: int) -> bool:
    if not isinstance(value, dict | list):
        return True
    inner = value.values() if isinstance(value, dict) else value
    return depth > 0 and all(_is_shallow(one, depth - 1) for one in inner)


def _question(name: str) -> str:
    generated = _GENERATED.fullmatch(name)
    return (generated[1] if generated else name).replace("_", " ")


def _option(value: Any) -> str:
    if isinstance(value, dict):
        return _first(value, _OPTIONS)
    return "" if value is None or isinstance(value, list) else as_words(value)


def _first(fields: Mapping[str, Any], names: tuple[str, ...]) -> str:
    found = (fields.get(name) for name in names)
    return next(
        (as_words(one) for one in found if isinstance(one, str | int | float) and as_words(one)), ""
    )
