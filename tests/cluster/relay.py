"""The network between one node and PostgreSQL, which can fall silent with all connections open."""

import asyncio
import contextlib
import itertools

from .packets import Cut

#: Each relay has an address of its own, so that its packets to PostgreSQL are known.
_ADDRESSES = (f"127.0.1.{number}" for number in itertools.count(1))


class Relay:
    """Passes bytes on in each direction, unless it was silenced."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._address = next(_ADDRESSES)
        self._cuts: tuple[Cut, ...] = ()
        self._server: asyncio.Server
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        #: What the node sends, and what PostgreSQL answers.
        self._requests, self._answers = asyncio.Event(), asyncio.Event()
        self.restore()
        self.port = 0

    def silence(self, *, requests: bool = True, answers: bool = True) -> None:
        """Hold bytes back in these directions until `restore`."""
        if requests:
            self._requests.clear()
        if answers:
            self._answers.clear()

    def cut(self, *, requests: bool = True, answers: bool = True) -> None:
        """Let the kernel drop the packets in these directions until `restore`, on both sides of the relay."""
        for cut in self._cuts:
            cut.drop(requests=requests, answers=answers)

    def restore(self) -> None:
        self._requests.set()
        self._answers.set()
        for cut in self._cuts:
            cut.restore()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self._cuts = (Cut(self.port), Cut(self._target, self._address))

    async def close(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            await self._pass_on(reader, writer)
        finally:
            writer.close()
            self._tasks.discard(task)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._requests.wait()
        try:
            there_reader, there_writer = await asyncio.open_connection(
                "127.0.0.1", self._target, local_addr=(self._address, 0)
            )
        except OSError:
            return
        self._writers.add(there_writer)
        try:
            await asyncio.gather(
                self._copy(reader, there_writer, self._requests),
                self._copy(there_reader, writer, self._answers),
            )
        finally:
            there_writer.close()

    async def _copy(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, way: asyncio.Event
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                await way.wait()
                target.write(data)
                await target.drain()
        await way.wait()
        with contextlib.suppress(OSError):
            target.close()
