"""Agents' replies: stored here first, then sent to the gateway under an idempotency key."""

import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import orjson
from aiohttp import web

from workspace.gateway.client import GatewayError
from workspace.http.context import Workspace, agent_of, workspace_of
from workspace.http.responses import error_response, json_response, read_json
from workspace.store import failures, resending, search, waiting
from workspace.store.consumers import set_opted_out
from workspace.store.database import next_revision, touch_message
from workspace.store.lines import place_after
from workspace.store.merge import effective_id
from workspace.store.reading import agents_of
from workspace.store.resending import Line, Resending, gateway_key
from workspace.text.language import DEFAULT, say, speaking
from workspace.text.wording import store_refusal
from workspace.timestamps import now

#: No platform accepts more. Where a channel accepts less, the gateway splits the text.
MAX_CHARACTERS = 20_000

#: The page creates one key for each text and repeats the key when it sends the same text after a lost response.
_KEY = re.compile(r"[A-Za-z0-9-]{16,64}")


@dataclass(frozen=True, slots=True)
class Reply:
    """An agent's text, and the key under which it is sent once. `quoted` is the id of the quoted message.

    The gateway knows a key within the conversation to which the text was first sent, even if that has been merged.
    """

    conversation: str
    author: str
    text: str
    key: str
    quoted: str | None
    attempt: int = 0


async def send_reply(request: web.Request) -> web.Response:
    """Send `{"text": …, "key": …, "reply_to"?: …}`. Repeating a key retries a failed text but never sends it twice."""
    workspace, agent = workspace_of(request), agent_of(request)
    requested = request.match_info["conversation"]
    id = await workspace.database.read(partial(effective_id, id=requested))
    content = await read_json(request)
    text, key = content.get("text"), content.get("key")
    if not (isinstance(text, str) and isinstance(key, str) and _KEY.fullmatch(key)):
        raise web.HTTPBadRequest
    quoted = content.get("reply_to")
    if not (quoted is None or isinstance(quoted, str)):
        raise web.HTTPBadRequest
    if not text.strip():
        return error_response(400, say("reply.empty"))
    if len(text) > MAX_CHARACTERS:
        return error_response(400, say("reply.long", most=MAX_CHARACTERS))
    if agent not in await workspace.database.read(partial(agents_of, conversation=id)):
        return error_response(403, say("reply.not_yours"))
    if quoted is not None and not await workspace.database.read(
        partial(_can_be_quoted, id, quoted)
    ):
        return error_response(400, say("reply.foreign_quote"))
    saved = await workspace.database.write(
        partial(_save, reply=Reply(id, agent, text, key, quoted), at=now())
    )
    if saved is None or saved.text != text:
        return error_response(409, say("reply.other_key"))
    # A retry by another agent keeps the original author.
    return await _send(workspace, saved)


async def resend_reply(request: web.Request) -> web.Response:
    """Send the failed line with this key again: `{"id": …}` is its id as the page shows it.

    Further requests for the same failed attempt, from whichever page or agent, send nothing and get the line's state.
    """
    workspace, agent = workspace_of(request), agent_of(request)
    requested, key = request.match_info["conversation"], request.match_info["key"]
    shown = (await read_json(request)).get("id")
    if not isinstance(shown, str):
        raise web.HTTPBadRequest
    id = await workspace.database.read(partial(effective_id, id=requested))
    if agent not in await workspace.database.read(partial(agents_of, conversation=id)):
        return error_response(403, say("reply.resend_not_yours"))
    wanted = Resending(id, key, shown, agent)
    line = await workspace.database.write(partial(resending.start, wanted=wanted, at=now()))
    if line is None:
        raise web.HTTPNotFound
    if line.text is None:
        return error_response(410, say("reply.gone"))
    if not line.due:
        return json_response({"id": line.id, "status": line.state}, 202)
    return await _send(workspace, _reply_of(line, line.text))


def _reply_of(line: Line, text: str) -> Reply:
    # The author stays, because under one key the gateway expects the same request.
    return Reply(line.origin, line.author, text, line.key, line.quoted, line.attempt)


async def _send(workspace: Workspace, reply: Reply) -> web.Response:
    write, key = workspace.database.write, reply.key
    try:
        message = await workspace.gateway.send_text(
            *(reply.conversation, reply.text, reply.author),
            *(gateway_key(key, reply.attempt), reply.quoted),
        )
    except GatewayError as exc:
        # No answer, or a server error: the gateway may still have accepted the text.
        state = "unknown" if exc.status >= 500 else "refused"
        opted_out = exc.problem.get("reason") == "opted_out"
        failed = _failed(state, exc.stored, opted_out=opted_out)
        await write(partial(_update_reply, key=key, change=failed))
        return error_response(502, exc.detail)
    await write(partial(_update_reply, key=key, change=_accepted(message)))
    return json_response({"id": message, "status": "accepted"}, 202)


