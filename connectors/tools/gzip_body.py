"""Decompression of gzip bodies, which are detected by their magic bytes: a proxy may have decompressed the body."""

import zlib

_GZIP = b"\x1f\x8b"


class TooLarge(ValueError):
    """A body that is larger than the limit when decompressed."""


def inflate(body: bytes, limit: int) -> bytes:
    """Decompress a body. Raises TooLarge beyond `limit`, and ValueError if the body is damaged or truncated."""
    if not body.startswith(_GZIP):
        return body
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        content = inflater.decompress(body, limit + 1)
    except zlib.error:
        raise ValueError("the body is not valid gzip") from None
    if len(content) > limit:
        raise TooLarge(f"the body decompresses to more than {limit} bytes")
    if not inflater.eof:
        raise ValueError("the body ends before the end of its gzip stream")
    return content
