"""The gateway put together: every part made, started and ended in the order in which they lean on each other."""

import asyncio
import base64
import os
import secrets
import socket
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import structlog
from aiohttp import web

from normalizer.sanitizer import Sanitizer
from normalizer.scanner import Scanner

from .delivery.core_client import CoreClient
from .delivery.lanes import Lanes
from .fetching import Fetcher
from .http.api import Api, bearer
from .http.health import probes
from .http.media import MediaEndpoint
from .http.routes import application
from .inbound.capacity import Intake
from .inbound.parse_worker import Reader
from .inbound.webhooks import Ingress
from .intake_priority import Pressure
from .journal import Journal, Recorded
from .media.quarantine import Quarantine
from .media.signed_links import Links
from .media.source import Originals
from .media.storage.filesystem import FileStore, sync_folder
from .media.worker import MediaWork
from .replies.accept import Replies
from .replies.send_worker import Sending
from .settings import Settings
from .upkeep.compaction import Room
from .upkeep.connector_health import ConnectorHealth
from .upkeep.data_lock import claim
from .upkeep.failures import Failures
from .upkeep.reconciler import Reconciler
from .upkeep.retention import Housekeeping, Retention
from .wiring import configured_scanner

log = structlog.get_logger(__name__)

#: POSTs to the core in flight, over as many kept connections.
_FORWARDERS = 32
#: Files being fetched or made safe at once, those that wait for their host or for a cell included: a host that
#: hangs must not take all places.
_FETCHERS = 128
#: Seconds that what is in flight may still take when the gateway is asked to end: once for deliveries that
#: come in and once for events that go out. Both and the rest have to be over within 10 s.
_GRACE = 3.0
#: Seconds that a predecessor may take to leave the data folder.
_PREDECESSOR = 15.0


@dataclass(frozen=True, slots=True)
class _Parts:
    """What stands between the journal and the outside."""

    store: FileStore
    scanner: Scanner | None
    sanitizer: Sanitizer
    fetcher: Fetcher
    tokens: list[str]
    workspace: web.Application | None
    pressure: Pressure
    lanes: Lanes
    intake: Intake
    quarantine: Quarantine
    media: MediaWork

    def recorded(self, result: Recorded) -> None:
        """Hand on what a transaction recorded: events to their lanes, files to the media workers."""
        self.lanes.recorded(result)
        for job in result.jobs:
            self.media.add(job)


@dataclass(frozen=True, slots=True)
class _Workers:
    """What goes on by itself besides lanes and media."""

    reader: Reader
    sending: Sending
    health: ConnectorHealth
    housekeeping: Housekeeping


