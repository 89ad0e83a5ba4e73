"""Reads what a gateway posts to WhatsApp, as strictly as the platform: a text, or a mark on a message."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from simulator.exchange import Action
from simulator.graph import json_of, wanted

_MARK = frozenset({"messaging_product", "status", "message_id", "typing_indicator"})
_TEXT = frozenset(
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
    """A message is marked as read, perhaps with a sign that somebody is typing."""

    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class Text:
    to: str
    body: str
    raw: Mapping[str, Any]


async def call_of(request: web.Request) -> Mark | Text:
    """What a call asks for; raises Refused with the platform's error."""
    raw = await json_of(request, _MARK | _TEXT)
    wanted(
        raw.get("messaging_product") == "whatsapp",
        100,
        "The parameter messaging_product is required.",
    )
    return _mark(raw) if "status" in raw else _text(raw)


def _mark(raw: Mapping[str, Any]) -> Mark:
    wanted(raw.keys() <= _MARK and raw["status"] == "read", 131009, "Parameter value is not valid")
    id = raw.get("message_id")
    wanted(isinstance(id, str) and id.startswith("wamid."), 131009, "Parameter value is not valid")
    actions = [Action("read", message_id=str(id))]
    if "typing_indicator" in raw:
        wanted(raw["typing_indicator"] == {"type": "text"}, 131009, "Parameter value is not valid")
        actions.append(Action("typing_on", message_id=str(id)))
    return Mark(tuple(actions))


def _text(raw: Mapping[str, Any]) -> Text:
    wanted(raw.keys() <= _TEXT, 131009, "Parameter value is not valid")
    wanted(raw.get("type") == "text", 131051, "Unsupported message type")
    wanted(
        raw.get("recipient_type", "individual") == "individual", 131009, "recipient_type is wrong"
    )
    to, body = _recipient(raw), _body(raw)
    context = raw.get("context", {"message_id": "wamid."})
    quotes = isinstance(context, dict) and str(context.get("message_id", "")).startswith("wamid.")
    wanted(quotes, 100, "Param context['message_id'] must be a message id")
    note = raw.get("biz_opaque_callback_data", "")
    wanted(
        isinstance(note, str) and len(note) <= _LONGEST_NOTE,
        100,
        f"Param biz_opaque_callback_data must be at most {_LONGEST_NOTE} characters long",
    )
    return Text(to, body, raw)


def _recipient(raw: Mapping[str, Any]) -> str:
    named = [raw[key] for key in ("to", "recipient") if key in raw]
    wanted(len(named) == 1, 131008, "Required parameter is missing: to, or recipient")
    (to,) = named
    wanted(isinstance(to, str) and to, 100, "The parameter to is required.")
    if "to" in raw:
        wanted(to.removeprefix("+").isdigit(), 131009, "Parameter value is not valid: to")
    else:
        wanted(to[2:3] == ".", 131009, "Parameter value is not valid: recipient")
    return str(to)


def _body(raw: Mapping[str, Any]) -> str:
    text = raw.get("text")
    wanted(isinstance(text, dict), 100, "The parameter text['body'] is required.")
    assert isinstance(text, dict)
    wanted(text.keys() <= {"body", "preview_url"}, 100, "Unexpected key on param text")
    body = text.get("body")
    wanted(isinstance(body, str) and body, 100, "The parameter text['body'] is required.")
    wanted(
        len(str(body)) <= _LONGEST_TEXT,
        100,
        f"Param text['body'] must be at most {_LONGEST_TEXT} characters long.",
    )
    return str(body)
