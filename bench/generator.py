"""Load generator: prepared requests over persistent connections, closed loop or open loop, each answer timed.

It uses bare asyncio protocols, because a full HTTP client is slower than the server that it would measure.
"""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

#: Seconds of steady load until connections and caches are warm.
WARM_UP = 1.0


@dataclass
class Load:
    """The result of a run. Latencies are in seconds; in an open loop they count from when a request was due.

    Requests that were due before `counted_from` have no latency here.
    """

    begin: float = 0.0
    counted_from: float = 0.0
    seconds: float = 0.0
    statuses: dict[int, int] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)

    @property
    def accepted(self) -> int:
        return self.statuses.get(200, 0)

    @property
    def rate(self) -> float:
        return self.accepted / self.seconds

    def percentile(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class _Connection(asyncio.Protocol):
    """A persistent connection with one request in flight."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._buffer = b""
        self._due = 0.0
        self._done: asyncio.Future[None] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def send(self, request: bytes, due: float) -> "asyncio.Future[None]":
        assert self._transport is not None
        self._due = due
        self._done = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._done

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found or len(rest) < _content_length(head):
            return
        self._buffer = b""
        status = int(head[9:12])
        self._load.statuses[status] = self._load.statuses.get(status, 0) + 1
        if self._due >= self._load.counted_from:
            self._load.latencies.append(time.perf_counter() - self._due)
        if self._done is not None and not self._done.done():
            self._done.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_exception(ConnectionError(f"the server hung up: {error}"))


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


async def closed_loop(port: int, requests: list[bytes], connections: int) -> Load:
    """Send requests on each connection as soon as the previous one is answered."""
    load = Load()
    opened = await _connect(port, connections, load)
    waiting = iter(requests)
    begin = time.perf_counter()
    await asyncio.gather(*(_send_all(connection, waiting) for connection in opened))
    load.seconds = time.perf_counter() - begin
    return load


async def _send_all(connection: _Connection, waiting: Iterator[bytes]) -> None:
    for request in waiting:
        await connection.send(request, time.perf_counter())


async def open_loop(
    port: int, requests: list[bytes], connections: int, rate: float, warm_up: float = 0.0
) -> Load:
    """Send requests at a steady `rate` per second, whether or not the server keeps up.

    The latencies of the first `warm_up` seconds are not counted.
    """
    load = Load()
    idle: asyncio.Queue[_Connection] = asyncio.Queue()
    for connection in await _connect(port, connections, load):
        idle.put_nowait(connection)
    load.begin = begin = time.perf_counter()
    load.counted_from = begin + warm_up
    async with asyncio.TaskGroup() as group:
        for number, request in enumerate(requests):
            due = begin + number / rate
            wait = due - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            group.create_task(_send_one(await idle.get(), request, due, idle))
    load.seconds = time.perf_counter() - begin
    return load


async def _send_one(
    connection: _Connection, request: bytes, due: float, idle: "asyncio.Queue[_Connection]"
) -> None:
    await connection.send(request, due)
    idle.put_nowait(connection)


async def _connect(port: int, count: int, load: Load) -> list[_Connection]:
    loop = asyncio.get_running_loop()
    opened = [
        await loop.create_connection(lambda: _Connection(load), "127.0.0.1", port)
        for _ in range(count)
    ]
    return [protocol for _, protocol in opened]
