"""Actions on a whole conversation: open, take, hand over, leave, close, reopen, mark as read, show typing."""

import asyncio
import logging
import sqlite3
from collections.abc import Coroutine
from dataclasses import asdict
from functools import partial
from typing import Any

from aiohttp import web

from workspace.auth.accounts import list_accounts
from workspace.gateway.client import GatewayError
from workspace.http.access import demo_accounts
from workspace.http.context import Workspace, agent_of, viewer_of, workspace_of
from workspace.http.responses import error_response, json_response, parse_number, read_json
from workspace.roles import permissions
from workspace.store import conversations, read_state, transcript
from workspace.store.assignment import (
    ACTIONS,
    TAKE_BY_OPENING,
    Action,
    ActionRequest,
    NotAllowed,
    perform_action,
)
from workspace.store.consumers import set_opted_out
from workspace.store.database import revision
from workspace.store.merge import effective_id, merged_ids
from workspace.store.reading import agents_of
from workspace.text.language import say
from workspace.timestamps import now

#: Characters of a note.
MAX_NOTE = 2_000

_log = logging.getLogger(__name__)


async def open_conversation(request: web.Request) -> web.Response:
    """Return the conversation with its latest lines. In the demo, opening a free conversation also takes it.

    `{"again": true}` is for a page that has it open already: the agent may just have given it back.
    """
    workspace, agent, id = workspace_of(request), agent_of(request), await _conversation_id(request)
    again = (await read_json(request)).get("again") is True
    summary = await workspace.database.read(partial(conversations.find, agent=agent, id=id))
    if summary is None:
        raise web.HTTPNotFound
    error = None
    if workspace.settings.demo and not summary["agents"] and not again:
        try:
            await _perform(workspace, id, TAKE_BY_OPENING, ActionRequest(viewer_of(request)))
        except (NotAllowed, GatewayError) as exc:
            error = _explain(exc)

    if summary["opted_out"]:
        await _check_opted_out(workspace, id)

    def query(db: sqlite3.Connection) -> dict[str, Any]:
        found = conversations.find(db, agent, id)
        if found is None:  # erased in the meantime
            raise web.HTTPNotFound
        lines = transcript.page(db, transcript.Reader(agent, id, media=found["assigned"]), None)
        return {
            "revision": revision(db),
            "conversation": found,
            "lines": lines,
            "merged": merged_ids(db, id),
            "trouble": error,  # allow-word
        }

    channel = await workspace.channels.find(summary["connector"])
    return json_response({**await workspace.database.read(query), "can": asdict(channel)})


async def _check_opted_out(workspace: Workspace, id: str) -> None:
    """Forget that the consumer opted out if the gateway says otherwise.

    On some platforms, the consumer's next message ends it. No event reports that.
    """
    try:
        opted_out = await workspace.gateway.has_opted_out(id)
    except GatewayError:
        return
    change = partial(set_opted_out, conversation=id, opted_out=opted_out)
    await workspace.database.write(change)


async def change_assignment(request: web.Request) -> web.Response:
    """Perform `{"do": "take" | "hand_over" | "leave" | "close" | "reopen", "to": …, "note": …}`.

    A note is for the agents who read the conversation later. It is never sent to the platform.
    """
    workspace, viewer = workspace_of(request), viewer_of(request)
    id = await _conversation_id(request)
    content = await read_json(request)
    action, to = content.get("do"), content.get("to") or ""
    note = content.get("note") or ""
    if not isinstance(action, str) or action not in ACTIONS or not isinstance(note, str):
        raise web.HTTPBadRequest
    if len(note) > MAX_NOTE:
        return error_response(400, say("note.long", most=MAX_NOTE))
    if action == "hand_over" and to not in await workspace.database.read(
        partial(list_agents, workspace)
    ):
        return error_response(400, say("assign.person"))
    try:
        wanted = ActionRequest(viewer, to if action == "hand_over" else "", note.strip())
        done = await _perform(workspace, id, ACTIONS[action], wanted)
    except NotAllowed as exc:
        return error_response(403, str(exc))
    except GatewayError as exc:
        return error_response(502, exc.detail)
    if not done:
        raise web.HTTPNotFound
    return web.Response(status=204)


