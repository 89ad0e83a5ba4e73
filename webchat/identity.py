"""Who somebody is: JWTs that the brand's back-end signs."""

from collections.abc import Sequence
from dataclasses import dataclass

import jwt
from jwt.types import Options

#: The longest time between issue and expiry, and what clocks may differ (seconds).
MAX_AGE, LEEWAY = 3600, 60
_PEM = "-----BEGIN"


class InvalidIdentity(Exception):
    """A JWT that proves nothing. The text is for the brand's developers and quotes nothing of the token."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A consumer as the brand knows them."""

    subject: str
    name: str | None


def verify_identity(token: str, keys: Sequence[str], *, audience: str, now: int) -> Identity:
    """Return who a token is about; raise InvalidIdentity if it is not the brand's, or not for this site and time."""
    if not keys:
        raise InvalidIdentity("this site has no identity_keys, so everybody is anonymous")
    claims = _claims(token, keys)
    _require(claims.get("aud") in (audience, [audience]), f"aud must be {audience!r}")
    expires = _seconds(claims.get("exp"))
    _require(expires is not None, "exp is missing")
    assert expires is not None
    _require(now < expires + LEEWAY, "the token has expired")
    _require(expires - now <= MAX_AGE + LEEWAY, "exp is more than an hour away")
    starts = _seconds(claims.get("nbf", 0))
    _require(starts is not None and starts <= now + LEEWAY, "nbf lies in the future")
    subject, name = claims.get("sub"), claims.get("name")
    _require(isinstance(subject, str) and 0 < len(subject) <= 200, "sub must be text")
    return Identity(str(subject), name[:200] if isinstance(name, str) and name.strip() else None)


def _claims(token: str, keys: Sequence[str]) -> dict[str, object]:
    """Return the claims that one of the keys signed. The algorithm follows from the key, never from the token."""
    for key in keys:
        try:
            return jwt.decode(
                token,
                key,
                algorithms=[_algorithm(key)],
                options=_UNCHECKED,
            )
        except (jwt.PyJWTError, ValueError, TypeError):
            continue
    raise InvalidIdentity("the token is not signed with one of identity_keys")


#: Checked above, with our own clock and leeway.
_UNCHECKED: Options = {
    "verify_aud": False,
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_iss": False,
}


def _algorithm(key: str) -> str:
    return "EdDSA" if key.lstrip().startswith(_PEM) else "HS256"


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:  # noqa: PLR0124 - NaN
        return None
    return float(value)


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise InvalidIdentity(otherwise)
