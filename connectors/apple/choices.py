"""The parts of an interactive answer, one reader for each: what the consumer chose, in words and for machines.

https://register.apple.com/resources/messages/msp-rest-api/type-interactive
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import orjson

from connectors.tools.answers import answers_in_words, as_words
from connectors.tools.entries import listed

#: Words and machine-readable values of what the consumer chose.
Chosen = tuple[list[str], list[str]]

#: Levels of nesting that the core receives. Events are not serialized if they are nested much deeper.
_MAX_DEPTH = 20


def _quick_reply(answer: Any) -> Chosen:
    items = objects(answer, "items")
    index, name = str(answer.get("selectedIndex")), answer.get("selectedIdentifier")
    chosen = [item for at, item in enumerate(items) if str(at) == index]
    chosen = chosen or [item for item in items if name and item.get("identifier") == name]
    if not chosen and name:
        return [as_words(name)], [as_words(name)]
    return _items(chosen)


def _list(answer: Any) -> Chosen:
    items = [item for section in objects(answer, "sections") for item in objects(section, "items")]
    return _items(items)


def _items(items: list[Mapping[str, Any]]) -> Chosen:
    words = filter(None, (_item(item) for item in items))
    identifiers = (as_words(item.get("identifier")) for item in items)
    return [", ".join(words)], [one for one in identifiers if one]


def _item(item: Mapping[str, Any]) -> str:
    title, subtitle = as_words(item.get("title")), as_words(item.get("subtitle"))
    return f"{title} ({subtitle})" if title and subtitle else title or subtitle


def _time_picker(answer: Any) -> Chosen:
    # The older form has the event inside.
    event = fields_of(answer, "event") or answer
    slots = objects(event, "timeslots")
    values = (as_words(slot.get("identifier")) or as_words(slot.get("startTime")) for slot in slots)
    return [_slot(slot) for slot in slots], [value for value in values if value]


def _slot(slot: Mapping[str, Any]) -> str:
    """The chosen time in the offset in which it was offered, and how long the appointment takes."""
    said = as_words(slot.get("startTime"))
    try:
        start = datetime.fromisoformat(said)
    except ValueError:
        return said or as_words(slot.get("identifier"))
    at = f"{start:%Y-%m-%d %H:%M} {start.tzname() or ''}".strip()
    return ", ".join(filter(None, (at, _duration(slot.get("duration")))))


def _duration(seconds: Any) -> str:
    if isinstance(seconds, bool) or not str(seconds).isdecimal() or len(str(seconds)) > 9:
        return ""
    hours, minutes = divmod(int(seconds) // 60, 60)
    parts = ((hours, "hour"), (minutes, "minute"))
    return " ".join(f"{n} {unit}{'' if n == 1 else 's'}" for n, unit in parts if n)


def _form(answer: Any) -> Chosen:
    """One line for each page that the consumer filled in."""
    form = kept(answer)
    pages = next(
        (
            objects(one, "selections")
            for one in (form, fields_of(form, "data"))
            if "selections" in one
        ),
        None,
    )
    described = {name: form[name] for name in form if name not in {"template", "version"}}
    lines = [answers_in_words(described) or ""] if pages is None else list(map(_page, pages))
    return [line for line in lines if line], [orjson.dumps(form).decode()]


def _page(page: Mapping[str, Any]) -> str:
    title = as_words(page.get("title"))
    items = [_answer(item, title) for item in objects(page, "items")] or [
        as_words(page.get("value"))
    ]
    answers = ", ".join(filter(None, items))
    return f"{title}: {answers}" if title and answers else answers


def _answer(item: Mapping[str, Any], page: str) -> str:
    """An option is named by its title, and an input holds the consumer's own words in its value."""
    title, value = as_words(item.get("title")), as_words(item.get("value"))
    if not value or value == as_words(item.get("identifier")) or value.lower() == title.lower():
        return title or value
    return f"{title} ({value})" if title and title != page else value


def _outcome(label: str) -> Callable[[Any], Chosen]:
    def read(answer: Any) -> Chosen:
        words = as_words(answer.get("status") or answer.get("state"))
        return [f"{label}: {words}" if words else ""], []

    return read


def kept(value: Any, depth: int = _MAX_DEPTH) -> Any:
    """A value without pictures, which the business itself sent, and without tokens."""
    if isinstance(value, dict | list) and depth == 0:
        return None
    if isinstance(value, list):
        return [kept(one, depth - 1) for one in value]
    if isinstance(value, dict):
        return {
            name: kept(one, depth - 1)
            for name, one in value.items()
            if name != "images" and "token" not in name.lower()
        }
    return value


def fields_of(raw: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = raw.get(name)
    return found if isinstance(found, dict) else {}


def objects(raw: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The objects in a list. A text in place of an object is its title; anything else is skipped."""
    return [
        {"title": one} if isinstance(one, str) else one
        for one in listed(raw, name)
        if isinstance(one, str | dict)
    ]


READERS: Mapping[str, Callable[[Any], Chosen]] = {
    "authenticate": _outcome("Authentication"),
    "dynamic": _form,
    "event": _time_picker,
    "listPicker": _list,
    "payment": _outcome("Payment"),
    "quick-reply": _quick_reply,
    "quickReply": _quick_reply,
    "timePicker": _time_picker,
}
