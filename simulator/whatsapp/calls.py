"""Parser of calls to WhatsApp, as strict as the platform: a call sends a text, or marks a message as read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from simulator.exchange import Action
from simulator.graph import read_json, require

_MARK_KEYS = frozenset({"messaging_product", "status", "message_id", "typing_indicator"})
_TEXT_KEYS = frozenset(
    {
        "messaging_product",
        "recipient_type",
        "to",
        "recipient",
        "type",
        "text",
        "context",
        "biz_opaque_callback_data",
    }
)
_LONGEST_TEXT = 4096
_LONGEST_NOTE = 512


@dataclass(frozen=True, slots=True)
class Mark:
    """A call that marks a message as read, perhaps with a typing indicator."""

    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class Text:
    to: str
    body: str
    raw: Mapping[str, Any]


async def parse_call(request: web.Request) -> Mark | Text:
    """Parse a call; raises Refused with the platform's error."""
    raw = await read_json(request, _MARK_KEYS | _TEXT_KEYS)
    require(
        raw.get("messaging_product") == "whatsapp",
        100,
        "The parameter messaging_product is required.",
    )
    return _parse_mark(raw) if "status" in raw else _parse_text(raw)


def _parse_mark(raw: Mapping[str, Any]) -> Mark:
    require(
        raw.keys() <= _MARK_KEYS and raw["status"] == "read", 131009, "Parameter value is not valid"
    )
    id = raw.get("message_id")
    require(isinstance(id, str) and id.startswith("wamid."), 131009, "Parameter value is not valid")
    actions = [Action("read", message_id=str(id))]
    if "typing_indicator" in raw:
        require(raw["typing_indicator"] == {"type": "text"}, 131009, "Parameter value is not valid")
        actions.append(Action("typing_on", message_id=str(id)))
    return Mark(tuple(actions))


def _parse_text(raw: Mapping[str, Any]) -> Text:
    require(raw.keys() <= _TEXT_KEYS, 131009, "Parameter value is not valid")
    require(raw.get("type") == "text", 131051, "Unsupported message type")
    require(
        raw.get("recipient_type", "individual") == "individual", 131009, "recipient_type is wrong"
    )
    to, body = _parse_recipient(raw), _parse_body(raw)
    context = raw.get("context", {"message_id": "wamid."})
    valid_context = isinstance(context, dict) and str(context.get("message_id", "")).startswith(
        "wamid."
    )
    require(valid_context, 100, "Param context['message_id'] must be a message id")
    note = raw.get("biz_opaque_callback_data", "")
    require(
        isinstance(note, str) and len(note) <= _LONGEST_NOTE,
        100,
        f"Param biz_opaque_callback_data must be at most {_LONGEST_NOTE} characters long",
    )
    return Text(to, body, raw)


def _parse_recipient(raw: Mapping[str, Any]) -> str:
    recipients = [raw[key] for key in ("to", "recipient") if key in raw]
    require(len(recipients) == 1, 131008, "Required parameter is missing: to, or recipient")
    (to,) = recipients
    require(isinstance(to, str) and to, 100, "The parameter to is required.")
    if "to" in raw:
        require(to.removeprefix("+").isdigit(), 131009, "Parameter value is not valid: to")
    else:
        require(to[2:3] == ".", 131009, "Parameter value is not valid: recipient")
    return str(to)


def _parse_body(raw: Mapping[str, Any]) -> str:
    text = raw.get("text")
    require(isinstance(text, dict), 100, "The parameter text['body'] is required.")
    assert isinstance(text, dict)
    require(text.keys() <= {"body", "preview_url"}, 100, "Unexpected key on param text")
    body = text.get("body")
    require(isinstance(body, str) and body, 100, "The parameter text['body'] is required.")
    require(
        len(str(body)) <= _LONGEST_TEXT,
        100,
        f"Param text['body'] must be at most {_LONGEST_TEXT} characters long.",
    )
    return str(body)
