"""Apple's bearer tokens: JSON Web Tokens that identify the caller and do not cover the content.

https://developer.apple.com/documentation/businesschatapi/messages_sent/authorizing_messages
"""

import base64
import binascii
import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import jwt

from connectors.errors import Forbidden

#: The only algorithm that Apple uses. A fixed algorithm rejects tokens that choose their own, such as none.
_ALGORITHM = "HS256"
#: The permitted difference between clocks (seconds).
_CLOCK_SKEW = 300
#: Apple's tokens have about 200 characters.
_MAX_LENGTH = 4096
#: PyJWT checks only the signature and the audience. We check the times, against the time of receipt.
_OPTIONS: Any = {
    "require": ["aud", "iat"],
    **dict.fromkeys(("verify_exp", "verify_iat", "verify_nbf", "verify_sub", "verify_jti"), False),
}
#: The exceptions that PyJWT raises for an invalid token.
_INVALID_TOKEN = (jwt.PyJWTError, ValueError, TypeError, RecursionError)


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
    if scheme.lower() != "bearer" or not 0 < len(token) <= _MAX_LENGTH:
        raise Forbidden("Authorization is missing or is not a bearer token")
    found = [_claims(token, key, msp_id) for key in keys]
    claims = next((claims for claims in found if claims is not None), None)
    if claims is None:
        raise Forbidden("the token is not for msp_id, or none of secrets signed it")
    _check_time(claims, received_at.timestamp(), max_age)


def mint(key: bytes, msp_id: str, now: datetime) -> str:
    """A token that identifies us to Apple."""
    return jwt.encode({"iss": msp_id, "iat": int(now.timestamp())}, key, algorithm=_ALGORITHM)


def _claims(token: str, key: bytes, msp_id: str) -> Mapping[str, Any] | None:
    try:
        return jwt.decode(token, key, algorithms=[_ALGORITHM], audience=msp_id, options=_OPTIONS)
    except _INVALID_TOKEN:
        return None


def _check_time(claims: Mapping[str, Any], now: float, max_age: float | None) -> None:
    issued, expires = claims["iat"], claims.get("exp", math.inf)
    if not (isinstance(issued, int | float) and isinstance(expires, int | float)):
        raise Forbidden("the token's times are not numbers")
    # Phrased so that NaN is rejected: every comparison with NaN is false.
    if not issued <= now + _CLOCK_SKEW:
        raise Forbidden("the token was issued in the future; check this machine's clock")
    if not now < expires:
        raise Forbidden("the token has expired")
    if max_age is not None and not now - issued <= max_age:
        raise Forbidden("the token is older than max_token_age")
