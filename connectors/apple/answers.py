"""Interactive answers: what the consumer chose in a picker, a form or an app, in words and for machines.

https://register.apple.com/resources/messages/msp-rest-api/type-interactive
`replyMessage` is the business's own text, which it wrote before the consumer chose anything. It is shown only if
nothing is known about the choice.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import orjson

from connectors.tools.answers import answers_in_words, as_words
from connectors.tools.entries import fingerprint

from .choices import READERS, fields_of, kept

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
    interactive, reference = fields_of(raw, "interactiveData"), fields_of(raw, "interactiveDataRef")
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
        # An app writes the text of its bubble when the consumer answers. Elsewhere, the business wrote it before.
        unknown = answers_in_words(kept({kind: data[kind] for kind in kinds})) or ""
        words = [_layout(data) or unknown if _is_app(interactive) else unknown or _layout(data)]
    text = "\n".join(filter(None, words)) or as_words(reference.get("title"))
    return Answer(
        text=text or None,
        choice=",".join(values) or None,
        kinds=sorted(data),
        extra=kept(_extra(interactive, data)),
        repeat_key=_repeat_key(raw, interactive, data),
    )


def _data(interactive: Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(interactive.get("$objects"), list):
        return _archived(interactive["$objects"])
    inside = {name: interactive[name] for name in (*READERS, "replyMessage") if name in interactive}
    return fields_of(interactive, "data") or inside


def _archived(objects: list[Any]) -> Mapping[str, Any]:
    """The data of an answer that arrives as a dump of Apple's archiver: Base64 of JSON in the query of its URL."""
    address = next((one for one in objects if isinstance(one, str) and one.startswith("?")), "?")
    parts = {name: _decoded(value) for name, value in parse_qsl(address[1:])}
    return fields_of(parts, "data") or {name: parts[name] for name in parts if parts[name]}


def _decoded(value: str) -> Any:
    try:
        # parse_qsl has turned the plus signs of Base64 into blanks.
        return orjson.loads(base64.b64decode(value.replace(" ", "+")))
    except (ValueError, binascii.Error):
        return None


def _is_app(interactive: Mapping[str, Any]) -> bool:
    """Whether an answer comes from an app of the business, and not from Apple's own pickers and forms."""
    bid = as_words(interactive.get("bid"))
    return bool(bid) and not bid.endswith(_APPLES_OWN)


def _layout(data: Mapping[str, Any]) -> str:
    """The text of an app's bubble, or the business's own text, for an answer of which nothing else is known."""
    layout = fields_of(data, "replyMessage")
    return "\n".join(filter(None, (as_words(layout.get(n)) for n in ("title", "subtitle"))))


# what the core receives ---------------------------------------------------------------------------


def _extra(interactive: Mapping[str, Any], data: Mapping[str, Any]) -> Mapping[str, Any]:
    found = {name: interactive[name] for name in _KEPT if interactive.get(name)}
    if _is_app(interactive) and interactive.get("URL"):
        found["URL"] = interactive["URL"]
    if data:
        found["data"] = {
            name: _outcome_of(data[name]) if name in {"authenticate", "payment"} else data[name]
            for name in data
        }
    return found


def _outcome_of(answer: Any) -> Any:
    return {n: answer[n] for n in _OUTCOME if n in answer} if isinstance(answer, dict) else None


def _repeat_key(raw: Any, interactive: Mapping[str, Any], data: Mapping[str, Any]) -> str | None:
    """Apple has been seen to deliver an answer twice with different ids: session and data are the same."""
    session = interactive.get("sessionIdentifier")
    if not (session and data):
        return None
    return fingerprint([raw.get("sourceId"), raw.get("destinationId"), session, data])
