"""The objects that handlers use, and access to them from a request."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

from webchat.delivery.gateway import GatewayClient
from webchat.delivery.lanes import Lanes
from webchat.files import Files
from webchat.metrics import Metrics
from webchat.settings import Site, WebchatSettings
from webchat.signals import Signals
from webchat.store.database import Database
from webchat.store.sessions import Caller


@dataclass(slots=True)
class Writing:
    """Whether a consumer was reported to be writing, and when that was last said."""

    since: int = 0
    on: bool = False


@dataclass(frozen=True, slots=True)
class Chat:
    """The parts of a running web channel. `clock` returns milliseconds since 1970."""

    settings: WebchatSettings
    clock: Callable[[], int]
    key: bytes = field(repr=False)
    database: Database
    signals: Signals
    files: Files
    lanes: Lanes
    gateway: GatewayClient
    metrics: Metrics
    #: What was last reported of consumers who write.
    writing: dict[str, Writing] = field(default_factory=dict)
    background_tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def site(self, name: str) -> Site | None:
        return self.settings.sites.get(name)


CHAT = web.AppKey("chat", Chat)
CALLER = web.RequestKey("caller", Caller)


def chat_of(request: web.Request) -> Chat:
    return request.app[CHAT]


def caller_of(request: web.Request) -> Caller:
    """Return whose session a request belongs to. Only handlers wrapped by `for_consumers` have one."""
    return request[CALLER]


def site_of(request: web.Request) -> Site:
    return chat_of(request).settings.sites[caller_of(request).site]
