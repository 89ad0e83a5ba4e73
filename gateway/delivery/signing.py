"""Standard Webhooks signatures of the events that are sent to the core (https://www.standardwebhooks.com, v1)."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

PREFIX = "whsec_"


def secret_bytes(secret: str) -> bytes:
    """Return the key of a `whsec_…` secret; raise ValueError, without the secret, if it is not valid."""
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("a signing secret is whsec_ followed by Base64") from None


class Signer:
    """Signs with every secret, so that the core may hold either one while a secret is being replaced."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._keys = tuple(secret_bytes(secret) for secret in secrets)

    def headers(self, id: str, timestamp: int, body: bytes) -> dict[str, str]:
        """Return the headers of a request. `timestamp` (seconds) is the time of the attempt, not of the event."""
        content = f"{id}.{timestamp}.".encode() + body
        signatures = (hmac.digest(key, content, hashlib.sha256) for key in self._keys)
        return {
            "webhook-id": id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": " ".join(
                "v1," + base64.b64encode(signature).decode() for signature in signatures
            ),
        }
