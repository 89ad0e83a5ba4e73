"""Starts the gateway, waits for it, and stops it."""

import asyncio
import os
import socket
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import structlog
from aiohttp import web

from .delivery.lanes import Lanes
from .http.access_log import write_access
from .http.connections import raise_descriptor_limit
from .http.control import open_control_socket, remove_control_socket
from .http.installation import Installation
from .http.listening import listen
from .http.server import Server
from .http.web_channel import start_web_channel
from .journal import Journal, exposure, open_journal, private_folder
from .observability.system_errors import about_data_folder
from .settings import Settings
from .upkeep.data_lock import claim
from .upkeep.reload import Reloader
from .wiring import connect

log = structlog.get_logger(__name__)

#: What is ours in the data folder. Somebody may have chosen a folder with other files.
_OUR_FILES = (
    *(f"{name}.db{tail}" for name in ("journal", "workspace") for tail in ("", "-wal", "-shm")),
    "airlock.lock",
)

#: Seconds that work in flight may take during shutdown: once for incoming deliveries and once for outgoing events.
#: The whole shutdown must take less than 10 s.
_GRACE_SECONDS = 3.0
#: Seconds that a predecessor may take to release the data folder.
_PREDECESSOR_SECONDS = 15.0


class Gateway:
    """One gateway. Use `async with Gateway(settings, …)`, then `wait` until a component fails or `stop` is set."""

    def __init__(
        self,
        settings: Settings,
        *,
        agent: str = "agent",
        demo: bool = False,
        sockets: Sequence[socket.socket] = (),
        web_sockets: Sequence[socket.socket] = (),
    ) -> None:
        self._settings = settings
        #: Those that listen already; without any, the gateway opens that of `gateway.listen`.
        self._sockets = list(sockets)
        #: The same for the web channel's own server.
        self._web_sockets = web_sockets
        self._agent, self._demo = agent, demo
        self._stack = AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []
        self._journal: Journal
        self._reloader: Reloader
        self._host = settings.gateway.listen.host
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
        """Return when `stop` is set. Raise the error of a component that fails, so that the process is restarted."""
        stop_requested = asyncio.create_task(stop.wait())
        try:
            done, _ = await asyncio.wait(
                [stop_requested, *self._tasks], return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            stop_requested.cancel()
        for task in done - {stop_requested}:
            task.result()
            raise RuntimeError(f"the component {task.get_name()!r} ended unexpectedly")

    async def reload(self, load: Callable[[], Settings]) -> bool:
        """Read the settings again with `load`, and take over what can change; false if they contain mistakes."""
        return await self._reloader.reload(load)

    @property
    def url(self) -> str:
        host = self._host
        bracketed = f"[{host}]" if ":" in host else host
        return f"http://{bracketed}:{self.port}"

    async def attachment_states(self, connector: str, platform_id: str) -> list[str]:
        """Return the states of a message's attachments; empty if the message is unknown."""
        found = await self._journal.message(self._journal.ids.message(connector, platform_id))
        return [attachment["state"] for attachment in found["attachments"]] if found else []

    async def conversation_of(self, connector: str, platform_id: str) -> str | None:
        """Return the id of a message's conversation; None if the message is unknown."""
        found = await self._journal.message(self._journal.ids.message(connector, platform_id))
        return str(found["conversation"]["id"]) if found else None

    async def backlog(self) -> int:
        """Return the number of events that the core has not accepted yet."""
        return await self._journal.backlog()

    async def _start(self) -> None:
        raise_descriptor_limit()
        settings = self._settings
        with about_data_folder(settings.gateway.data):
            data = private_folder(settings.gateway.data, *_OUR_FILES)
            _warn_if_exposed(data)
            self._stack.callback(os.close, await claim(data, _PREDECESSOR_SECONDS))
        self._bind()
        self._journal = await open_journal(
            settings.gateway.journal_url,
            data,
            hold_seconds=settings.core.hold_seconds,
            node=settings.gateway.node,
        )
        self._stack.push_async_callback(self._journal.close)
        installation = Installation(
            settings, data, self.url, self._public_url, agent=self._agent, demo=self._demo
        )
        with about_data_folder(data):
            components = connect(installation, self._journal, self._stack)
        self._reloader = components.reloader
        # Starting the decoders takes about a second; deliveries are accepted meanwhile.
        decoders = asyncio.create_task(components.sanitizer.start(), name="decoders")
        self._stack.push_async_callback(_cancel, decoders)
        for name, run in components.background.items():
            self._run(name, run())
            if name == "lanes":
                self._stack.push_async_callback(_drain, components.lanes)
        # Once no delivery comes any more, other nodes go on with the work of this one.
        self._stack.push_async_callback(self._journal.ownership.drain)
        await self._serve_web_channel()
        await self._serve(components.application)
        await decoders

    @property
    def _public_url(self) -> str:
        """Return `gateway.public_url`, with port 0 replaced by the actual port."""
        public_url = str(self._settings.gateway.public_url)
        return (
            f"{public_url.removesuffix(':0')}:{self.port}"
            if public_url.endswith(":0")
            else public_url
        )

    def _bind(self) -> None:
        self._sockets = self._sockets or [listen(self._settings.gateway.listen)]
        for sock in self._sockets:
            self._stack.callback(sock.close)
        self._host, self.port, *_ = self._sockets[0].getsockname()

    def _run(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.append(task)
        self._stack.push_async_callback(_cancel, task)

    async def _serve_web_channel(self) -> None:
        """Start the web channel's server on its own port, if the settings have one."""
        section = self._settings.webchat
        if section is not None:
            server = await start_web_channel(
                section, self._settings, self._stack, self._web_sockets
            )
            self._run("web channel", server.watch())

    async def _serve(self, app: web.Application) -> None:
        with about_data_folder(self._settings.gateway.data):
            control = open_control_socket(self._settings.gateway.data)
        self._stack.callback(remove_control_socket, self._settings.gateway.data)
        self._stack.callback(control.close)
        write_access(on=self._settings.log.access)
        server = await Server.start(app, self._sockets, grace=_GRACE_SECONDS, control=control)
        self._stack.push_async_callback(server.close)
        self._run("connections", server.watch())
        log.info("gateway_listens", address=self.url, connectors=list(self._settings.connectors))


def _warn_if_exposed(data: Path) -> None:
    others = exposure(data)
    if others is not None:
        remedy = f"chmod 700 {data}, unless that is intended"
        log.warning("data_folder_exposed", folder=str(data), to=others, remedy=remedy)


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


async def _drain(lanes: Lanes) -> None:
    """Let POSTs in flight finish and record what the core accepted."""
    await lanes.stop(_GRACE_SECONDS)
    await lanes.flush()
