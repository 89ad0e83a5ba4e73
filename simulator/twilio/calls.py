"""Parser of texts that are posted to Twilio, as strict as the platform."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", re.IGNORECASE)
_LONGEST_TEXT = 1600

#: The GSM alphabet: a text with any other character fits less than half as many into a segment.
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENSION = frozenset("^{}\\[~]|€\f")

#: code: (HTTP status, message).
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
    21701: (400, "The Messaging Service resource does not exist"),
}


class Refused(Exception):
    """A text that the platform refuses."""

    def __init__(self, code: int) -> None:
        super().__init__(ERRORS[code][1])
        self.code = code


@dataclass(frozen=True, slots=True)
class Text:
    to: str
    body: str
    raw: Mapping[str, str]


def refusal(code: int) -> tuple[int, dict[str, Any]]:
    """Return the answer that refuses a text immediately."""
    status, message = ERRORS[code]
    more = f"https://www.twilio.com/docs/errors/{code}"
    return status, {"code": code, "message": message, "more_info": more, "status": status}


def error(code: int) -> web.Response:
    status, body = refusal(code)
    return web.json_response(body, status=status)


async def parse_text(request: web.Request, number: str, service: str) -> Text:
    """Return the text that a call sends; raises Refused."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise Refused(21211)  # other bodies are not read: all parameters are missing
    raw = {name: str(value) for name, value in (await request.post()).items()}
    _require(_PHONE.fullmatch(raw.get("To", "")), 21211)
    _require(raw.get("From") or raw.get("MessagingServiceSid"), 21603)
    _require(raw.get("From", number) == number, 21606)
    _require(raw.get("MessagingServiceSid", service) == service, 21701)
    _require(raw.get("Body"), 21602)
    _require(len(raw["Body"]) <= _LONGEST_TEXT, 21617)
    _require(_is_url(raw.get("StatusCallback", "https://example.com/")), 21609)
    return Text(raw["To"], raw["Body"], raw)


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
