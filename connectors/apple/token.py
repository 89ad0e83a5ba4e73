"""Apple's bearer tokens: JSON Web Tokens that say who calls, and nothing about what is said.

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

#: The one algorithm Apple uses. Naming it here refuses tokens that would choose their own, such as none.
_ALGORITHM = "HS256"
#: Clocks may differ by this much (seconds).
_CLOCK_SKEW = 300
#: Apple's tokens have about 200 characters.
_MAX_LENGTH = 4096
#: Everything but the signature and the audience is checked here, against the time of receipt.
_OPTIONS: Any = {
    "require": ["aud", "iat"],
    **dict.fromkeys(("verify_exp", "verify_iat", "verify_nbf", "verify_sub", "verify_jti"), False),
}
#: Whatever a token that is none may bring forth.
_INVALID_TOKEN = (jwt.PyJWTError, ValueError, TypeError, RecursionError)


def key_of(secret: str) -> bytes:
    """The key behind a shared secret; raises ValueError for what cannot be one."""
    try:
        key = base64.b64decode(secret, validate=True)
    except binascii.Error:
        raise ValueError("is no Base64; take it from Apple Business Register as it is") from None
    if len(key) < 32:
        # https://www.rfc-editor.org/rfc/rfc7518#section-3.2
        raise ValueError(f"stands for {len(key)} bytes; HS256 needs at least 32. Was it cut?")
    return key


def check_token(
    authorization: str,
    keys: Iterable[bytes],
    msp_id: str,
    received_at: datetime,
    max_age: float | None,
) -> None:
    """Raise Forbidden unless the header holds a token for us, signed with one of the keys, of that time."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not 0 < len(token) <= _MAX_LENGTH:
        raise Forbidden("Authorization is missing or is no bearer token")
    found = [_claims(token, key, msp_id) for key in keys]
    claims = next((claims for claims in found if claims is not None), None)
    if claims is None:
        raise Forbidden("the token is not for msp_id, or fits none of secrets")
    _check_time(claims, received_at.timestamp(), max_age)


def mint(key: bytes, msp_id: str, now: datetime) -> str:
    """A token that says who we are."""
    return jwt.encode({"iss": msp_id, "iat": int(now.timestamp())}, key, algorithm=_ALGORITHM)


def _claims(token: str, key: bytes, msp_id: str) -> Mapping[str, Any] | None:
    try:
        return jwt.decode(token, key, algorithms=[_ALGORITHM], audience=msp_id, options=_OPTIONS)
    except _INVALID_TOKEN:
        return None


def _check_time(claims: Mapping[str, Any], now: float, max_age: float | None) -> None:
    issued, expires = claims["iat"], claims.get("exp", math.inf)
    if not (isinstance(issued, int | float) and isinstance(expires, int | float)):
        raise Forbidden("the token's times are no numbers")
    # Written so that NaN, which is smaller and larger than nothing, is refused.
    if not issued <= now + _CLOCK_SKEW:
        raise Forbidden("the token comes from the future; is this machine's clock right?")
    if not now < expires:
        raise Forbidden("the token has expired")
    if max_age is not None and not now - issued <= max_age:
        raise Forbidden("the token is older than max_token_age")
