"""Apple's bearer tokens: JSON Web Tokens that identify the caller and do not cover the content.

https://developer.apple.com/documentation/businesschatapi/messages_sent/authorizing_messages
"""

import base64
import binascii
from collections.abc import Iterable
from datetime import datetime

from connectors.errors import Forbidden
from connectors.jwt import Algorithm, check
from connectors.jwt import mint as sign

#: The only algorithm that Apple uses.
_ALGORITHM: Algorithm = "HS256"
#: The permitted difference between clocks (seconds).
_CLOCK_SKEW = 300


def key_of(secret: str) -> bytes:
    """Decode a shared secret. Raises ValueError if the secret cannot be a key."""
    try:
        key = base64.b64decode(secret, validate=True)
    except binascii.Error:
        raise ValueError("is not Base64; copy it unchanged from Apple Business Register") from None
    if len(key) < 32:
        # https://www.rfc-editor.org/rfc/rfc7518#section-3.2
        raise ValueError(
            f"decodes to {len(key)} bytes, but HS256 needs at least 32; copy the whole secret"
        )
    return key


def check_token(
    authorization: str,
    keys: Iterable[bytes],
    msp_id: str,
    received_at: datetime,
    max_age: float | None,
) -> None:
    """Raise Forbidden unless the header has a token for us that one of the keys signed and that is valid now."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise Forbidden("Authorization is missing or is not a bearer token")
    claims = check(
        token,
        keys,
        algorithm=_ALGORITHM,
        audience=msp_id,
        # Apple names no issuer, and no expiry in most tokens.
        issuer=None,
        require=("iat",),
        now=received_at,
        skew=_CLOCK_SKEW,
    )
    if max_age is not None and received_at.timestamp() - claims["iat"] > max_age:
        raise Forbidden("the token is older than max_token_age")


def mint(key: bytes, msp_id: str, now: datetime) -> str:
    """A token that identifies us to Apple."""
    return sign(key, {"iss": msp_id}, algorithm=_ALGORITHM, now=now)
