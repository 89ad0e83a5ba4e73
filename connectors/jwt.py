"""JSON Web Tokens: `mint` makes one that proves who we are, `check` examines one that a platform sent.

The algorithm is fixed by the caller and never taken from the token (RFC 8725, section 3.1), and `none` is not among
them. A key in PEM is parsed once and not for each token. Signatures are deterministic, so that the same claims give the
same token: randomised schemes (PS256) are left out, and ECDSA follows RFC 6979.
"""

import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, Literal

import jwt as pyjwt
import orjson
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from jwt.algorithms import Algorithm as PyAlgorithm
from jwt.algorithms import ECAlgorithm, HMACAlgorithm, OKPAlgorithm, get_default_algorithms
from jwt.utils import der_to_raw_signature
from pydantic import SecretBytes, SecretStr

from .errors import Forbidden

__all__ = ["Algorithm", "Key", "check", "mint"]

Algorithm = Literal[
    "HS256",
    "HS384",
    "HS512",
    "RS256",
    "RS384",
    "RS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
]
#: A shared secret (HS…) or a key in PEM (all others).
Key = str | bytes | SecretStr | SecretBytes

#: The permitted difference between the platform's clock and ours (seconds).
SKEW = 60.0
#: Characters of the longest token that is examined.
_MAX_LENGTH = 8192
#: What PyJWT raises for a token that is not valid.
_INVALID = (pyjwt.PyJWTError, ValueError, TypeError, RecursionError)


class _DeterministicECDSA(ECAlgorithm):
    """ECDSA whose signatures depend only on key and content (RFC 6979)."""

    def sign(self, msg: bytes, key: Any) -> bytes:
        if not isinstance(key, EllipticCurvePrivateKey):
            raise TypeError("signing needs a private key")
        signature = key.sign(msg, ECDSA(self.hash_alg(), deterministic_signing=True))
        return der_to_raw_signature(signature, key.curve)


class _AnyLengthHMAC(HMACAlgorithm):
    """HMAC with the secret that a platform gave us, whose length is not ours to choose."""

    def check_key_length(self, key: bytes) -> None:
        del key


def _algorithms() -> dict[str, PyAlgorithm]:
    known = get_default_algorithms()
    for name in ("ES256", "ES384", "ES512"):
        found = known[name]
        if isinstance(found, ECAlgorithm):
            known[name] = _DeterministicECDSA(found.hash_alg, found.expected_curve)
    for name in ("HS256", "HS384", "HS512"):
        hashed = known[name]
        if isinstance(hashed, HMACAlgorithm):
            known[name] = _AnyLengthHMAC(hashed.hash_alg)
    known["EdDSA"] = OKPAlgorithm()
    return known


_ALGORITHMS = _algorithms()


def mint(
    key: Key,
    claims: Mapping[str, Any],
    *,
    algorithm: Algorithm,
    now: datetime,
    seconds: float | None = None,
    headers: Mapping[str, Any] | None = None,
) -> str:
    """Return a signed token with these claims, issued at `now` (`iat`) and valid for so many `seconds` (`exp`).

    `headers` are added to `alg` and `typ`, such as `{"kid": …}`. Raises ValueError if the key does not fit.
    """
    issued = int(now.timestamp())
    whole = {**claims, "iat": issued}
    if seconds is not None:
        whole["exp"] = issued + int(seconds)
    try:
        return _signatures(algorithm).encode(
            orjson.dumps(whole),
            _prepared(algorithm, _bytes(key)),
            algorithm=algorithm,
            headers=dict(headers or {}),
        )
    except (pyjwt.PyJWTError, TypeError, AttributeError) as exc:
        raise ValueError(f"the key does not sign {algorithm}: {exc}") from None


