"""Request bodies, read up to a limit."""

from collections.abc import Callable

from aiohttp import web


class BodyTooLarge(Exception):
    """A request body has more bytes than its limit."""


class BodyIncomplete(Exception):
    """A request body broke off, or is not encoded as its headers say."""


async def read_body(request: web.Request, limit: int) -> bytes:
    """Return the whole body; raise BodyTooLarge as soon as it is known to exceed `limit` bytes.

    Raises BodyIncomplete if the body breaks off.
    """
    pieces: list[bytes] = []
    await read_pieces(request, limit, pieces.append)
    return b"".join(pieces)


async def read_pieces(request: web.Request, limit: int, take: Callable[[bytes], None]) -> None:
    """As `read_body`, but `take` gets each piece as it arrives."""
    if (request.content_length or 0) > limit:
        raise BodyTooLarge
    size = 0
    try:
        while piece := await request.content.readany():
            size += len(piece)
            if size > limit:
                raise BodyTooLarge
            take(piece)
    except (web.RequestPayloadError, ConnectionError):
        raise BodyIncomplete from None
