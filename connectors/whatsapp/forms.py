"""Answers to forms. Meta sends them as JSON in a text; the keys are the names of the form's fields.

https://developers.facebook.com/documentation/business-messaging/whatsapp/flows/guides/receiveflowresponse
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from .fields import fields, lines, words

#: Answers that no person gave: they connect the form with the business's systems.
_MACHINE = frozenset({"flow_token", "saved_address_id", "version", "wa_flow_response_params"})
#: Meta's form builder names a field screen_0_Delivery_time_2, and an option 1_In_the_evening.
_BUILT_NAME = re.compile(r"screen_\d+_(.+?)(?:_\d+)?")
_BUILT_OPTION = re.compile(r"\d+_(.+)")
#: The body if the business gave no better one.
_NO_WORDS = frozenset({"sent"})
#: Forms are flat; deeper levels are cut off.
_LEVELS = 4


def answers_of(form: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The answers by the names of their fields; None if they are not readable."""
    answers = form.get("response_json")
    if isinstance(answers, str):
        try:
            answers = orjson.loads(answers)
        except orjson.JSONDecodeError:
            return None
    return answers if isinstance(answers, dict) else None


def files_of(form: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The photos and documents that were added to the form."""
    values = (answers_of(form) or {}).values()
    rows = [row for value in values for row in (value if isinstance(value, list) else [value])]
    return [row for row in rows if _is_file(row)]


def form_in_words(form: Mapping[str, Any]) -> str | None:
    """The form's own body, and a line for each answer that the body does not contain."""
    body = words(form.get("body"))
    rows = list(_rows(answers_of(form) or {}))
    if body is not None and body.strip().lower() in _NO_WORDS and rows:
        body = None
    return lines(body, *(row for row, answer in rows if not body or answer not in body))


def _rows(answers: Mapping[str, Any], level: int = _LEVELS) -> Iterator[tuple[str, str]]:
    """Each answer with its label, and alone."""
    for name, value in answers.items():
        if name in _MACHINE:
            continue
        built = _BUILT_NAME.fullmatch(name)
        if isinstance(value, dict) and not _is_file(value):
            yield from _rows(value, level - 1) if level else ()
        elif answer := _answer(value, is_built=built is not None):
            yield f"{_label(built[1] if built else name)}: {answer}", answer


def _answer(value: Any, *, is_built: bool) -> str | None:
    match value:
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return str(value)
        case str() if is_built and (option := _BUILT_OPTION.fullmatch(value)):
            return option[1].replace("_", " ")
        case str():
            return words(value)
        case list():
            answers = (_answer(one, is_built=is_built) for one in value)
            return ", ".join(answer for answer in answers if answer) or None
        case dict() if not _is_file(value):
            return words(value.get("title")) or words(value.get("name"))
        case _:
            return None


def _label(name: str) -> str:
    spaced = re.sub(r"[_\s]+", " ", name).strip()
    return spaced[:1].upper() + spaced[1:] or name


def _is_file(value: Any) -> bool:
    file = fields(value)
    return words(file.get("mime_type")) is not None and "id" in file
