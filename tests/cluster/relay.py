"""The network between one node and PostgreSQL, which can fall silent with all connections open."""

import asyncio
import contextlib


class Relay:
    """Passes bytes on in each direction, unless it was silenced."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._server: asyncio.Server
        self._tasks: set[asyncio.Task[None]] = set()
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

    def restore(self) -> None:
        self._requests.set()
        self._answers.set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._requests.wait()
        try:
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.close()
            return
        for source, target, way in (
            (reader, there_writer, self._requests),
            (there_reader, writer, self._answers),
        ):
            task = asyncio.create_task(self._copy(source, target, way))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

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
