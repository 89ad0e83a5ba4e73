"""Parts of uploads may come as slowly as a phone sends them, if they move; other bodies have a time in which to come."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable
from typing import Protocol

import pytest
from aiohttp import web

from gateway.http import connections
from gateway.http.server import Server


class Send(Protocol):
    def __call__(self, method: str, pieces: int, size: int = 1) -> Awaitable[bytes]: ...


@pytest.fixture
async def send(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Send]:
    """Serve with short times; send a body in so many pieces of a byte, and return what was answered."""
    monkeypatch.setattr(connections, "BODY_SECONDS", 0.8)
    monkeypatch.setattr(connections, "_CHECK_SECONDS", 0.01)
    monkeypatch.setattr(connections, "_UNANSWERED_BYTES", 100)

    async def take(request: web.Request) -> web.Response:
        return web.Response(text=str(len(await request.read())))

    app = web.Application()
    app.router.add_route("*", "/", take)
    sock = socket.create_server(("127.0.0.1", 0))
    server = await Server.start(app, [sock], grace=0.1)
    watching = asyncio.create_task(server.watch())

    async def send(method: str, pieces: int, size: int = 1) -> bytes:
        reader, writer = await asyncio.open_connection(*sock.getsockname())
        head = f"{method} / HTTP/1.1\r\nHost: a\r\nContent-Length: {pieces * size}\r\n\r\n"
        writer.write(head.encode())
        try:
            for _ in range(pieces):
                writer.write(b"x" * size)
                await writer.drain()
                await asyncio.sleep(0.08)
            return await reader.read(4096)
        except ConnectionError:
            return b""
        finally:
            writer.close()

    yield send
    watching.cancel()
    await server.close()


async def test_a_part_that_moves_may_take_long(send: Send) -> None:
    assert (await send("PATCH", 12)).endswith(b"12")


async def test_another_body_that_takes_long_is_given_up(send: Send) -> None:
    assert await send("PUT", 12) == b""


async def test_parts_on_their_way_to_the_disk_do_not_count(send: Send) -> None:
    assert (await send("PATCH", 2, 400)).endswith(b"800")
