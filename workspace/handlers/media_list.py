"""Lists of media: of one conversation for the viewer, and of all conversations for the page of files."""

import sqlite3
from typing import Any

from aiohttp import web

from workspace.http.context import agent_of, viewer_of, workspace_of
from workspace.http.responses import json_response, parse_number
from workspace.store import media_list
from workspace.store.database import revision
from workspace.store.merge import effective_id
from workspace.store.reading import agents_of


async def list_conversation_media(request: web.Request) -> web.Response:
    """Return the media of a conversation around the attachment `around`, for an assigned agent."""
    agent, requested = agent_of(request), request.match_info["conversation"]
    around = request.query.get("around", "")

    def query(db: sqlite3.Connection) -> Any:
        id = effective_id(db, requested)
        if agent not in agents_of(db, id):
            raise web.HTTPForbidden
        found = media_list.window(db, agent, id, around)
        if found is None:
            raise web.HTTPNotFound
        return found

    return json_response(await workspace_of(request).database.read(query))


async def list_all_media(request: web.Request) -> web.Response:
    """List files, latest first: agents see those of their own conversations, supervisors that there are others, too.

    `kind` and `conversation` limit the list, `before` continues it.
    """
    viewer, kind = viewer_of(request), request.query.get("kind", "")
    if kind and kind not in media_list.KINDS:
        raise web.HTTPBadRequest
    requested, before = request.query.get("conversation", ""), _parse_place(request)

    def query(db: sqlite3.Connection) -> dict[str, Any]:
        conversation = requested and effective_id(db, requested)
        search = media_list.Search(viewer.agent, viewer.may("oversee"), kind, conversation)
        items, following = media_list.latest(db, search, before)
        return {"revision": revision(db), "items": items, "next": following}

    return json_response(await workspace_of(request).database.read(query))


def _parse_place(request: web.Request) -> tuple[int, int, int] | None:
    before = request.query.get("before")
    if not before:
        return None
    numbers = [parse_number(part) for part in before.split(".")]
    if len(numbers) != 3:
        raise web.HTTPBadRequest
    at, position, place = numbers
    return at, position, place
