"""Files that an emulated platform serves, and their faults."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web

from .samples import Sample

_CHUNK = 64 * 1024

Step = Literal["bytes", "lookup"]


@dataclass(slots=True)
class Fault:
    """A fault of a file, for the next `times` requests. Set one of the fields from `status` to `media_type`.

    `status` answers with that status, `hang` never answers, `drip` sends a few bytes at a time, `truncate`
    stops half-way, `redirect` sends the client to another URL, `replace` serves other bytes, `flip` changes one
    byte, `endless` streams that many bytes without announcing a length, `media_type` announces another type.
    `at` selects the faulty request: the one for the bytes, or the look-up that leads to them.
    """

    status: int | None = None
    hang: bool = False
    drip: bool = False
    truncate: bool = False
    redirect: str | None = None
    replace: bytes | None = None
    flip: bool = False
    endless: int | None = None
    media_type: str | None = None
    times: int = 1_000_000
    at: Step = "bytes"


@dataclass(slots=True)
class Hosted:
    """A file that the platform serves. `asked` counts the requests for its bytes, `looked_up` the look-ups."""

    sample: Sample
    content: bytes
    fault: Fault | None = None
    asked: int = 0
    looked_up: int = 0
    #: True if a gateway may leave the file where it is, because no consumer would miss it.
    is_optional: bool = False
    #: When each URL that was given out expires, by the token in the URL.
    addresses: dict[str, float] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)


def file_response(
    hosted: Hosted, *, content: bytes | None = None, media_type: str = ""
) -> web.Response:
    body = hosted.content if content is None else content
    headers = {"content-type": media_type or hosted.sample.media_type}
    return web.Response(body=body, headers=headers)


async def faulty_response(request: web.Request, hosted: Hosted, fault: Fault) -> web.StreamResponse:
    """Return the faulty answer to a request, and count it against the fault's `times`."""
    fault.times -= 1
    content = hosted.content
    if fault.hang:
        await asyncio.Event().wait()
    if fault.status is not None:
        return web.Response(status=fault.status, text="the platform says no")
    if fault.redirect is not None:
        return web.Response(status=302, headers={"location": fault.redirect})
    if fault.replace is not None:
        return file_response(hosted, content=fault.replace)
    if fault.flip:
        return file_response(hosted, content=_flipped(content))
    if fault.media_type is not None:
        return file_response(hosted, media_type=fault.media_type)
    if fault.endless is not None:
        return await _stream(request, _zeros(fault.endless), None)
    if fault.truncate:
        return await _send_half(request, content)
    return await _stream(request, _slow_chunks(content), len(content))


def _flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :]


async def _zeros(size: int) -> AsyncIterator[bytes]:
    for start in range(0, size, _CHUNK):
        yield bytes(min(_CHUNK, size - start))


async def _slow_chunks(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 500):
        yield content[start : start + 500]
        await asyncio.sleep(0.5)


async def _stream(
    request: web.Request, chunks: AsyncIterator[bytes], length: int | None
) -> web.StreamResponse:
    response = web.StreamResponse()
    if length is None:
        response.enable_chunked_encoding()
    else:
        response.content_length = length
    await response.prepare(request)
    async for chunk in chunks:
        await response.write(chunk)
    await response.write_eof()
    return response


async def _send_half(request: web.Request, content: bytes) -> web.StreamResponse:
    response = web.StreamResponse()
    response.content_length = len(content)
    await response.prepare(request)
    await response.write(content[: len(content) // 2])
    hang_up(request)
    return response


def hang_up(request: web.Request) -> None:
    """Close the connection without an answer, or in the middle of one."""
    if request.transport is not None:
        request.transport.close()


#: Older names.
whole, misbehaving = file_response, faulty_response
