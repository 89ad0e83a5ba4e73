"""Inflating a gzip body, told by its magic bytes: a proxy may have inflated it already."""

import zlib

_GZIP = b"\x1f\x8b"


class TooLarge(ValueError):
    """A body that inflates beyond the limit."""


def inflate(body: bytes, limit: int) -> bytes:
    """The content of a body; raises TooLarge beyond `limit`, ValueError where it is damaged or cut."""
    if not body.startswith(_GZIP):
        return body
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        content = inflater.decompress(body, limit + 1)
    except zlib.error:
        raise ValueError("the body is no gzip") from None
    if len(content) > limit:
        raise TooLarge(f"the body inflates to more than {limit} bytes")
    if not inflater.eof:
        raise ValueError("the body ends before its gzip stream")
    return content
