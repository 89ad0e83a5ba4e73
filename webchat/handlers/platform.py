"""What the gateway calls: an agent's texts, ticks and dots, outcomes, closing, erasure, and the account."""

from functools import partial
from typing import Annotated, Literal

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from webchat.http.bodies import empty_response, json_response, parse_body
from webchat.http.context import chat_of
from webchat.http.problems import Problem
from webchat.shapes import MessageId
from webchat.store import consumers, messages, outcomes
from webchat.store.consumers import Consumer
from webchat.store.database import Connection
from webchat.store.erase import erase

_MAX_TEXT = 400_000

ConsumerId = Annotated[str, Field(min_length=1, max_length=200)]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class AgentText(_Body):
    site: str
    to: ConsumerId
    key: MessageId
    text: str = Field(min_length=1)
    reply_to: MessageId | None = None


class Read(_Body):
    to: ConsumerId
    message_id: MessageId


class AgentTyping(_Body):
    to: ConsumerId
    on: bool


class Closing(_Body):
    to: ConsumerId


class Outcome(_Body):
    to: ConsumerId
    message_id: MessageId
    position: int = Field(ge=0, le=1000)
    state: Literal["ready", "rejected", "failed"]
    kind: str | None = None
    reason: str | None = None
    width: int | None = None
    height: int | None = None
    duration_seconds: float | None = None
    renditions: tuple[str, ...] = ()
    grant: str | None = None


async def send(request: web.Request) -> web.Response:
    """Take an agent's text; the same `key` gets the same answer."""
    body = await parse_body(request, AgentText, _MAX_TEXT)
    chat = chat_of(request)
    await chat.database.write(partial(_send, body=body, now=chat.clock()))
    chat.signals.show_typing(body.to, on=False)
    return json_response({"id": body.key})


def _send(db: Connection, body: AgentText, now: int) -> None:
    consumer = _consumer(db, body.to, body.site)
    messages.put_answer(db, consumer, body.key, body.text, body.reply_to, now)


async def read(request: web.Request) -> web.Response:
    """An agent has read a consumer's message, and those before it."""
    body = await parse_body(request, Read)
    await chat_of(request).database.write(partial(_read, body=body))
    return empty_response()


def _read(db: Connection, body: Read) -> None:
    messages.advance(db, _consumer(db, body.to).id, "in", body.message_id, "read")


async def typing(request: web.Request) -> web.Response:
    """An agent is writing, or has stopped."""
    body = await parse_body(request, AgentTyping)
    chat = chat_of(request)
    consumer = await chat.database.read(partial(_consumer, id=body.to))
    chat.signals.show_typing(consumer.id, on=body.on)
    return empty_response()


async def outcome(request: web.Request) -> web.Response:
    """Note what became of a file. It may come again; the last one counts."""
    body = await parse_body(request, Outcome)
    chat = chat_of(request)
    found = outcomes.Outcome(
        state=body.state,
        kind=body.kind,
        reason=body.reason,
        width=body.width,
        height=body.height,
        seconds=body.duration_seconds,
        renditions=orjson.dumps(body.renditions).decode(),
        grant=body.grant,
    )
    freed = await chat.database.write(partial(_outcome, body=body, found=found))
    await chat.files.delete(freed)
    return empty_response()


def _outcome(db: Connection, body: Outcome, found: outcomes.Outcome) -> list[str]:
    consumer = consumers.resolve(db, None, body.to)
    if consumer is None:
        return []  # erased in the meantime
    return outcomes.note(db, consumer.id, body.message_id, body.position, found)


async def closed(request: web.Request) -> web.Response:
    """An agent closed the conversation; the consumer opens it again by writing."""
    body = await parse_body(request, Closing)
    await chat_of(request).database.write(partial(_close, body=body))
    return empty_response()


def _close(db: Connection, body: Closing) -> None:
    consumer = consumers.resolve(db, None, body.to)
    if consumer is not None:
        consumers.set_state(db, consumer, "closed")


async def forget(request: web.Request) -> web.Response:
    """Erase a consumer, as the gateway has. It does not fail for one that is gone."""
    chat = chat_of(request)
    id = request.match_info["id"]
    files = await chat.database.write(partial(_forget, id=id))
    await chat.files.delete(files)
    return empty_response()


def _forget(db: Connection, id: str) -> list[str]:
    consumer = consumers.resolve(db, None, id)
    return [] if consumer is None else erase(db, consumer)


async def account(request: web.Request) -> web.Response:
    """Name the account, by which operators see that address and token are right."""
    sites = sorted(chat_of(request).settings.sites)
    return json_response({"name": f"web chat of {', '.join(sites)}", "sites": sites})


def _consumer(db: Connection, id: str, site: str | None = None) -> Consumer:
    consumer = consumers.resolve(db, site, id)
    if consumer is None:
        raise Problem(404, "not_found", "this consumer does not exist, or was erased")
    return consumer