async def mark_read(request: web.Request) -> web.Response:
    """Record what the agent has read, and send read receipts to platforms that take them.

    `sequence` is the latest message that the agent has read, `revision` the last change of a line that the page shows,
    `undelivered` are the positions of failed answers on it.
    """
    workspace, agent = workspace_of(request), agent_of(request)
    content = await read_json(request)
    sequence = parse_number(content.get("sequence"))
    shown = parse_number(content.get("revision", 0))
    undelivered = _parse_positions(content.get("undelivered", []))
    conversation = _requested_id(request)

    def change(db: sqlite3.Connection) -> list[str]:
        stays = effective_id(db, conversation)
        read_state.mark_failures_seen(db, agent, stays, undelivered)
        return read_state.mark_read(db, agent, conversation, sequence, shown)

    _send_read_receipts(workspace, await workspace.database.write(change))
    return web.Response(status=204)


def _parse_positions(value: object) -> list[int]:
    if not isinstance(value, list):
        raise web.HTTPBadRequest
    return [parse_number(one) for one in value]


async def show_typing(request: web.Request) -> web.Response:
    """Pass on `{"typing": true}` while the agent types, false when the agent stops, to channels that show it."""
    workspace, agent, id = workspace_of(request), agent_of(request), await _conversation_id(request)
    typing = (await read_json(request)).get("typing")
    if not isinstance(typing, bool):
        raise web.HTTPBadRequest
    if agent not in await workspace.database.read(partial(agents_of, conversation=id)):
        raise web.HTTPForbidden
    _send_in_background(workspace, workspace.gateway.set_typing(id, on=typing))
    return web.Response(status=204)


async def report_presence(request: web.Request) -> web.Response:
    """Record `{"doing": "reading" | "typing" | "away"}`, for the other agents."""
    workspace, agent, id = workspace_of(request), agent_of(request), await _conversation_id(request)
    doing = (await read_json(request)).get("doing")
    if doing not in {"reading", "typing", "away"}:
        raise web.HTTPBadRequest
    workspace.presence.report(id, agent, None if doing == "away" else doing, now())
    return web.Response(status=204)


def list_agents(workspace: Workspace, db: sqlite3.Connection) -> list[str]:
    """List the agents to whom a conversation can be handed over."""
    people = {account.name: account.roles for account in list_accounts(db)}
    people |= demo_accounts(workspace.settings)
    return sorted(name for name, roles in people.items() if "talk" in permissions(roles))


def _send_read_receipts(workspace: Workspace, messages: list[str]) -> None:
    for message in messages:
        _send_in_background(workspace, workspace.gateway.mark_read(message))


def _send_in_background(workspace: Workspace, call: Coroutine[Any, Any, None]) -> None:
    """Make a call that may fail: not every platform supports it, and the agent does not wait for it."""

    async def send() -> None:
        try:
            await call
        except GatewayError as exc:
            _log.info("platform_not_informed: %s", exc)

    task = asyncio.create_task(send())
    workspace.background_tasks.add(task)
    task.add_done_callback(workspace.background_tasks.discard)


async def _perform(workspace: Workspace, id: str, action: Action, wanted: ActionRequest) -> bool:
    async with workspace.assigning:
        done = await perform_action(
            workspace.database, workspace.gateway, id, action, wanted, now()
        )
    workspace.links.invalidate()
    if done is not None:
        take = partial(read_state.take_receipts, conversation=id)
        _send_read_receipts(workspace, await workspace.database.write(take))
    return done is not None


def _explain(exc: NotAllowed | GatewayError) -> str:
    return exc.detail if isinstance(exc, GatewayError) else str(exc)


async def _conversation_id(request: web.Request) -> str:
    """Return the requested conversation, or the one that it was merged into."""
    return await workspace_of(request).database.read(
        partial(effective_id, id=_requested_id(request))
    )


def _requested_id(request: web.Request) -> str:
    return request.match_info["conversation"]
