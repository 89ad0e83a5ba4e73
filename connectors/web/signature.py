"""Signatures of deliveries, as Standard Webhooks defines them: HMAC over id, time and body, by each secret."""

import base64
import binascii
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256

from connectors.errors import Forbidden
from connectors.tools.constant_time import matches_any

#: As Standard Webhooks recommends: long enough for clocks that differ, short enough against replays.
TOLERANCE_SECONDS = 5 * 60
_ONE = r"v1[a-z]?,[A-Za-z0-9+/=]{1,200}"
#: The form of webhook-signature: one signature for each secret and version, a few during a rotation.
FORM = rf"{_ONE}(?: {_ONE}){{0,15}}"
#: Seconds since 1970 have no more digits for the next 30,000 years.
_MAX_DIGITS = 12


def check_secret(secret: str) -> None:
    """Raise ValueError, with a text that never contains the secret, unless it is `whsec_…`."""
    if not secret.startswith("whsec_") or _decoded(secret) is None:
        raise ValueError("must be whsec_ followed by base64; copy it from webchat.secrets")


def key_of(secret: str) -> bytes:
    """Return the key that a secret holds. One that `check_secret` refuses signs nothing of anybody's."""
    return _decoded(secret) or secret.encode()


def _decoded(secret: str) -> bytes | None:
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True) or None
    except (binascii.Error, ValueError):
        return None


def require_signature(
    headers: Mapping[str, str], body: bytes, keys: Sequence[bytes], now: datetime
) -> None:
    """Raise Forbidden unless one of the keys signed id, time and body within the last minutes."""
    id, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not id or not (stamp.isascii() and stamp.isdigit() and len(stamp) <= _MAX_DIGITS):
        raise Forbidden("webhook-id or webhook-timestamp is missing or malformed")
    header = headers.get("webhook-signature", "")
    if not re.fullmatch(FORM, header):
        raise Forbidden("webhook-signature is missing or malformed")
    signatures = header.split(" ")
    message = f"{id}.{stamp}.".encode(errors="backslashreplace") + body
    expected = [_signature(key, message) for key in keys]
    if not any([matches_any(expected, given) for given in signatures]):  # noqa: C419 - constant time
        raise Forbidden("webhook-signature matches none of the secrets")
    if abs(now.timestamp() - int(stamp)) > TOLERANCE_SECONDS:
        raise Forbidden("webhook-timestamp is too far from our clock; compare both clocks")


def _signature(key: bytes, message: bytes) -> str:
    return "v1," + base64.b64encode(hmac.digest(key, message, sha256)).decode()
