"""What the page asks for: who am I, the list, one conversation, its lines; and what an agent has seen."""

import sqlite3
from functools import partial
from typing import Any

import orjson
from aiohttp import web

from workspace import conversations, transcript
from workspace.assignment import agents_of, set_agents
from workspace.database import next_revision, revision
from workspace.keys import Workspace, agent_of, workspace_of
from workspace.moments import now
from workspace.upstream import UpstreamTrouble


def answer(content: Any, status: int = 200) -> web.Response:
    return web.Response(
        body=orjson.dumps(content), status=status, content_type="application/json", charset="utf-8"
    )


async def me(request: web.Request) -> web.Response:
    workspace = workspace_of(request)
    return answer({"agent": agent_of(request), "name": workspace.settings.name})


async def list_conversations(request: web.Request) -> web.Response:
    before = _cursor(request)
    agent = agent_of(request)

    def query(db: sqlite3.Connection) -> dict[str, Any]:
        found = conversations.latest(db, agent, before and (before[0], before[1]))
        return {"revision": revision(db), "conversations": found}

    return answer(await workspace_of(request).database.read(query))


async def open_conversation(request: web.Request) -> web.Response:
    """The conversation with its latest lines; in the demo opening is taking."""
    workspace, agent, id = workspace_of(request), agent_of(request), _id(request)
    summary = await workspace.database.read(partial(conversations.one, agent=agent, id=id))
    if summary is None:
        raise web.HTTPNotFound
    trouble = None
    if not summary["assigned"]:
        trouble = await _take(workspace, agent, id)

    def query(db: sqlite3.Connection) -> dict[str, Any]:
        found = conversations.one(db, agent, id)
        media = bool(found and found["assigned"])
        lines = transcript.page(db, id, None, media=media)
        return {"revision": revision(db), "conversation": found, "lines": lines, "trouble": trouble}

    return answer(await workspace.database.read(query))


async def _take(workspace: Workspace, agent: str, id: str) -> str | None:
    agents = await workspace.database.read(partial(agents_of, conversation=id))
    try:
        await workspace.upstream.assign(id, [*agents, agent])
    except UpstreamTrouble as trouble:
        return trouble.sentence
    change = partial(set_agents, conversation=id, agents=[*agents, agent], now=now())
    await workspace.database.write(change)
    return None


async def list_lines(request: web.Request) -> web.Response:
    """Lines before a cursor, or those changed since a revision."""
    agent, id = agent_of(request), _id(request)
    before = _cursor(request)
    since = request.query.get("since")

    def query(db: sqlite3.Connection) -> dict[str, Any]:
        media = agent in agents_of(db, id)
        if since is not None:
            lines = transcript.changed(db, id, _number(since), media=media)
        else:
            cursor = before and (before[0], _number(before[1]))
            lines = transcript.page(db, id, cursor, media=media)
        return {"revision": revision(db), "lines": lines}

    return answer(await workspace_of(request).database.read(query))


async def mark_read(request: web.Request) -> web.Response:
    agent, id = agent_of(request), _id(request)
    sequence = _number((await request.json()).get("sequence"))

    def change(db: sqlite3.Connection) -> None:
        moved = db.execute(
            """INSERT INTO marks SELECT ?1, id, min(?3, sequence) FROM conversations WHERE id = ?2
               ON CONFLICT DO UPDATE SET sequence = excluded.sequence
               WHERE excluded.sequence > marks.sequence""",
            (agent, id, sequence),
        )
        if moved.rowcount:
            db.execute(
                "UPDATE conversations SET revision = ? WHERE id = ?", (next_revision(db), id)
            )

    await workspace_of(request).database.write(change)
    return web.Response(status=204)


def _id(request: web.Request) -> str:
    return request.match_info["conversation"]


def _cursor(request: web.Request) -> tuple[int, str] | None:
    """`before=<number>.<rest>`, as the page read it from the last entry it has."""
    number, dot, rest = request.query.get("before", "").partition(".")
    return (_number(number), rest) if dot else None


def _number(written: object) -> int:
    if isinstance(written, int):
        return written
    if isinstance(written, str) and written.isascii() and written.isdigit() and len(written) < 18:
        return int(written)
    raise web.HTTPBadRequest
