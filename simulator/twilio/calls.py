"""Parser of texts that are posted to Twilio, as strict as the platform."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from .accounts import Account

_ADDRESS = re.compile(r"(?:(whatsapp|rcs):)?\+[1-9][0-9]{6,14}")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", re.IGNORECASE)
_LONGEST_TEXT = 1600

#: The GSM alphabet: a text with any other character fits less than half as many into a segment.
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENSION = frozenset("^{}\\[~]|€\f")

#: Codes of refused calls: (HTTP status, message). https://www.twilio.com/docs/api/errors
ERRORS: dict[int, tuple[int, str]] = {
    14107: (429, "SMS send rate limit exceeded"),
    20003: (401, "Authenticate"),
    20404: (404, "The requested resource was not found"),
    20429: (429, "Too Many Requests"),
    20500: (500, "Internal Server Error"),
    21211: (400, "Invalid 'To' Phone Number"),
    21408: (400, "Permission to send an SMS has not been enabled for the region"),
    21602: (400, "Message body is required"),
    21603: (400, "A 'From' phone number is required"),
    21606: (400, "The 'From' phone number is not a valid, message-capable Twilio phone number"),
    21608: (400, "The number is unverified. Trial accounts cannot send to unverified numbers"),
    21609: (400, "The 'StatusCallback' URL is not a valid URL"),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21611: (429, "This 'From' number has exceeded the maximum number of queued messages"),
    21612: (400, "The 'To' phone number is not currently reachable via SMS"),
    21614: (400, "'To' number is not a valid mobile number"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit"),
    21659: (400, "'From' is not a Twilio phone number or Short Code country mismatch"),
    21701: (400, "The Messaging Service resource does not exist"),
    21703: (400, "The Messaging Service contains no phone numbers"),
    21910: (400, "'From' and 'To' pair is not valid: both must be of the same channel"),
}

#: Codes of texts that were accepted and then failed, in status callbacks.
FAILURES: dict[int, str] = {
    21610: ERRORS[21610][1],
    30003: "Unreachable destination handset",
    30004: "Message blocked",
    30005: "Unknown destination handset",
    30006: "Landline or unreachable carrier",
    30007: "Message filtered",
    30008: "Unknown error",
}


class Refused(Exception):
    """A call that the platform refuses; without `words`, the message is that of the code."""

    def __init__(self, code: int, words: str = "") -> None:
        super().__init__(words or ERRORS[code][1])
        self.code = code


@dataclass(frozen=True, slots=True)
class Text:
    to: str
    body: str
    raw: Mapping[str, str]


def refusal(code: int, words: str = "") -> tuple[int, dict[str, Any]]:
    """Return the answer that refuses a call immediately."""
    status, message = ERRORS[code]
    more = f"https://www.twilio.com/docs/errors/{code}"
    return status, {"code": code, "message": words or message, "more_info": more, "status": status}


def error(code: int, words: str = "") -> web.Response:
    status, body = refusal(code, words)
    return web.json_response(body, status=status)


def not_found(request: web.Request) -> Refused:
    return Refused(20404, f"The requested resource {request.path} was not found")


async def parse_text(request: web.Request, account: Account) -> Text:
    """Return the text that a call sends from this account; raises Refused."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise Refused(21211)  # other bodies are not read: all parameters are missing
    raw = {name: str(value) for name, value in (await request.post()).items()}
    _require(_ADDRESS.fullmatch(raw.get("To", "")), 21211)
    _require(raw.get("From") or raw.get("MessagingServiceSid"), 21603)
    if "From" in raw:
        _check_sender(raw["From"], raw["To"], account)
    if "MessagingServiceSid" in raw:
        _require(raw["MessagingServiceSid"] == account.service, 21701)
    _require(raw.get("Body"), 21602)
    _require(len(raw["Body"]) <= _LONGEST_TEXT, 21617)
    _require(_is_url(raw.get("StatusCallback", "https://example.com/")), 21609)
    return Text(raw["To"], raw["Body"], raw)


def _check_sender(sender: str, to: str, account: Account) -> None:
    if sender not in account.senders:
        raise Refused(
            21606,
            f"The 'From' phone number {sender} is not a valid, message-capable Twilio phone number "
            f"of the account {account.sid}",
        )
    _require(_channel(sender) == _channel(to), 21910)


def _channel(address: str) -> str:
    return address.rpartition(":")[0]


def count_segments(text: str) -> int:
    """Return the number of segments (short messages) that a text needs."""
    letters = set(text)
    if letters <= _GSM | _GSM_EXTENSION:
        size, single, joined = len(text) + sum(c in _GSM_EXTENSION for c in text), 160, 153
    else:
        size, single, joined = len(text.encode("utf-16-le")) // 2, 70, 67
    return 1 if size <= single else -(-size // joined)


def _require(condition: object, code: int) -> None:
    if not condition:
        raise Refused(code)


def _is_url(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in {"http", "https"} and bool(_HOST.fullmatch(parts.hostname or ""))
