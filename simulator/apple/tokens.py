"""The tokens (JWT, HS256) with which Apple and a provider prove themselves to each other."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any, Literal

Proof = Literal[
    "genuine",
    "forged",
    "missing",
    "undecoded key",
    "no algorithm",
    "other algorithm",
    "other audience",
    "from the future",
    "expired",
    "basic",
    "garbage",
]

_HOUR = 3600


def minted(secret: bytes, claims: Mapping[str, Any], algorithm: str = "HS256") -> str:
    """A token. `secret` is the decoded key."""
    signed = f"{_part({'alg': algorithm, 'typ': 'JWT'})}.{_part(claims)}"
    if algorithm == "none":
        return f"{signed}."
    digest = {"HS256": hashlib.sha256, "HS512": hashlib.sha512}[algorithm]
    return f"{signed}.{_encoded(hmac.new(secret, signed.encode(), digest).digest())}"


def claims_of(secret: bytes, token: str) -> dict[str, Any] | None:
    """What a token says; None unless it is signed with the secret by HS256."""
    try:
        head, body, proof = (_decoded(part) for part in token.split("."))
        algorithm, claims = json.loads(head)["alg"], json.loads(body)
    except (ValueError, KeyError, TypeError, binascii.Error):
        return None
    signed = token.rpartition(".")[0].encode()
    right = hmac.new(secret, signed, hashlib.sha256).digest()
    genuine = algorithm == "HS256" and hmac.compare_digest(right, proof)
    return claims if genuine and isinstance(claims, dict) else None


def _part(content: Mapping[str, Any]) -> str:
    return _encoded(json.dumps(content, separators=(",", ":")).encode())


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _forged(secret: bytes, claims: Mapping[str, Any]) -> str:
    return "Bearer " + minted(bytes(byte ^ 1 for byte in secret), claims)


def _undecoded(secret: bytes, claims: Mapping[str, Any]) -> str:
    return "Bearer " + minted(base64.b64encode(secret), claims)


def _said(
    **instead: Callable[[Mapping[str, Any]], Any],
) -> Callable[[bytes, Mapping[str, Any]], str]:
    """A genuine signature over other claims."""

    def token(secret: bytes, claims: Mapping[str, Any]) -> str:
        changed = {name: say(claims) for name, say in instead.items()}
        return "Bearer " + minted(secret, {**claims, **changed})

    return token


#: The value of Authorization by what is wrong with it; None leaves the header out.
PROOFS: dict[Proof, Callable[[bytes, Mapping[str, Any]], str | None]] = {
    "genuine": _said(),
    "forged": _forged,
    "missing": lambda _secret, _claims: None,
    "undecoded key": _undecoded,
    "no algorithm": lambda secret, claims: "Bearer " + minted(secret, claims, "none"),
    "other algorithm": lambda secret, claims: "Bearer " + minted(secret, claims, "HS512"),
    "other audience": _said(aud=lambda _claims: "somebody-else"),
    "from the future": _said(iat=lambda claims: claims["iat"] + _HOUR),
    "expired": _said(
        iat=lambda claims: claims["iat"] - 2 * _HOUR, exp=lambda claims: claims["iat"] - _HOUR
    ),
    "basic": lambda secret, _claims: "Basic " + base64.b64encode(b"apple:" + secret).decode(),
    "garbage": lambda _secret, _claims: "Bearer é.é.é",
}
