"""Where handlers find what they work with."""

from dataclasses import dataclass

from aiohttp import web

from workspace.database import Database
from workspace.links import LinkShelf
from workspace.settings import WorkspaceSettings
from workspace.updates import Updates
from workspace.upstream import Upstream


@dataclass(frozen=True, slots=True)
class Workspace:
    settings: WorkspaceSettings
    secrets: tuple[bytes, ...]
    database: Database
    upstream: Upstream
    updates: Updates
    links: LinkShelf


WORKSPACE = web.AppKey("workspace", Workspace)
AGENT = web.RequestKey("agent", str)


def workspace_of(request: web.Request) -> Workspace:
    return request.app[WORKSPACE]


def agent_of(request: web.Request) -> str:
    """Who is looking, as the session says."""
    return request[AGENT]
