"""Interactive answers: what the consumer chose in a picker, a form or an app, in words and for machines.

https://register.apple.com/resources/messages/msp-rest-api/type-interactive
`replyMessage` is the business's own text, which it wrote before the consumer chose anything. It is shown only if
nothing is known about the choice.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

import orjson

from connectors.tools.answers import answers_in_words, as_words
from connectors.tools.entries import fingerprint, listed

#: Words and machine-readable values of what the consumer chose.
Chosen = tuple[list[str], list[str]]

#: Fields of `data` that the business set when it asked, or that concern only Apple.
_ASKED = frozenset(
    {
        *("version", "mspVersion", "requestIdentifier", "receivedMessage", "replyMessage"),
        *("images", "imageIdentifier"),
    }
)
#: Fields of `interactiveData` for the core. An app of the business's own answers with its URL.
_KEPT = ("bid", "sessionIdentifier", "appId", "appName")
#: The end of `bid` for Apple's own pickers, forms, authentication and payments.
_APPLES_OWN = "com.apple.icloud.apps.messages.business.extension"
#: Fields of an authentication or a payment that may be passed on. The others open accounts or name cards.
_OUTCOME = ("status", "state", "result", "error", "errors", "errorCode", "errorMessage")
#: Levels of nesting that the core receives. Events are not serialized if they are nested much deeper.
_MAX_DEPTH = 20


@dataclass(frozen=True, slots=True)
class Answer:
    """`kinds` are the parts of the answer; `repeat_key` is the same for the repeats of an answer."""

    text: str | None
    choice: str | None
    kinds: list[str]
    extra: Mapping[str, Any]
    repeat_key: str | None


def read_answer(raw: Any) -> Answer:
    """The answer in a message; nothing in all its fields if the message is not an answer."""
    interactive, reference = _fields(raw, "interactiveData"), _fields(raw, "interactiveDataRef")
    data = _data(interactive)
    kinds = [kind for kind in data if kind not in _ASKED and data[kind]]
    chosen = [
        READERS[kind](data[kind])
        for kind in kinds
        if kind in READERS and isinstance(data[kind], dict)
    ]
    words = [line for lines, _ in chosen for line in lines]
    values = [value for _, found in chosen for value in found]
    if not chosen:
        words = [answers_in_words(_kept({kind: data[kind] for kind in kinds})) or _layout(data)]
    text = "\n".join(filter(None, words)) or as_words(reference.get("title"))
    return Answer(
        text=text or None,
        choice=",".join(values) or None,
        kinds=sorted(data),
        extra=_kept(_extra(interactive, data)),
        repeat_key=_repeat_key(raw, interactive, data),
    )


def _data(interactive: Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(interactive.get("$objects"), list):
        return _archived(interactive["$objects"])
    return _fields(interactive, "data")


def _archived(objects: list[Any]) -> Mapping[str, Any]:
    """The data of an answer that arrives as a dump of Apple's archiver: Base64 of JSON in the query of its URL."""
    address = next((one for one in objects if isinstance(one, str) and one.startswith("?")), "?")
    parts = {name: _decoded(value) for name, value in parse_qsl(address[1:])}
    whole = parts.get("data")
    return (
        whole if isinstance(whole, dict) else {name: parts[name] for name in parts if parts[name]}
    )


def _decoded(value: str) -> Any:
    try:
        # parse_qsl has turned the plus signs of Base64 into blanks.
        return orjson.loads(base64.b64decode(value.replace(" ", "+")))
    except (ValueError, binascii.Error):
        return None


# what was chosen ----------------------------------------------------------------------------------


def _quick_reply(answer: Any) -> Chosen:
    items = _all(answer, "items")
    index, name = str(answer.get("selectedIndex")), answer.get("selectedIdentifier")
    chosen = [item for at, item in enumerate(items) if str(at) == index]
    chosen = chosen or [item for item in items if name and item.get("identifier") == name]
    if not chosen and name:
        return [as_words(name)], [as_words(name)]
    return _items(chosen)


def _list(answer: Any) -> Chosen:
    items = [item for section in _all(answer, "sections") for item in _all(section, "items")]
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
    event = _fields(answer, "event") or answer
    slots = _all(event, "timeslots")
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
    kept = _kept(answer)
    pages = next(
        (_all(one, "selections") for one in (kept, _fields(kept, "data")) if "selections" in one),
        None,
    )
    described = {name: kept[name] for name in kept if name not in {"template", "version"}}
    lines = [answers_in_words(described) or ""] if pages is None else list(map(_page, pages))
    return [line for line in lines if line], [orjson.dumps(kept).decode()]


def _page(page: Mapping[str, Any]) -> str:
    title = as_words(page.get("title"))
    items = [_answer(item, title) for item in _all(page, "items")] or [as_words(page.get("value"))]
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


def _layout(data: Mapping[str, Any]) -> str:
    """The text of an app's bubble, or the business's own text, for an answer of which nothing else is known."""
    layout = _fields(data, "replyMessage")
    return "\n".join(filter(None, (as_words(layout.get(n)) for n in ("title", "subtitle"))))


# what the core receives ---------------------------------------------------------------------------


def _extra(interactive: Mapping[str, Any], data: Mapping[str, Any]) -> Mapping[str, Any]:
    kept = {name: interactive[name] for name in _KEPT if interactive.get(name)}
    if not str(interactive.get("bid")).endswith(_APPLES_OWN) and interactive.get("URL"):
        kept["URL"] = interactive["URL"]
    if data:
        kept["data"] = {
            name: _outcome_of(data[name]) if name in {"authenticate", "payment"} else data[name]
            for name in data
        }
    return kept


def _outcome_of(answer: Any) -> Any:
    return {n: answer[n] for n in _OUTCOME if n in answer} if isinstance(answer, dict) else None


def _kept(value: Any, depth: int = _MAX_DEPTH) -> Any:
    """A value without pictures, which the business itself sent, and without tokens."""
    if isinstance(value, dict | list) and depth == 0:
        return None
    if isinstance(value, list):
        return [_kept(one, depth - 1) for one in value]
    if isinstance(value, dict):
        return {
            name: _kept(one, depth - 1)
            for name, one in value.items()
            if name != "images" and "token" not in name.lower()
        }
    return value


def _repeat_key(raw: Any, interactive: Mapping[str, Any], data: Mapping[str, Any]) -> str | None:
    """Apple has been seen to deliver an answer twice with different ids: session and data are the same."""
    session = interactive.get("sessionIdentifier")
    if not (session and data):
        return None
    return fingerprint([raw.get("sourceId"), raw.get("destinationId"), session, data])


def _fields(raw: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = raw.get(name)
    return found if isinstance(found, dict) else {}


def _all(raw: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The objects in a list. A text in place of an object is its title; anything else is skipped."""
    return [
        {"title": one} if isinstance(one, str) else one
        for one in listed(raw, name)
        if isinstance(one, str | dict)
    ]
