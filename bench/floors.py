"""Baselines for the gateway's intake: the same web server and signature check, with less work behind them.

floor    verify and answer, no journal
log      verify, append to a file, one fdatasync per group of requests, answer
single   verify, insert into SQLite, one commit for each request, answer
"""

import asyncio
import hashlib
import hmac
import os
import queue
import sqlite3
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import orjson
import uvloop
from aiohttp import web

from bench.deliveries import APP_SECRET, PATH

_KEY = APP_SECRET.encode()

Keep = Callable[[bytes], Awaitable[None]]


def is_signed(request: web.Request, body: bytes) -> bool:
    given = request.headers.get("x-hub-signature-256", "")
    expected = "sha256=" + hmac.new(_KEY, body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(given.encode(), expected.encode())


def no_journal(directory: Path) -> Keep:
    del directory

    async def keep(body: bytes) -> None:
        orjson.loads(body)

    return keep


def log(directory: Path) -> Keep:
    """Append to a file. A thread writes and syncs all that wait as one group, then notifies the loop once."""
    file = os.open(directory / "log", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    waiting: queue.SimpleQueue[tuple[bytes, asyncio.Future[None]]] = queue.SimpleQueue()
    loop = asyncio.get_running_loop()

    def resolve(futures: list["asyncio.Future[None]"]) -> None:
        for future in futures:
            future.set_result(None)

    def write() -> None:
        while True:
            group = [waiting.get()]
            while not waiting.empty():
                group.append(waiting.get_nowait())
            os.write(file, b"".join(body for body, _ in group))
            os.fdatasync(file)
            loop.call_soon_threadsafe(resolve, [future for _, future in group])

    threading.Thread(target=write, daemon=True).start()

    async def keep(body: bytes) -> None:
        future: asyncio.Future[None] = loop.create_future()
        waiting.put((body, future))
        await future

    return keep


def single(directory: Path) -> Keep:
    database = sqlite3.connect(directory / "single.db", isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("CREATE TABLE delivery (id INTEGER PRIMARY KEY, body BLOB)")

    async def keep(body: bytes) -> None:
        database.execute("INSERT INTO delivery (body) VALUES (?)", (body,))

    return keep


FLOORS: dict[str, Callable[[Path], Keep]] = {"floor": no_journal, "log": log, "single": single}


async def serve(name: str, directory: Path, port: int) -> None:
    keep = FLOORS[name](directory)

    async def post(request: web.Request) -> web.Response:
        body = await request.read()
        if not is_signed(request, body):
            return web.Response(status=401)
        await keep(body)
        return web.Response()

    app = web.Application(client_max_size=4 * 1024 * 1024)
    app.router.add_post(PATH, post)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
