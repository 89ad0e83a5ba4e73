"""A running gateway: start, wait, stop."""

import asyncio
import os
import socket
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self

import structlog
from aiohttp import web

from .delivery.lanes import Lanes
from .journal import Journal
from .journal.sqlite.journal import SqliteJournal
from .settings import Settings
from .upkeep.data_lock import claim
from .wiring import Installation, connect, folder

log = structlog.get_logger(__name__)

#: Seconds that what is in flight may still take when the gateway is asked to end: once for deliveries that
#: come in and once for events that go out. Both and the rest have to be over within 10 s.
_GRACE_SECONDS = 3.0
#: Seconds that a predecessor may take to leave the data folder.
_PREDECESSOR_SECONDS = 15.0


class Gateway:
    """One running gateway: `async with Gateway(settings, …)`, then `wait` until a part fails or `stop` is set."""

    def __init__(self, settings: Settings, *, agent: str = "agent", demo: bool = False) -> None:
        self._settings = settings
        self._agent, self._demo = agent, demo
        self._stack = AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []
        self._journal: Journal
        self.port = 0

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    async def wait(self, stop: asyncio.Event) -> None:
        """Return when `stop` is set; raise what a part of the gateway died of, so that it is started anew."""
        stop_requested = asyncio.create_task(stop.wait())
        try:
            done, _ = await asyncio.wait(
                [stop_requested, *self._tasks], return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            stop_requested.cancel()
        for task in done - {stop_requested}:
            task.result()
            raise RuntimeError(f"{task.get_name()} ended by itself")

    @property
    def url(self) -> str:
        host = self._settings.gateway.listen.host
        bracketed = f"[{host}]" if ":" in host else host
        return f"http://{bracketed}:{self.port}"

    async def attachment_states(self, connector: str, platform_id: str) -> list[str]:
        """How the files of a platform's message stand; empty for an unknown message too."""
        found = await self._journal.message(self._journal.ids.message(connector, platform_id))
        return [attachment["state"] for attachment in found["attachments"]] if found else []

    async def backlog(self) -> int:
        """Events that the core has yet to take."""
        return await self._journal.backlog()

    async def _start(self) -> None:
        settings = self._settings
        data = folder(settings.gateway.data)
        self._stack.callback(os.close, await claim(data, _PREDECESSOR_SECONDS))
        sock = self._bind()
        self._journal = await SqliteJournal.open(data, hold_seconds=settings.core.hold_seconds)
        self._stack.push_async_callback(self._journal.close)
        installation = Installation(
            settings, data, self.url, self._public_url, agent=self._agent, demo=self._demo
        )
        components = connect(installation, self._journal, self._stack)
        # Warming the decoders takes a second in which deliveries can be taken already.
        decoders = asyncio.create_task(components.sanitizer.start(), name="decoders")
        self._stack.push_async_callback(_cancel, decoders)
        for name, run in components.background.items():
            self._run(name, run())
            if name == "lanes":
                self._stack.push_async_callback(_drain, components.lanes)
        await self._serve(components.application, sock)
        await decoders

    @property
    def _public_url(self) -> str:
        """`gateway.public_url`; with a free port (0) the one that was taken."""
        public_url = str(self._settings.gateway.public_url)
        return (
            f"{public_url.removesuffix(':0')}:{self.port}"
            if public_url.endswith(":0")
            else public_url
        )

    def _bind(self) -> socket.socket:
        listen = self._settings.gateway.listen
        family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
        sock = socket.create_server((listen.host, listen.port), family=family, backlog=1024)
        self._stack.callback(sock.close)
        self.port = sock.getsockname()[1]
        return sock

    def _run(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.append(task)
        self._stack.push_async_callback(_cancel, task)

    async def _serve(self, app: web.Application, sock: socket.socket) -> None:
        # Bodies are proven as they came: nothing is inflated before that.
        runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=_GRACE_SECONDS, auto_decompress=False
        )
        self._stack.push_async_callback(runner.cleanup)
        await runner.setup()
        await web.SockSite(runner, sock).start()
        log.info("gateway_listens", address=self.url, connectors=list(self._settings.connectors))


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


async def _drain(lanes: Lanes) -> None:
    """Let the POSTs in flight end and write down what was taken."""
    await lanes.stop(_GRACE_SECONDS)
    await lanes.flush()
