"""Standard Webhooks signatures of what we send to the core (https://www.standardwebhooks.com, v1)."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

PREFIX = "whsec_"


def secret_bytes(secret: str) -> bytes:
    """The key of a `whsec_…` secret; raises ValueError (without the secret) if it is none."""
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("a signing secret is whsec_ followed by Base64") from None


class Signer:
    """Signs with every secret, so that the core may hold either while one is being replaced."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._keys = tuple(secret_bytes(secret) for secret in secrets)

    def headers(self, id: str, timestamp: int, body: bytes) -> dict[str, str]:
        """`timestamp` in seconds: the time of this attempt, not of the event."""
        content = f"{id}.{timestamp}.".encode() + body
        signatures = (hmac.digest(key, content, hashlib.sha256) for key in self._keys)
        return {
            "webhook-id": id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": " ".join(
                "v1," + base64.b64encode(signature).decode() for signature in signatures
            ),
        }
