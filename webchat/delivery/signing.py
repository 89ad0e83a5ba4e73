"""Standard Webhooks signatures of our deliveries, one for each secret."""

import base64
import binascii
import hmac
from collections.abc import Sequence
from hashlib import sha256


def decode_secret(secret: str) -> bytes:
    """Return the bytes of a `whsec_…` secret. Raises ValueError with a text that never contains the secret."""
    try:
        decoded = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(
            "a signing secret is not `whsec_` followed by base64; check webchat.secrets"
        ) from None
    if not decoded:
        raise ValueError("a signing secret is empty; check webchat.secrets")
    return decoded


def signed_headers(id: str, body: bytes, keys: Sequence[bytes], seconds: int) -> dict[str, str]:
    """Return the headers of a delivery at a time in seconds since 1970."""
    message = f"{id}.{seconds}.".encode() + body
    signatures = [base64.b64encode(hmac.digest(key, message, sha256)).decode() for key in keys]
    return {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
