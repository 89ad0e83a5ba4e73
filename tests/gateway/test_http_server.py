"""The HTTP server with requests that are not HTTP: what it answers, and what it logs."""

import asyncio
import io
import json
import logging
import socket
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
import structlog
from aiohttp import web

from gateway.http import server as http_server
from gateway.http.server import Server, UnreadableRequests, name_server
from gateway.observability.logs import configure

LONG = "CANARY" + "x" * 9000
HOST = "Host: a\r\n"


@dataclass
class Running:
    port: int
    out: io.StringIO

    async def answer(self, request: str | bytes, *, then_close: bool = False) -> str:
        """Send raw bytes and return what comes back until the connection ends."""
        content = request.encode("latin-1") if isinstance(request, str) else request
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(content)
        if then_close:
            writer.write_eof()
        async with asyncio.timeout(10):
            answered = await reader.read()
        writer.close()
        return answered.decode("latin-1")

    @property
    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.getvalue().splitlines()]


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    out = io.StringIO()
    configure(stream=out)
    yield out
    structlog.reset_defaults()
    logging.captureWarnings(capture=False)
    root.handlers[:], root.level = handlers, level
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks


@pytest_asyncio.fixture
async def running(logged: io.StringIO) -> AsyncIterator[Running]:
    async def echo(request: web.Request) -> web.Response:
        return web.Response(body=await request.read())

    async def fail(request: web.Request) -> web.Response:
        raise ValueError(f"cannot use {await request.text()}")

    app = web.Application()
    app.on_response_prepare.append(name_server)
    app.add_routes([web.post("/echo", echo), web.post("/fail", fail)])
    sock = socket.create_server(("127.0.0.1", 0))
    server = await Server.start(app, [sock], grace=1.0)
    yield Running(sock.getsockname()[1], logged)
    await server.close()
    sock.close()


BROKEN: dict[str, str | bytes] = {
    "long header": f"GET / HTTP/1.1\r\n{HOST}Cookie: session={LONG}\r\n\r\n",
    "long query": f"GET /?token={LONG} HTTP/1.1\r\n{HOST}\r\n",
    "long header name": f"GET / HTTP/1.1\r\n{HOST}{LONG}: 1\r\n\r\n",
    "header name": f"GET / HTTP/1.1\r\n{HOST}CAN\x00ARY: CANARY\r\n\r\n",
    "header value": f"GET / HTTP/1.1\r\n{HOST}Authorization: Bearer CANARY\x00\r\n\r\n",
    "header without colon": f"GET / HTTP/1.1\r\n{HOST}Cookie CANARY\r\n\r\n",
    "method": f"CANARY{{}} / HTTP/1.1\r\n{HOST}\r\n",
    "version": f"GET /?CANARY HTTP/CANARY\r\n{HOST}\r\n",
    "target": f"GET http://[CANARY/?CANARY HTTP/1.1\r\n{HOST}\r\n",
    "two lengths": f"POST /echo HTTP/1.1\r\n{HOST}Content-Length: 1\r\nContent-Length: CANARY\r\n\r\n",
    "length": f"POST /echo HTTP/1.1\r\n{HOST}Content-Length: CANARY\r\n\r\n",
    "transfer coding": f"POST /echo HTTP/1.1\r\n{HOST}Transfer-Encoding: CANARY\r\n\r\n",
    "chunk": f"POST /echo HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\nCANARY\r\n\r\n",
    "later chunk": f"POST /echo HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n1\r\na\r\nCANARY\r\n",
    "tls": b"\x16\x03\x01\x02\x00\x01\x00CANARY" + bytes(200),
    "upgrade": f"GET / HTTP/1.1\r\n{HOST}Upgrade: h2c\r\nConnection: Upgrade\r\n\r\nCANARY\r\n\r\n",
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_broken_request_is_neither_logged_nor_echoed(running: Running, name: str) -> None:
    answered = await running.answer(BROKEN[name], then_close=True)

    assert "CANARY" not in running.out.getvalue()
    assert "CANARY" not in answered
    assert "aiohttp" not in answered
    assert "Python" not in answered


@pytest.mark.parametrize("name", ["long header", "long query"])
async def test_too_long_headers_are_answered_with_431(running: Running, name: str) -> None:
    answered = await running.answer(BROKEN[name])

    head, _, body = answered.partition("\r\n\r\n")
    assert " 431 " in head.splitlines()[0]
    assert json.loads(body)["detail"] == "a header has at most 8,190 bytes"


@pytest.mark.parametrize("name", ["header value", "length", "version", "target"])
async def test_what_is_not_http_is_answered_with_400(running: Running, name: str) -> None:
    answered = await running.answer(BROKEN[name])

    head, _, body = answered.partition("\r\n\r\n")
    assert " 400 " in head.splitlines()[0]
    assert "Server: Airlock" in head
    assert json.loads(body)["title"] == "Bad request"


async def test_many_broken_requests_are_logged_once(running: Running) -> None:
    for _ in range(50):
        await running.answer(BROKEN["long header"])

    (line,) = running.log
    assert (line["event"], line["error"], line["requests"]) == (
        "request_unreadable",
        "LineTooLong",
        1,
    )


def test_broken_requests_are_counted_until_the_next_line(
    logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr(http_server, "_QUIET_SECONDS", 60.0)
    unreadable = UnreadableRequests(lambda: now)

    for now in (0.0, 1.0, 59.0, 60.0, 61.0):  # noqa: B007 - the clock reads it
        unreadable.add(ValueError("CANARY"))

    lines = [json.loads(line) for line in logged.getvalue().splitlines()]
    assert [line["requests"] for line in lines] == [1, 3]


async def test_a_client_that_leaves_early_is_not_an_error(running: Running) -> None:
    for _ in range(3):
        half = f"POST /echo HTTP/1.1\r\n{HOST}Content-Length: 100\r\n\r\nCANARY"
        await running.answer(half, then_close=True)

    assert all(line["event"] == "request_unreadable" for line in running.log)
    assert len(running.log) <= 1


async def test_a_failed_handler_is_logged_without_query_and_body(running: Running) -> None:
    answered = await running.answer(
        f"POST /fail?token=CANARY HTTP/1.1\r\n{HOST}Cookie: s=CANARY\r\n"
        "Connection: close\r\nContent-Length: 6\r\n\r\nCANARY"
    )

    (line,) = running.log
    assert answered.startswith("HTTP/1.1 500 ")
    assert (line["event"], line["method"], line["path"]) == ("request_failed", "POST", "/fail")
    assert line["exception"].endswith("ValueError")
    assert "CANARY" not in answered + running.out.getvalue()


@pytest.mark.parametrize(
    "request_line", ["POST /echo", "GET /echo", "GET /nowhere", "POST /fail", "BREW /echo"]
)
async def test_no_response_shows_versions(running: Running, request_line: str) -> None:
    answered = await running.answer(
        f"{request_line} HTTP/1.1\r\n{HOST}Connection: close\r\nContent-Length: 0\r\n\r\n"
    )

    servers = [line for line in answered.split("\r\n") if line.lower().startswith("server:")]
    assert [line.partition(":")[2].strip() for line in servers] == ["Airlock"]


async def test_bodies_are_not_decompressed(running: Running) -> None:
    answered = await running.answer(
        f"POST /echo HTTP/1.1\r\n{HOST}Content-Encoding: gzip\r\nConnection: close\r\n"
        "Content-Length: 5\r\n\r\nplain"
    )

    assert answered.endswith("plain")