def check(
    token: str,
    keys: Iterable[Key],
    *,
    algorithm: Algorithm,
    audience: str | None,
    issuer: str | None,
    now: datetime,
    require: Iterable[str] = ("exp",),
    max_age: float | None = None,
    skew: float = SKEW,
) -> Mapping[str, Any]:
    """Return the claims of a token that one of `keys` signed and that is valid at `now`; raise Forbidden otherwise.

    `now` is `request.received_at`. `audience` must be in `aud`, and `issuer` must be `iss`; None if the platform sends
    none. `require` are the claims that must be there, beside these. `exp` is never exceeded; `nbf` and `iat` may lie
    ahead by `skew` seconds. `max_age` is the age (seconds since `iat`) beyond which a token is refused. Every key is
    tried, so that the time taken does not show which one fits.
    """
    if not 0 < len(token) <= _MAX_LENGTH:
        raise Forbidden("the token is missing or too long")
    found = [_claims(token, key, algorithm) for key in keys]
    claims = next((one for one in found if one is not None), None)
    if claims is None:
        raise Forbidden(f"the token is not {algorithm}, or none of our keys signed it")
    _check_audience(claims.get("aud"), audience)
    needed = {*require, *(("iat",) if max_age is not None else ())}
    if missing := sorted(name for name in needed if claims.get(name) is None):
        raise Forbidden(f"the token lacks {', '.join(missing)}")
    if issuer is not None and claims.get("iss") != issuer:
        raise Forbidden("the token has another issuer (iss)")
    _check_times(claims, now.timestamp(), max_age, skew)
    return claims


def _claims(token: str, key: Key, algorithm: Algorithm) -> Mapping[str, Any] | None:
    try:
        prepared = _public(_prepared(algorithm, _bytes(key)))
        payload = _signatures(algorithm).decode(token, prepared, algorithms=[algorithm])
        claims = orjson.loads(payload)
    except _INVALID:
        return None
    return claims if isinstance(claims, dict) else None


def _check_audience(given: Any, audience: str | None) -> None:
    named = [given] if isinstance(given, str) and given else given
    if audience is None:
        # RFC 7519, section 4.1.3: a token that names an audience is for nobody else.
        if named:
            raise Forbidden("the token is for an audience (aud), but none is expected")
    elif not (isinstance(named, list) and all(isinstance(one, str) for one in named)):
        raise Forbidden("the token names no audience (aud)")
    elif audience not in named:
        raise Forbidden("the token is for another audience (aud)")


def _check_times(claims: Mapping[str, Any], now: float, max_age: float | None, skew: float) -> None:
    issued, begins = claims.get("iat", -math.inf), claims.get("nbf", -math.inf)
    expires = claims.get("exp", math.inf)
    for time in (issued, begins, expires):
        if isinstance(time, bool) or not isinstance(time, int | float):
            raise Forbidden("the token's times are not numbers")
    # Phrased so that NaN is refused: every comparison with NaN is false.
    if not issued <= now + skew:
        raise Forbidden("the token was issued in the future; check this machine's clock")
    if not begins <= now + skew:
        raise Forbidden("the token is not valid yet (nbf); check this machine's clock")
    if not now < expires:
        raise Forbidden("the token has expired")
    if max_age is not None and not now - issued <= max_age:
        raise Forbidden(f"the token is older than {max_age:g} s")


@cache
def _signatures(algorithm: Algorithm) -> pyjwt.PyJWS:
    """Signatures of this algorithm, and of no other."""
    found = pyjwt.PyJWS(algorithms=[])
    found.register_algorithm(algorithm, _ALGORITHMS[algorithm])
    return found


@lru_cache(maxsize=64)
def _prepared(algorithm: Algorithm, key: bytes) -> Any:
    """Return the key in the form that the algorithm uses. Parsing an RSA key takes longer than signing with it."""
    if not key:
        raise ValueError("the key is empty")
    try:
        return _ALGORITHMS[algorithm].prepare_key(key)
    except (pyjwt.PyJWTError, TypeError) as exc:
        raise ValueError(f"the key is not one for {algorithm}: {exc}") from None


def _public(key: Any) -> Any:
    """Return the public key of a private one; any other key as it is."""
    return key.public_key() if hasattr(key, "public_key") else key


def _bytes(key: Key) -> bytes:
    plain = key.get_secret_value() if isinstance(key, SecretStr | SecretBytes) else key
    return plain if isinstance(plain, bytes) else plain.encode()
