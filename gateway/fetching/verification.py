"""What a platform claims about a file, held against what came."""

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
    """A file that came whole. `size` and `sha256` (hex) are of the plaintext; `media_type` is only a claim."""

    size: int
    sha256: str
    media_type: str | None


def refuse_above(limit: int, size: int | None) -> None:
    """A claim alone is enough to refuse a file; it is never enough to take one."""
    if size is not None and size > limit:
        raise MediaRejected("too_large", f"{size} bytes are announced, the limit is {limit}")


def announced_size(response: httpx.Response) -> int | None:
    """Content-Length, where there is one that is a number."""
    length = response.headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() else None


def verify_claims(download: Download, size: int, digest: bytes) -> None:
    """Raise unless the claims hold. A hash that matches makes up for a size that does not."""
    # An empty answer without any claim is a hiccup, not a picture.
    if size < (1 if download.size is None else download.size):
        raise Unreachable("short body", sent=True)
    if download.sha256 is not None:
        if not hmac.compare_digest(_claimed_digest(download.sha256), digest):
            raise MediaFailed("checksum_mismatch", "the file is not the one that was announced")
    elif download.size is not None and size != download.size:
        raise Unreachable("longer than announced", sent=True)


def declared_type(response: httpx.Response, download: Download) -> str | None:
    """The server's content type without parameters, the look-up's where the server's says nothing."""
    served = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return download.media_type if served in UNINFORMATIVE_TYPES else served


def _claimed_digest(sha256: str) -> bytes:
    """The digest in hex or in either base64; b"" for anything else, which no file matches."""
    text = sha256.strip()
    if re.fullmatch(r"[0-9A-Fa-f]{64}", text):
        return bytes.fromhex(text)
    standard = text.rstrip("=").translate(_URL_SAFE)
    try:
        digest = base64.b64decode(standard + "=", validate=True)
    except (binascii.Error, ValueError):
        return b""
    return digest if len(digest) == _SHA256_BYTES else b""
