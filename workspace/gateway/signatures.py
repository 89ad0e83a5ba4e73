"""Standard Webhooks signatures, which prove that a delivery comes from our gateway. Comparison takes constant time."""

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from hashlib import sha256

#: As Standard Webhooks recommends: long enough for clocks that differ, short enough against replays.
TOLERANCE_SECONDS = 5 * 60


class InvalidSignature(Exception):
    """A delivery is not signed by our gateway. The text is for the log, not for the sender."""


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes], now: float) -> str:
    """Return the delivery's id if one of `secrets` signed it recently; raise InvalidSignature otherwise."""
    id = headers.get("webhook-id", "")
    stamp = headers.get("webhook-timestamp", "")
    if not id or not stamp.isascii() or not stamp.isdigit():
        raise InvalidSignature("webhook-id or webhook-timestamp is missing or malformed")
    if abs(now - int(stamp[:20])) > TOLERANCE_SECONDS:
        raise InvalidSignature(
            "webhook-timestamp is too far from our clock; compare the clocks of both machines"
        )
    signatures = _v1_signatures(headers.get("webhook-signature", ""))
    message = f"{id}.{stamp}.".encode("utf-8", "surrogateescape") + body
    expected = [hmac.digest(secret, message, sha256) for secret in secrets]
    matches = [hmac.compare_digest(one, other) for one in signatures for other in expected]
    if not any(matches):
        raise InvalidSignature(
            "webhook-signature does not match any secret; compare core.secrets on both sides"
        )
    return id


def decode_secret(secret: str) -> bytes:
    """Return the bytes of a `whsec_…` secret. Raises ValueError with a text that never contains the secret."""
    try:
        decoded = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(
            "a signing secret is not `whsec_` followed by base64; check core.secrets"
        ) from None
    if not decoded:
        raise ValueError("a signing secret is empty; check core.secrets")
    return decoded


def _v1_signatures(header: str) -> list[bytes]:
    entries = [entry.partition(",") for entry in header.split()[:16]]
    return [_decode(signature) for version, _, signature in entries if version == "v1"]


def _decode(signature: str) -> bytes:
    try:
        return base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return b""
