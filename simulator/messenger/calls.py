"""Parser of calls to Messenger, as strict as the platform: a call sends a text, or a sender action."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from simulator.exchange import Action
from simulator.graph import error_body, read_json, require

_KEYS = frozenset({"recipient", "messaging_type", "message", "tag", "sender_action", "reply_to"})
_TYPES = frozenset({"RESPONSE", "UPDATE", "MESSAGE_TAG"})
_RETIRED_TAGS = frozenset({"CONFIRMED_EVENT_UPDATE", "POST_PURCHASE_UPDATE", "ACCOUNT_UPDATE"})
_SENDER_ACTIONS = frozenset({"typing_on", "typing_off", "mark_seen"})
_LONGEST_TEXT = 2000
_LONGEST_METADATA = 1000

#: (code, subcode): (HTTP status, message).
ERRORS: dict[tuple[int, int], tuple[int, str]] = {
    (1, 0): (500, "An unknown error occurred"),
    (2, 0): (500, "Service temporarily unavailable"),
    (4, 0): (400, "Application request limit reached"),
    (10, 2018278): (400, "This message is sent outside of allowed window."),
    (10, 2018300): (
        403,
        "Message failed to send because another app is controlling this thread now.",
    ),
    (10, 1893063): (400, "This Page is temporarily restricted."),
    (100, 2018001): (400, "No matching user found"),
    (100, 1893061): (400, "Invalid parameter"),
    (100, 33): (400, "Unsupported post request. Object does not exist"),
    (190, 463): (400, "Error validating access token: Session has expired"),
    (200, 0): (403, "Requires pages_messaging permission to manage the object"),
    (200, 1545041): (403, "This person isn't receiving messages from you right now."),
    (551, 1545041): (400, "This person isn't available right now."),
    (613, 0): (400, "Calls to this api have exceeded the rate limit."),
    (1200, 0): (500, "Temporary send message failure. Please try again later."),
}


def refusal(code: int, subcode: int | None = None) -> tuple[int, dict[str, Any]]:
    """Return the answer that refuses a text; without a `subcode`, the first of the code in the table."""
    (found, *_) = [key for key in ERRORS if key[0] == code and subcode in {None, key[1]}]
    status, message = ERRORS[found]
    more = {"error_subcode": found[1]} if found[1] else {}
    return status, error_body(code, message, **more)


@dataclass(frozen=True, slots=True)
class Text:
    to: str
    body: str
    human_agent: bool
    raw: Mapping[str, Any]


async def parse_call(request: web.Request) -> Action | Text:
    """Parse a call; raises Refused with the platform's error."""
    raw = await read_json(request, _KEYS)
    recipient = raw.get("recipient")
    has_id = isinstance(recipient, dict) and recipient.keys() == {"id"} and recipient["id"]
    require(has_id, 100, "Param recipient must be an object with an id")
    to = str(raw["recipient"]["id"])
    return _parse_action(to, raw) if "sender_action" in raw else _parse_text(to, raw)


def _parse_action(to: str, raw: Mapping[str, Any]) -> Action:
    require(
        raw.keys() == {"recipient", "sender_action"}, 100, "A sender action must be sent by itself"
    )
    require(raw["sender_action"] in _SENDER_ACTIONS, 100, "Param sender_action is not valid")
    return Action(str(raw["sender_action"]), to)


def _parse_text(to: str, raw: Mapping[str, Any]) -> Text:
    require(raw.get("messaging_type") in _TYPES, 100, "Param messaging_type is required")
    tagged = raw["messaging_type"] == "MESSAGE_TAG"
    require(tagged == ("tag" in raw), 100, "Param tag goes with messaging_type MESSAGE_TAG")
    tag = raw.get("tag")
    require(tag not in _RETIRED_TAGS, 100, "Invalid parameter", error_subcode=1893061)
    require(tag in {None, "HUMAN_AGENT"}, 100, "Param tag is not valid")
    return Text(to, _parse_body(raw), tagged, raw)


def _parse_body(raw: Mapping[str, Any]) -> str:
    message = raw.get("message")
    require(isinstance(message, dict), 100, "Param message must be an object")
    assert isinstance(message, dict)
    require(message.keys() <= {"text", "metadata"}, 100, "Unexpected key on param message")
    text, metadata = message.get("text"), message.get("metadata", "")
    require(isinstance(text, str) and text.strip(), 100, "Param message[text] must not be empty")
    require(
        len(str(text)) <= _LONGEST_TEXT,
        100,
        f"Length of param message[text] must be less than or equal to {_LONGEST_TEXT}",
    )
    require(
        isinstance(metadata, str) and len(metadata) <= _LONGEST_METADATA,
        100,
        f"Length of param message[metadata] must be less than or equal to {_LONGEST_METADATA}",
    )
    return str(text)
