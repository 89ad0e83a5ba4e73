"""The network between one node and PostgreSQL, which can fall silent with all connections open."""

import asyncio
import contextlib


class Relay:
    """Passes bytes on, unless `pass_on` is cleared."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._server: asyncio.Server
        self._tasks: set[asyncio.Task[None]] = set()
        self.pass_on = asyncio.Event()
        self.pass_on.set()
        self.port = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self.pass_on.wait()
        try:
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.close()
            return
        for source, target in ((reader, there_writer), (there_reader, writer)):
            task = asyncio.create_task(self._copy(source, target))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _copy(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                await self.pass_on.wait()
                target.write(data)
                await target.drain()
        await self.pass_on.wait()
        with contextlib.suppress(OSError):
            target.close()
