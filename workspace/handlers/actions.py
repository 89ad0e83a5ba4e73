"""What an agent does with a conversation as a whole: open it, take it, hand it over, close it, note it read."""

import asyncio
import logging
import sqlite3
from collections.abc import Coroutine
from dataclasses import asdict
from functools import partial
from typing import Any

from aiohttp import web

from workspace.auth.accounts import everybody
from workspace.gateway.client import GatewayError
from workspace.http.access import demo_people
from workspace.http.context import Workspace, agent_of, viewer_of, workspace_of
from workspace.http.responses import answer, content_of, number, refusal
from workspace.roles import permissions
from workspace.store import conversations, transcript
from workspace.store.assignment import (
    ACTIONS,
    TAKE_BY_OPENING,
    Action,
    Change,
    NotAllowed,
    agents_of,
    carry_out,
)
from workspace.store.database import next_revision, revision
from workspace.timestamps import now

_log = logging.getLogger(__name__)


async def open_conversation(request: web.Request) -> web.Response:
    """The conversation with its latest lines; in the demo opening is taking."""
    workspace, agent, id = workspace_of(request), agent_of(request), _id(request)
    summary = await workspace.database.read(partial(conversations.one, agent=agent, id=id))
    if summary is None:
        raise web.HTTPNotFound
    trouble = None
    if workspace.settings.demo and not summary["agents"]:
        try:
            await _do(workspace, id, TAKE_BY_OPENING, Change(viewer_of(request)))
        except (NotAllowed, GatewayError) as refused:
            trouble = _sentence(refused)

    def query(db: sqlite3.Connection) -> dict[str, Any]:
        found = conversations.one(db, agent, id)
        if found is None:  # erased in the meantime
            raise web.HTTPNotFound
        lines = transcript.page(db, id, None, media=found["assigned"])
        return {
            "revision": revision(db),
            "conversation": found,
            "lines": lines,
            "trouble": trouble,
        }

    channel = await workspace.channels.of(summary["connector"])
    return answer({**await workspace.database.read(query), "can": asdict(channel)})


async def change_assignment(request: web.Request) -> web.Response:
    """`{"do": "take" | "hand_over" | "leave" | "close" | "reopen", "to": …}`."""
    workspace, viewer, id = workspace_of(request), viewer_of(request), _id(request)
    content = await content_of(request)
    action, to = content.get("do"), content.get("to") or ""
    if not isinstance(action, str) or action not in ACTIONS:
        raise web.HTTPBadRequest
    if action == "hand_over" and to not in await workspace.database.read(
        partial(talkers, workspace)
    ):
        return refusal(400, "There is no such agent to hand over to.")
    try:
        change = Change(viewer, to if action == "hand_over" else "")
        done = await _do(workspace, id, ACTIONS[action], change)
    except NotAllowed as refused:
        return refusal(403, str(refused))
    except GatewayError as trouble:
        return refusal(502, trouble.sentence)
    if not done:
        raise web.HTTPNotFound
    return web.Response(status=204)


async def mark_read(request: web.Request) -> web.Response:
    """The agent has seen the conversation up to a sequence; the platform is told where it can be."""
    workspace, agent, id = workspace_of(request), agent_of(request), _id(request)
    sequence = number((await content_of(request)).get("sequence"))

    def change(db: sqlite3.Connection) -> str | None:
        moved = db.execute(
            """INSERT INTO marks SELECT ?1, id, min(?3, sequence) FROM conversations WHERE id = ?2
               ON CONFLICT DO UPDATE SET sequence = excluded.sequence
               WHERE excluded.sequence > marks.sequence""",
            (agent, id, sequence),
        )
        if not moved.rowcount:
            return None
        db.execute("UPDATE conversations SET revision = ? WHERE id = ?", (next_revision(db), id))
        return _newly_read(db, id)

    _tell_read(workspace, await workspace.database.write(change))
    return web.Response(status=204)


async def show_typing(request: web.Request) -> web.Response:
    """`{"typing": true}` while the agent writes, false when they stop; the consumer sees it where that works."""
    workspace, agent, id = workspace_of(request), agent_of(request), _id(request)
    typing = (await content_of(request)).get("typing")
    if not isinstance(typing, bool):
        raise web.HTTPBadRequest
    if agent not in await workspace.database.read(partial(agents_of, conversation=id)):
        raise web.HTTPForbidden
    _tell_platform(workspace, workspace.gateway.typing(id, on=typing))
    return web.Response(status=204)


def talkers(workspace: Workspace, db: sqlite3.Connection) -> list[str]:
    """Everybody a conversation can be handed over to."""
    people = {account.name: account.roles for account in everybody(db)}
    people |= demo_people(workspace.settings)
    return sorted(name for name, roles in people.items() if "talk" in permissions(roles))


def _newly_read(db: sqlite3.Connection, conversation: str) -> str | None:
    """The last message that somebody who works on the conversation has read, unless the platform was told of it.

    Others only look in; what they saw counts once they take the conversation.
    """
    row = db.execute(
        """SELECT m.id, m.sequence FROM messages AS m JOIN conversations AS c ON c.id = m.conversation
           WHERE c.id = ?1 AND m.direction = 'in' AND m.sequence > c.told AND m.sequence <=
             (SELECT max(r.sequence) FROM marks AS r JOIN assignments AS s
              ON s.conversation = r.conversation AND s.agent = r.agent WHERE r.conversation = ?1)
           ORDER BY m.sequence DESC LIMIT 1""",
        (conversation,),
    ).fetchone()
    if row is None:
        return None
    db.execute("UPDATE conversations SET told = ? WHERE id = ?", (row["sequence"], conversation))
    return str(row["id"])


def _tell_read(workspace: Workspace, message: str | None) -> None:
    if message is not None:
        _tell_platform(workspace, workspace.gateway.mark_read(message))


def _tell_platform(workspace: Workspace, courtesy: Coroutine[Any, Any, None]) -> None:
    """A courtesy to the consumer: not every platform takes it, and nobody waits for it."""

    async def tell() -> None:
        try:
            await courtesy
        except GatewayError as trouble:
            _log.info("a platform was not told: %s", trouble)

    task = asyncio.create_task(tell())
    workspace.background_tasks.add(task)
    task.add_done_callback(workspace.background_tasks.discard)


async def _do(workspace: Workspace, id: str, action: Action, change: Change) -> bool:
    async with workspace.assigning:
        done = await carry_out(workspace.database, workspace.gateway, id, action, change, now())
    workspace.links.forget()
    if done is not None:
        read = partial(_newly_read, conversation=id)
        _tell_read(workspace, await workspace.database.write(read))
    return done is not None


def _sentence(refused: NotAllowed | GatewayError) -> str:
    return refused.sentence if isinstance(refused, GatewayError) else str(refused)


def _id(request: web.Request) -> str:
    return request.match_info["conversation"]
