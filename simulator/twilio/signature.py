"""Twilio's signatures, and the ways in which they can be wrong."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Literal

SignatureKind = Literal[
    "valid", "forged", "missing", "truncated", "other address", "not ascii", "sha256"
]


def sign_form(token: str, url: str, fields: Mapping[str, str]) -> str:
    """Sign a form for X-Twilio-Signature: the URL, then each name and value, sorted by name."""
    return _hmac(hashlib.sha1, token, url + _concatenate(fields))


def sign_json(token: str, url: str) -> str:
    """Sign a JSON body for X-Twilio-Signature: the URL alone, whose query must hold the body's SHA-256."""
    return _hmac(hashlib.sha1, token, url)


def _concatenate(fields: Mapping[str, str]) -> str:
    return "".join(name + fields[name] for name in sorted(fields))


def _hmac(digest: Callable[..., "hashlib._Hash"], token: str, text: str) -> str:
    return base64.b64encode(hmac.new(token.encode(), text.encode(), digest).digest()).decode()


#: Functions that make the value of X-Twilio-Signature, by its defect; None leaves the header out.
SIGNATURES: dict[SignatureKind, Callable[[str, str, Mapping[str, str]], str | None]] = {
    "valid": sign_form,
    "forged": lambda token, url, fields: sign_form(f"not {token}", url, fields),
    "missing": lambda _token, _url, _fields: None,
    "truncated": lambda token, url, fields: sign_form(token, url, fields)[:-4],
    "other address": lambda token, url, fields: sign_form(token, url + "/", fields),
    "not ascii": lambda _token, _url, _fields: "é" * 28,
    "sha256": lambda token, url, fields: _hmac(hashlib.sha256, token, url + _concatenate(fields)),
}
