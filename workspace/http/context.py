"""The objects that handlers use, and access to them from a request."""

import asyncio
from dataclasses import dataclass, field

from aiohttp import web

from workspace.auth.login_throttle import LoginThrottle
from workspace.gateway.channels import Channels
from workspace.gateway.client import GatewayClient
from workspace.gateway.link_cache import LinkCache
from workspace.roles import Viewer
from workspace.settings import WorkspaceSettings
from workspace.store.change_signal import ChangeSignal
from workspace.store.database import Database
from workspace.store.presence import Presence
from workspace.store.reading import Scope


@dataclass(frozen=True, slots=True)
class Workspace:
    """The parts of a running workspace.

    `assigning` is held while an assignment changes, so that two agents cannot take the same conversation.
    `erasures_requested` is set when a consumer may have asked for an erasure.
    `noticed_problems` are the gateway's problems with the times at which the operators' page first showed each.
    """

    settings: WorkspaceSettings
    secrets: tuple[bytes, ...]
    database: Database
    gateway: GatewayClient
    updates: ChangeSignal
    links: LinkCache
    channels: Channels
    presence: Presence
    login_throttle: LoginThrottle = field(default_factory=LoginThrottle)
    assigning: asyncio.Lock = field(default_factory=asyncio.Lock)
    checking_passwords: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    erasures_requested: asyncio.Event = field(default_factory=asyncio.Event)
    noticed_problems: dict[str, int] = field(default_factory=dict)
    background_tasks: set[asyncio.Task[None]] = field(default_factory=set)


WORKSPACE = web.AppKey("workspace", Workspace)
VIEWER = web.RequestKey("viewer", Viewer)


def workspace_of(request: web.Request) -> Workspace:
    return request.app[WORKSPACE]


def viewer_of(request: web.Request) -> Viewer:
    """Return the viewer of the request. Only handlers wrapped by `protect_api` or `protect_page` have one."""
    return request[VIEWER]


def scope_of(request: web.Request) -> Scope:
    """Return what the viewer of the request may read."""
    viewer, settings = viewer_of(request), workspace_of(request).settings
    own_only = settings.reading == "own" and not viewer.may("oversee")
    return Scope(viewer.agent, own_only=own_only)


def agent_of(request: web.Request) -> str:
    return viewer_of(request).agent
