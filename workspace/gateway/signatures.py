"""Proof that a delivery comes from our gateway: Standard Webhooks signatures, checked in constant time."""

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from hashlib import sha256

#: Standard Webhooks' own suggestion: long enough for clocks that differ, short enough against replays.
TOLERANCE_SECONDS = 5 * 60


class Forged(Exception):
    """A delivery that does not prove where it comes from. The text is for the log, not for the caller."""


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes], now: float) -> str:
    """The delivery's id, once one of `secrets` has signed it lately; raises Forged for anything else."""
    id = headers.get("webhook-id", "")
    stamp = headers.get("webhook-timestamp", "")
    if not id or not stamp.isascii() or not stamp.isdigit():
        raise Forged("webhook-id or webhook-timestamp is missing or not as it should be")
    if abs(now - int(stamp[:20])) > TOLERANCE_SECONDS:
        raise Forged("webhook-timestamp is too far from our clock: compare both machines' clocks")
    offered = _offered(headers.get("webhook-signature", ""))
    message = f"{id}.{stamp}.".encode() + body
    expected = [hmac.digest(secret, message, sha256) for secret in secrets]
    matches = [hmac.compare_digest(one, other) for one in offered for other in expected]
    if not any(matches):
        raise Forged("webhook-signature matches no secret: compare core.secrets on both sides")
    return id


def key(secret: str) -> bytes:
    """The bytes behind `whsec_…`; raises ValueError, never naming the secret."""
    try:
        found = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("a signing secret is not `whsec_` followed by base64") from None
    if not found:
        raise ValueError("a signing secret is empty")
    return found


def _offered(header: str) -> list[bytes]:
    versioned = [entry.partition(",") for entry in header.split()[:16]]
    return [_decoded(signature) for version, _, signature in versioned if version == "v1"]


def _decoded(signature: str) -> bytes:
    try:
        return base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return b""
