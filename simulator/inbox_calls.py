"""Parser of calls to Messenger and Instagram, as strict as the platforms: a call sends a text, or a sender action."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from .exchange import Action
from .graph import read_json, require

_KEYS = frozenset({"recipient", "messaging_type", "message", "tag", "sender_action", "reply_to"})
_TYPES = frozenset({"RESPONSE", "UPDATE", "MESSAGE_TAG"})
_RETIRED_TAGS = frozenset({"CONFIRMED_EVENT_UPDATE", "POST_PURCHASE_UPDATE", "ACCOUNT_UPDATE"})
_SENDER_ACTIONS = frozenset({"typing_on", "typing_off", "mark_seen"})
_LONGEST_METADATA = 1000


@dataclass(frozen=True, slots=True)
class CallRules:
    """What a platform accepts: the longest text (characters, bytes), and whether a message may have `metadata`."""

    longest_text: int
    longest_text_bytes: int | None = None
    metadata: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    to: str
    body: str
    human_agent: bool
    raw: Mapping[str, Any]


async def parse_call(request: web.Request, rules: CallRules) -> Action | Text:
    """Parse a call; raises Refused with the platform's error."""
    raw = await read_json(request, _KEYS)
    recipient = raw.get("recipient")
    has_id = isinstance(recipient, dict) and recipient.keys() == {"id"} and recipient["id"]
    require(has_id, 100, "Param recipient must be an object with an id")
    to = str(raw["recipient"]["id"])
    return _parse_action(to, raw) if "sender_action" in raw else _parse_text(to, raw, rules)


def milliseconds() -> int:
    return time.time_ns() // 1_000_000


def _parse_action(to: str, raw: Mapping[str, Any]) -> Action:
    require(
        raw.keys() == {"recipient", "sender_action"}, 100, "A sender action must be sent by itself"
    )
    require(raw["sender_action"] in _SENDER_ACTIONS, 100, "Param sender_action is not valid")
    return Action(str(raw["sender_action"]), to)


def _parse_text(to: str, raw: Mapping[str, Any], rules: CallRules) -> Text:
    require(raw.get("messaging_type") in _TYPES, 100, "Param messaging_type is required")
    tagged = raw["messaging_type"] == "MESSAGE_TAG"
    require(tagged == ("tag" in raw), 100, "Param tag goes with messaging_type MESSAGE_TAG")
    tag = raw.get("tag")
    require(tag not in _RETIRED_TAGS, 100, "Invalid parameter", error_subcode=1893061)
    require(tag in {None, "HUMAN_AGENT"}, 100, "Param tag is not valid")
    return Text(to, _parse_body(raw, rules), tagged, raw)


def _parse_body(raw: Mapping[str, Any], rules: CallRules) -> str:
    message = raw.get("message")
    require(isinstance(message, dict), 100, "Param message must be an object")
    assert isinstance(message, dict)
    known = {"text", "metadata"} if rules.metadata else {"text"}
    require(message.keys() <= known, 100, "Unexpected key on param message")
    text, metadata = message.get("text"), message.get("metadata", "")
    require(isinstance(text, str) and text.strip(), 100, "Param message[text] must not be empty")
    _require_length(str(text), rules)
    require(
        isinstance(metadata, str) and len(metadata) <= _LONGEST_METADATA,
        100,
        f"Length of param message[metadata] must be less than or equal to {_LONGEST_METADATA}",
    )
    return str(text)


def _require_length(text: str, rules: CallRules) -> None:
    require(
        len(text) <= rules.longest_text,
        100,
        f"Length of param message[text] must be less than or equal to {rules.longest_text}",
    )
    most = rules.longest_text_bytes
    require(
        most is None or len(text.encode()) <= most,
        100,
        f"Param message[text] must be UTF-8 of at most {most} bytes",
    )