class Gateway:
    """One running gateway: `async with Gateway(settings, …)`, then `wait` until a part fails or `end` is set."""

    def __init__(self, settings: Settings, *, agent: str = "agent", demo: bool = False) -> None:
        self._settings = settings
        self._agent, self._demo = agent, demo
        self._stack = AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []
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

    async def wait(self, end: asyncio.Event) -> None:
        """Return when `end` is set; raise what a part of the gateway died of, so that it is started anew."""
        asked = asyncio.create_task(end.wait())
        try:
            done, _ = await asyncio.wait([asked, *self._tasks], return_when=asyncio.FIRST_COMPLETED)
        finally:
            asked.cancel()
        for task in done - {asked}:
            task.result()
            raise RuntimeError(f"{task.get_name()} ended by itself")

    @property
    def url(self) -> str:
        host = self._settings.gateway.listen.host
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{self.port}"

    async def attachment_states(self, connector: str, platform_id: str) -> list[str]:
        """How the files of a platform's message stand; empty for an unknown message too."""
        found = await self._journal.message(self._journal.ids.message(connector, platform_id))
        return [attachment["state"] for attachment in found["attachments"]] if found else []

    async def backlog(self) -> int:
        """Events that the core has yet to take."""
        return await self._journal.backlog()

    async def _start(self) -> None:
        settings = self._settings
        data = _folder(settings.gateway.data)
        self._stack.callback(os.close, await claim(data, _PREDECESSOR))
        sock = self._bind()
        self._journal = await Journal.open(data, hold_seconds=settings.core.hold_seconds)
        self._stack.push_async_callback(self._journal.close)
        scanner = configured_scanner(settings)
        sanitizer, decoders = self._sanitizer(scanner)
        parts = self._parts(data, sanitizer, scanner)
        workers = self._workers(parts)
        app = self._application(parts, workers)
        self._begin(parts, workers)
        await self._serve(app, sock)
        await decoders

    def _parts(self, data: Path, sanitizer: Sanitizer, scanner: Scanner | None) -> _Parts:
        fetcher = self._fetcher()
        tokens = [token.get_secret_value() for token in self._settings.gateway.api_tokens]
        workspace, core = self._core(tokens, data)
        self._stack.push_async_callback(core.close)
        pressure = Pressure()
        lanes = Lanes(self._journal, core, workers=_FORWARDERS, pressure=pressure)
        intake = Intake(
            data,
            backlog=lambda: lanes.waiting,
            unread=lambda: self._journal.unread_bytes,
            to_come=self._journal.to_come,
        )
        store = FileStore(_folder(data / "media"), intake.has_no_room_for_media)
        quarantine = Quarantine(
            _folder(data / "quarantine"),
            self._settings.media.quarantine_max_bytes,
            intake.is_short_of_room,
        )
        media = self._media_work(self._journal, fetcher, quarantine, sanitizer, store, lanes)
        return _Parts(
            store=store,
            scanner=scanner,
            sanitizer=sanitizer,
            fetcher=fetcher,
            tokens=tokens,
            workspace=workspace,
            pressure=pressure,
            lanes=lanes,
            intake=intake,
            quarantine=quarantine,
            media=media,
        )

    def _workers(self, parts: _Parts) -> _Workers:
        journal, connectors = self._journal, self._settings.connectors
        return _Workers(
            reader=Reader(journal, connectors, parts.recorded, parts.pressure),
            sending=Sending(
                journal,
                connectors,
                parts.fetcher,
                public_url=self._public_url,
                on_recorded=parts.lanes.recorded,
            ),
            health=ConnectorHealth(connectors, parts.fetcher),
            housekeeping=self._housekeeping(
                journal, parts.store, parts.quarantine, parts.lanes, parts.media
            ),
        )

    def _application(self, parts: _Parts, workers: _Workers) -> web.Application:
        journal, connectors = self._journal, self._settings.connectors
        lanes, media, intake = parts.lanes, parts.media, parts.intake
        links = Links(journal.key, self._public_url)
        return application(
            Ingress(journal, connectors, self._public_url, intake.refusal, parts.pressure),
            Api(
                journal,
                links,
                connectors,
                link_seconds=round(self._settings.media.link_lifetime),
                failures=Failures(
                    journal, connectors, lanes, on_recorded=parts.recorded, on_job=media.add
                ),
                replies=Replies(journal, connectors, parts.fetcher, workers.sending.wake),
                health=workers.health,
                on_retry=media.add,
                progress=media.progress,
                erase=workers.housekeeping.erase,
            ),
            MediaEndpoint(journal, links, parts.store),
            authorize=bearer(parts.tokens),
            probes=probes(journal, intake, lanes, parts.sanitizer, parts.scanner, parts.store),
            public_url=self._public_url,
            workspace=parts.workspace,
        )

    def _begin(self, parts: _Parts, workers: _Workers) -> None:
        lanes, media = parts.lanes, parts.media
        self._run("journal", self._journal.watch())
        self._run("forwarder", lanes.run())
        self._stack.push_async_callback(_drain, lanes)
        self._run("media", media.run())
        self._run("reader", workers.reader.run())
        self._run("housekeeping", workers.housekeeping.run())
        self._run("reconciler", Reconciler([lanes.pick_up, media.pick_up]).run())
        self._run("room", Room(self._journal, parts.intake.is_short_of_room).run())
        self._run("sending", workers.sending.run())
        self._run("connector health", workers.health.run())

    def _sanitizer(self, scanner: Scanner | None) -> tuple[Sanitizer, asyncio.Task[None]]:
        """The sanitizer, and the task that warms it: a second in which deliveries can be taken already."""
        media = self._settings.media
        sanitizer = Sanitizer(media.limits(), isolation=media.isolation, scanner=scanner)
        self._stack.push_async_callback(sanitizer.close)
        decoders = asyncio.create_task(sanitizer.start(), name="decoders")
        self._stack.push_async_callback(_cancel, decoders)
        return sanitizer, decoders

    def _fetcher(self) -> Fetcher:
        fetch = self._settings.fetch
        fetcher = Fetcher(
            allow_private_hosts=fetch.allow_private_hosts, extra_hosts=fetch.extra_hosts
        )
        self._stack.push_async_callback(fetcher.aclose)
        return fetcher

    def _media_work(
        self,
        journal: Journal,
        fetcher: Fetcher,
        quarantine: Quarantine,
        sanitizer: Sanitizer,
        store: FileStore,
        lanes: Lanes,
    ) -> MediaWork:
        settings = self._settings
        originals = Originals(
            journal,
            fetcher,
            quarantine,
            scratch=_emptied(_folder(settings.gateway.data / "scratch")),
            limit=max(settings.media.photo_max_bytes, settings.media.video_max_bytes),
        )
        return MediaWork(
            journal,
            settings.connectors,
            originals,
            sanitizer,
            store,
            keep_photos=settings.media.max_photos_per_conversation,
            parallel=_FETCHERS,
            on_recorded=lanes.recorded,
        )

    def _housekeeping(
        self,
        journal: Journal,
        store: FileStore,
        quarantine: Quarantine,
        lanes: Lanes,
        media: MediaWork,
    ) -> Housekeeping:
        settings = self._settings
        retention = Retention(
            media=settings.media.retention,
            words=settings.gateway.text_retention,
            duplicates=settings.media.duplicate_window,
        )
        return Housekeeping(
            journal, store, quarantine, lanes, retention, lanes.recorded, media.in_hand
        )

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

    def _core(self, tokens: list[str], data: Path) -> tuple[web.Application | None, CoreClient]:
        """The core that gets the events: the one configured, or the built-in workspace."""
        settings = self._settings.core
        keys = [secret.get_secret_value() for secret in settings.secrets]
        if settings.url is not None:
            return None, CoreClient(str(settings.url), keys, connections=_FORWARDERS)
        from workspace import WorkspaceSettings, create_app  # only where it is used

        tokens.append(secrets.token_urlsafe(32))
        keys = keys or ["whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()]
        workspace = create_app(
            WorkspaceSettings(
                database=data / "workspace.db",
                gateway_url=self.url,
                api_token=tokens[-1],
                secrets=tuple(keys),
                media_origin=self._public_url,
                agent=self._agent,
                demo=self._demo,
                trusted_proxies=self._settings.gateway.trusted_proxies,
                text_retention=self._settings.gateway.text_retention,
            )
        )
        url = f"{self.url}/workspace/events"
        return workspace, CoreClient(url, keys, connections=_FORWARDERS)

    def _run(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.append(task)
        self._stack.push_async_callback(_cancel, task)

    async def _serve(self, app: web.Application, sock: socket.socket) -> None:
        # Bodies are proven as they came: nothing is inflated before that.
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_GRACE, auto_decompress=False)
        self._stack.push_async_callback(runner.cleanup)
        await runner.setup()
        await web.SockSite(runner, sock).start()
        log.info("gateway_listens", address=self.url, connectors=list(self._settings.connectors))


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


async def _drain(lanes: Lanes) -> None:
    """Let the POSTs in flight end and write down what was taken."""
    await lanes.stop(_GRACE)
    await lanes.flush()


def _folder(path: Path) -> Path:
    """A folder for the gateway alone, whoever made it: it holds customers' messages."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.chmod(0o700)
    sync_folder(path.parent)
    return path


def _emptied(path: Path) -> Path:
    """Without what a crash may have left, where the file system knows no files without names."""
    for file in path.iterdir():
        file.unlink()
    return path
