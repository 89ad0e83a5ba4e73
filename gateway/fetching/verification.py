"""Verification: compares a platform's claims about a file with the file."""

import base64
import binascii
import hmac
import re
from dataclasses import dataclass

import httpx

from connectors import Download
from connectors.tools.attachment_kind import UNINFORMATIVE_TYPES
from normalizer.media import MediaFailed, MediaRejected

from .errors import Unreachable

_SHA256_BYTES = 32
_URL_SAFE = str.maketrans("-_", "+/")


@dataclass(frozen=True, slots=True)
class Fetched:
    """A complete file. `size` and `sha256` (hex) are of the plaintext; `media_type` is only a claim."""

    size: int
    sha256: str
    media_type: str | None


def refuse_above(limit: int, size: int | None) -> None:
    """Raise MediaRejected if the claimed size exceeds the limit. A claim alone is never a reason to accept a file."""
    if size is not None and size > limit:
        # The workspace reads the numbers of this text (`workspace/text/wording.py`).
        raise MediaRejected("too_large", f"{size} bytes are announced, the limit is {limit}")


def announced_size(response: httpx.Response) -> int | None:
    """Return Content-Length; None if it is absent or not a number."""
    length = response.headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() else None


def verify_claims(download: Download, size: int, digest: bytes) -> None:
    """Raise unless size and hash match the claims. If the hash matches, the file may be longer than claimed."""
    # An empty file without any claim is a failed response.
    if size < (1 if download.size is None else download.size):
        raise Unreachable("short body", sent=True)
    if download.sha256 is not None:
        if not hmac.compare_digest(_claimed_digest(download.sha256), digest):
            raise MediaFailed("checksum_mismatch", "the file does not match the announced hash")
    elif download.size is not None and size != download.size:
        raise Unreachable("longer than announced", sent=True)


def declared_type(response: httpx.Response, download: Download) -> str | None:
    """Return the server's content type without parameters, or that of the look-up if the server's is uninformative."""
    served = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return download.media_type if served in UNINFORMATIVE_TYPES else served


def _claimed_digest(sha256: str) -> bytes:
    """Return the digest, given in hex or either base64; b"", which no file matches, for anything else."""
    text = sha256.strip()
    if re.fullmatch(r"[0-9A-Fa-f]{64}", text):
        return bytes.fromhex(text)
    standard = text.rstrip("=").translate(_URL_SAFE)
    try:
        digest = base64.b64decode(standard + "=", validate=True)
    except (binascii.Error, ValueError):
        return b""
    return digest if len(digest) == _SHA256_BYTES else b""
