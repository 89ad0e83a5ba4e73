"""Tokens (JWT, HS256) with which Apple and a provider authenticate to each other."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any, Literal

TokenKind = Literal[
    "valid",
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


def mint_token(secret: bytes, claims: Mapping[str, Any], algorithm: str = "HS256") -> str:
    """Return a signed token; `secret` is the decoded key."""
    signed = f"{_encode_json({'alg': algorithm, 'typ': 'JWT'})}.{_encode_json(claims)}"
    if algorithm == "none":
        return f"{signed}."
    digest = {"HS256": hashlib.sha256, "HS512": hashlib.sha512}[algorithm]
    return f"{signed}.{_encode(hmac.new(secret, signed.encode(), digest).digest())}"


def verified_claims(secret: bytes, token: str) -> dict[str, Any] | None:
    """Return the claims of a token, or None if it is not signed with the secret by HS256."""
    try:
        header, body, signature = (_decode(part) for part in token.split("."))
        algorithm, claims = json.loads(header)["alg"], json.loads(body)
    except (ValueError, KeyError, TypeError, binascii.Error):
        return None
    signed = token.rpartition(".")[0].encode()
    expected = hmac.new(secret, signed, hashlib.sha256).digest()
    valid = algorithm == "HS256" and hmac.compare_digest(expected, signature)
    return claims if valid and isinstance(claims, dict) else None


def _encode_json(content: Mapping[str, Any]) -> str:
    return _encode(json.dumps(content, separators=(",", ":")).encode())


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _forged(secret: bytes, claims: Mapping[str, Any]) -> str:
    return "Bearer " + mint_token(bytes(byte ^ 1 for byte in secret), claims)


def _signed_with_undecoded_key(secret: bytes, claims: Mapping[str, Any]) -> str:
    return "Bearer " + mint_token(base64.b64encode(secret), claims)


def _signed(
    **replacements: Callable[[Mapping[str, Any]], Any],
) -> Callable[[bytes, Mapping[str, Any]], str]:
    """Return a function that makes a token with other claims and a valid signature."""

    def token(secret: bytes, claims: Mapping[str, Any]) -> str:
        changed = {name: replace(claims) for name, replace in replacements.items()}
        return "Bearer " + mint_token(secret, {**claims, **changed})

    return token


#: Functions that make the value of Authorization, by its defect; None leaves the header out.
TOKENS: dict[TokenKind, Callable[[bytes, Mapping[str, Any]], str | None]] = {
    "valid": _signed(),
    "forged": _forged,
    "missing": lambda _secret, _claims: None,
    "undecoded key": _signed_with_undecoded_key,
    "no algorithm": lambda secret, claims: "Bearer " + mint_token(secret, claims, "none"),
    "other algorithm": lambda secret, claims: "Bearer " + mint_token(secret, claims, "HS512"),
    "other audience": _signed(aud=lambda _claims: "somebody-else"),
    "from the future": _signed(iat=lambda claims: claims["iat"] + _HOUR),
    "expired": _signed(
        iat=lambda claims: claims["iat"] - 2 * _HOUR, exp=lambda claims: claims["iat"] - _HOUR
    ),
    "basic": lambda secret, _claims: "Basic " + base64.b64encode(b"apple:" + secret).decode(),
    "garbage": lambda _secret, _claims: "Bearer é.é.é",
}
