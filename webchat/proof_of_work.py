"""Proof of work: puzzles that cost a phone about 0.3 s, asked for while a network begins many sessions."""

import base64
import hashlib
import hmac
import secrets

#: Leading zero bits: 2^15 hashes on average.
BITS = 15
#: Seconds for which a puzzle can be solved.
_LIFETIME = 600


def puzzle(key: bytes, network: str, now: int) -> str:
    """Return a challenge for a network, at a time in seconds."""
    text = f"{now + _LIFETIME}.{secrets.token_urlsafe(12)}"
    return f"{text}.{_seal(key, text, network)}"


def expiry(key: bytes, challenge: str, network: str, now: int) -> int | None:
    """Return when a genuine challenge expires; None if it is forged, of another network, or has expired."""
    text, _, seal = challenge.rpartition(".")
    expires = text.partition(".")[0]
    genuine = hmac.compare_digest(_seal(key, text, network).encode(), seal.encode())
    if not genuine or not expires.isdigit() or now > int(expires):
        return None
    return int(expires)


def is_solved(challenge: str, nonce: str) -> bool:
    digest = hashlib.sha256(f"{challenge}{nonce}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest, "big") >> (256 - BITS) == 0


def _seal(key: bytes, text: str, network: str) -> str:
    digest = hmac.digest(key, f"puzzle {network} {text}".encode("utf-8", "surrogatepass"), "sha256")
    return base64.urlsafe_b64encode(digest[:18]).decode()
