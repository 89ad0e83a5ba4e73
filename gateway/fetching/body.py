"""Reading response bodies: with backpressure, time limits, and bounded decompression."""

import asyncio
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson

from connectors import Purpose, Reply

from .deadlines import Deadlines, ThroughputGuard
from .errors import Unreachable
from .exchange import CONNECTION_ERRORS

#: Bytes that one step of decompression may yield, so that a decompression bomb is noticed early.
_MAX_PIECE = 64 * 1024

#: The limit that the contract states (`connectors.Reply`).
_MAX_REPLY_BYTES = 1024 * 1024

#: Lets zlib detect gzip or zlib by the first bytes.
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32


async def plain_chunks(
    response: httpx.Response, deadlines: Deadlines
) -> AsyncGenerator[bytes, None]:
    """Yield the decompressed body; raise `Unreachable` if it stalls, is too slow, or ends early."""
    inflater = _inflater(response)
    async with aclosing(_chunks(response, deadlines)) as chunks:
        async for chunk in chunks:
            if inflater is None:
                yield chunk
            else:
                for piece in inflater.inflate(chunk):
                    yield piece
    if inflater is not None:
        inflater.finish()


async def read_start(
    response: httpx.Response, deadlines: Deadlines, limit: int
) -> tuple[bytes, bool]:
    """Return at most `limit` bytes of a body, and whether that is all of it."""
    start = bytearray()
    try:
        async with (
            asyncio.timeout(deadlines.reply),
            aclosing(plain_chunks(response, deadlines)) as chunks,
        ):
            async for chunk in chunks:
                start += chunk
                if len(start) > limit:
                    return bytes(start[:limit]), False
    except TimeoutError as exc:
        raise Unreachable("the response did not end in time", sent=True) from exc
    return bytes(start), True


async def _chunks(response: httpx.Response, deadlines: Deadlines) -> AsyncGenerator[bytes, None]:
    clock = asyncio.get_running_loop().time
    guard = ThroughputGuard(deadlines, clock())
    body = _stream(response)
    while (chunk := await _next(body, deadlines)) is not None:
        guard.take(len(chunk), clock())
        yield chunk


async def _next(body: AsyncIterator[bytes], deadlines: Deadlines) -> bytes | None:
    try:
        async with asyncio.timeout(deadlines.idle):
            return await anext(body, None)
    except TimeoutError as exc:
        raise Unreachable(f"no data for {deadlines.idle:g} s", sent=True) from exc
    except CONNECTION_ERRORS:
        raise Unreachable("short body", sent=True) from None  # its text quotes the response


def _stream(response: httpx.Response) -> AsyncIterator[bytes]:
    """Return the raw body. httpx would decompress it without limits, in every encoding that it knows."""
    if not isinstance(response.stream, httpx.AsyncByteStream):
        raise TypeError("the response must come from an asynchronous transport")
    return aiter(response.stream)


def _inflater(response: httpx.Response) -> "_Inflater | None":
    encoding = response.headers.get("content-encoding", "").strip().lower()
    match encoding:
        case "" | "identity":
            return None
        case "gzip" | "x-gzip" | "deflate":
            return _Inflater()
        case _:
            raise Unreachable("the response has an encoding that was not asked for", sent=True)


class _Inflater:
    """Decompresses bodies of servers that compress without being asked, a limited number of bytes at a time."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(_GZIP_OR_ZLIB)

    def inflate(self, chunk: bytes) -> Iterator[bytes]:
        more = True
        while more:
            piece = self._piece(chunk)
            if piece:
                yield piece
            chunk = self._zlib.unconsumed_tail
            more = bool(chunk) and not self._zlib.eof

    def _piece(self, chunk: bytes) -> bytes:
        try:
            piece = self._zlib.decompress(chunk, _MAX_PIECE)
        except zlib.error as exc:
            raise Unreachable("damaged compression", sent=True) from exc
        if self._zlib.unused_data:
            raise Unreachable("damaged compression", sent=True)
        return piece

    def finish(self) -> None:
        if not self._zlib.eof:
            raise Unreachable("short body", sent=True)


async def read_reply(response: httpx.Response, purpose: Purpose, deadlines: Deadlines) -> Reply:
    """Read the body of a response. A refusal counts as a refusal even if its body is cut off."""
    try:
        body, complete = await read_start(response, deadlines, _MAX_REPLY_BYTES)
    except Unreachable:
        if response.status_code < 300:
            raise
        body, complete = b"", False
    return Reply(
        status=response.status_code,
        headers=dict(response.headers),
        content=_parse_json(body) if complete else None,
        body=body,
        purpose=purpose,
        received_at=datetime.now(UTC),
    )


def _parse_json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
