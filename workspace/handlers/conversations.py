"""Handlers for reading: the signed-in agent, the list of conversations, and the lines of one."""

import sqlite3
from functools import partial
from typing import Any

from aiohttp import web

from workspace.http.context import Workspace, agent_of, scope_of, viewer_of, workspace_of
from workspace.http.responses import json_response, parse_number
from workspace.roles import permissions
from workspace.store import conversations, failures, transcript
from workspace.store.database import revision
from workspace.store.merge import effective_id
from workspace.store.reading import agents_of

from .actions import list_agents


async def me(request: web.Request) -> web.Response:
    workspace, viewer = workspace_of(request), viewer_of(request)
    return json_response(
        {
            "agent": viewer.agent,
            "may": sorted(permissions(viewer.roles) - _without_pages(workspace)),
            "csrf": viewer.csrf,
            "name": workspace.settings.name,
            "demo": workspace.settings.demo,
            "opens_photo": workspace.settings.opens_photo,
            "agents": await workspace.database.read(partial(list_agents, workspace)),
        }
    )


def _without_pages(workspace: Workspace) -> frozenset[str]:
    """Return the permissions for which this workspace has no page."""
    return frozenset({"talk"}) if workspace.settings.pages_only else frozenset()


async def list_conversations(request: web.Request) -> web.Response:
    """List conversations in the view that the query describes; `q` is a search; `before` continues after an entry."""
    scope, view = scope_of(request), _parse_view(request)
    text = request.query.get("q", "")[:200].strip()
    after = _parse_cursor(request)

    def query(db: sqlite3.Connection) -> dict[str, Any]:
        if text:
            found = conversations.search_page(db, scope, view, text)
        else:
            found = conversations.page(db, scope, view, after)
        return {
            "revision": revision(db),
            "conversations": found,
            "channels": conversations.channels(db),
            "counts": conversations.counts(db, scope),
            "undelivered": failures.unseen(db, scope.agent),
        }

    return json_response(await workspace_of(request).database.read(query))


def _parse_view(request: web.Request) -> conversations.View:
    """Parse `show`, a tab; `state`; `channel`, the name of a connector; and `order`."""
    wanted = request.query
    view = conversations.View(
        wanted.get("show", "all"),
        wanted.get("state", "any"),
        wanted.get("channel", ""),
        wanted.get("order", "latest"),
    )
    known = (conversations.TABS, conversations.STATES, conversations.ORDERS)
    if any(
        one not in some for one, some in zip((view.tab, view.state, view.order), known, strict=True)
    ):
        raise web.HTTPBadRequest
    return view


async def list_lines(request: web.Request) -> web.Response:
    """Return the lines before a cursor, or those that changed since a revision."""
    agent, requested = agent_of(request), request.match_info["conversation"]
    before = _parse_place(request)
    since = request.query.get("since")

    def query(db: sqlite3.Connection) -> dict[str, Any]:
        id = effective_id(db, requested)
        reader = transcript.Reader(agent, id, media=agent in agents_of(db, id))
        if since is not None:
            lines = transcript.changed(db, reader, parse_number(since))
        else:
            lines = transcript.page(db, reader, before)
        return {"revision": revision(db), "lines": lines}

    return json_response(await workspace_of(request).database.read(query))


def _parse_cursor(request: web.Request) -> tuple[int, str] | None:
    """Parse `before=<number>.<rest>`, which the page takes from the last entry it has."""
    whole, dot, rest = request.query.get("before", "").partition(".")
    return (parse_number(whole), rest) if dot else None


def _parse_place(request: web.Request) -> transcript.Place | None:
    """Parse `before=<placed_at>.<sequence>.<position>`, the place of the first line that the page has."""
    before = request.query.get("before")
    if not before:
        return None
    numbers = [parse_number(part) for part in before.split(".")]
    if len(numbers) != 3:
        raise web.HTTPBadRequest
    placed_at, sequence, position = numbers
    return placed_at, sequence, position
