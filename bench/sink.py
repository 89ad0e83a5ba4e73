"""A conversation core that only counts: it accepts every event and batch, and records when each message arrived."""

import asyncio
import re
import time
from dataclasses import dataclass, field
from typing import cast

_NUMBER = re.compile(rb'"text":"Message (\d+)\.')
_READY = re.compile(rb'"id":"(att_[^"]+)","kind":"[a-z]+","state":"ready"')
_NO_CONTENT = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"


@dataclass
class Sink:
    """A core whose `taken` maps each message's number to the time of its event (perf_counter)."""

    port: int = 0
    taken: dict[int, float] = field(default_factory=dict)
    posts: int = 0
    #: Ids of the attachments that became ready.
    ready: set[bytes] = field(default_factory=set)
    _server: "asyncio.Server | None" = None

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Receiver(self), "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()

    async def until(self, count: int, seconds: float) -> None:
        """Wait until `count` different messages have arrived; raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while len(self.taken) < count:
                await asyncio.sleep(0.02)


class _Receiver(asyncio.Protocol):
    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])  # type: ignore[index]
        if len(rest) < length:
            return
        self._buffer = rest[length:]
        now = time.perf_counter()
        for number in _NUMBER.findall(rest):
            self._sink.taken.setdefault(int(number), now)
        self._sink.ready.update(_READY.findall(rest))
        self._sink.posts += 1
        assert self._transport is not None
        self._transport.write(_NO_CONTENT)
