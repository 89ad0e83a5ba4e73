"""Request bodies, read up to a limit."""

from aiohttp import web


class BodyTooLarge(Exception):
    """A request body has more bytes than its limit."""


async def read_body(request: web.Request, limit: int) -> bytes:
    """Return the whole body; raise BodyTooLarge as soon as it is known to exceed `limit` bytes."""
    if (request.content_length or 0) > limit:
        raise BodyTooLarge
    body = bytearray()
    while chunk := await request.content.readany():
        body += chunk
        if len(body) > limit:
            raise BodyTooLarge
    return bytes(body)