def mark_interrupted_replies(db: sqlite3.Connection) -> None:
    """Mark replies that were being sent when the workspace stopped: they may or may not have arrived.

    Agents can send them again under the same key. A text that did arrive is not sent twice.
    """
    with speaking(DEFAULT):
        reason = store_refusal("reply.interrupted", say("reply.interrupted"))
    for row in db.execute("SELECT key FROM replies WHERE state = 'sending'").fetchall():
        _update_reply(db, row["key"], _failed("unknown", reason))


def _can_be_quoted(conversation: str, message: str, db: sqlite3.Connection) -> bool:
    found = db.execute(
        """SELECT 1 FROM messages WHERE id = ? AND conversation = ? AND direction != 'notice'
             AND NOT deleted""",
        (message, conversation),
    )
    return found.fetchone() is not None


def _save(db: sqlite3.Connection, reply: Reply, at: int) -> Reply | None:
    """Add the text to the transcript unless its key is there already, and return what the transcript has.

    Returns None if the key belongs to another conversation.
    """
    conversation = effective_id(db, reply.conversation)
    if db.execute("SELECT 1 FROM replies WHERE key = ?", (reply.key,)).fetchone() is None:
        reply = replace(reply, conversation=conversation)
        _insert(db, reply, at)
        return reply
    existing = resending.find_line(db, reply.key, conversation)
    if existing is None:
        return None
    db.execute(
        "UPDATE replies SET state = 'sending', reason = NULL WHERE key = ? AND state != 'accepted'",
        (reply.key,),
    )
    failures.refresh(db, existing.id)
    touch_message(db, existing.id)
    return _reply_of(existing, existing.text or "")


def _insert(db: sqlite3.Connection, reply: Reply, at: int) -> None:
    change = next_revision(db)
    details = {} if reply.quoted is None else {"reply_to": reply.quoted}
    (sequence,) = db.execute(
        "SELECT sequence FROM conversations WHERE id = ?", (reply.conversation,)
    ).fetchone()
    (position,) = db.execute(
        """INSERT INTO messages (id, conversation, sequence, direction, author, text, transcript,
             at, details, revision, origin, placed_at)
           VALUES (?, ?, ?, 'out', ?, ?, ?, ?, ?, ?, ?, ?) RETURNING position""",
        (
            *(f"reply_{reply.key}", reply.conversation, sequence, reply.author, reply.text),
            *(reply.text, at, orjson.dumps(details).decode(), change, reply.conversation),
            place_after(db, reply.conversation, sequence, at),
        ),
    ).fetchone()
    db.execute(
        "INSERT INTO replies (key, position, state) VALUES (?, ?, 'sending')", (reply.key, position)
    )
    db.execute(
        "UPDATE conversations SET revision = ?, active_at = max(active_at, ?) WHERE id = ?",
        (change, at, reply.conversation),
    )
    search.index(db, position, reply.text)
    waiting.refresh(db, reply.conversation)


_Update = Callable[[sqlite3.Connection, int, str], None]


def _update_reply(db: sqlite3.Connection, key: str, change: _Update) -> None:
    row = db.execute("SELECT position FROM replies WHERE key = ?", (key,)).fetchone()
    change(db, row["position"], key)
    id = _message_id(db, row["position"])
    failures.refresh(db, id)
    touch_message(db, id)


def _accepted(message: str) -> _Update:
    def change(db: sqlite3.Connection, position: int, key: str) -> None:
        # The platform's echo of our own text may arrive before the gateway's response.
        echo = (message, position)
        db.execute(
            """DELETE FROM attachments WHERE message =
                 (SELECT id FROM messages WHERE id = ? AND position != ?)""",
            echo,
        )
        db.execute(
            """DELETE FROM seen_failures WHERE position =
                 (SELECT position FROM messages WHERE id = ? AND position != ?)""",
            echo,
        )
        echoed = db.execute(
            "DELETE FROM messages WHERE id = ? AND position != ? RETURNING position", echo
        ).fetchall()
        for row in echoed:
            search.index(db, row["position"], None)
        db.execute("UPDATE messages SET id = ? WHERE position = ?", (message, position))
        db.execute("UPDATE replies SET state = 'accepted', reason = NULL WHERE key = ?", (key,))
        # The gateway accepts no text for a consumer who has opted out.
        set_opted_out(db, _conversation_at(db, position), opted_out=False)

    return change


def _failed(state: str, reason: str, *, opted_out: bool = False) -> _Update:
    def change(db: sqlite3.Connection, position: int, key: str) -> None:
        db.execute(
            "UPDATE replies SET state = ?, reason = ? WHERE key = ? AND state != 'accepted'",
            (state, reason, key),
        )
        if opted_out:
            set_opted_out(db, _conversation_at(db, position), opted_out=True)

    return change


def _conversation_at(db: sqlite3.Connection, position: int) -> str:
    row = db.execute("SELECT conversation FROM messages WHERE position = ?", (position,))
    return str(row.fetchone()["conversation"])


def _message_id(db: sqlite3.Connection, position: int) -> str:
    row = db.execute("SELECT id FROM messages WHERE position = ?", (position,)).fetchone()
    return str(row["id"])
