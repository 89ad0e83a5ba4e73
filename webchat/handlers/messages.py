"""What a consumer writes: messages, receipts and typing; and the history."""

from functools import partial

from aiohttp import web

from webchat.http.bodies import (
    empty_response,
    json_response,
    parse_body,
    parse_number,
    query_number,
)
from webchat.http.context import Chat, Writing, caller_of, chat_of, site_of
from webchat.http.problems import Problem, bad_request
from webchat.limits import count_message
from webchat.settings import Site
from webchat.shapes import MessageView, PutMessage, Receipts, Typing
from webchat.store import consumers, messages, outbox, uploads
from webchat.store.database import Connection

_PAGE, _MAX_PAGE = 50, 100
#: "a consumer is writing" is passed on at most this often, in milliseconds.
_TYPING_MS = 4_000
#: Consumers of whom it is remembered that they write, before those who stopped are forgotten.
_MAX_WRITING = 10_000


async def put(request: web.Request) -> web.Response:
    """Store a message. The same request may be repeated; the answer is the same."""
    body = await parse_body(request, PutMessage)
    chat, caller, site = chat_of(request), caller_of(request), site_of(request)
    said = _said(request.match_info["id"], body, site)
    try:
        view, new = await chat.database.write(
            partial(_put, consumer=caller.consumer, said=said, site=site, now=chat.clock())
        )
    except messages.OtherContent:
        raise Problem(
            409, "other_content", "a message with this id exists and says something else"
        ) from None
    except uploads.Incomplete as exc:
        raise Problem(
            409, "upload_incomplete", "these uploads are not whole", uploads=exc.ids
        ) from None
    return json_response(view, status=201 if new else 200)


def _said(id: str, body: PutMessage, site: Site) -> messages.Incoming:
    text = body.text if body.text and body.text.strip() else None
    if text is None and not body.uploads:
        bad_request("a message needs a text or uploads")
    if text is not None and len(text) > site.limits.text:
        raise Problem(413, "text_too_long", f"a text has at most {site.limits.text} code points")
    if text is not None and not _is_storable(text):
        bad_request("the text holds half a character (a lone surrogate)")
    if len(set(body.uploads)) != len(body.uploads) or len(body.uploads) > site.limits.files:
        bad_request(f"a message names at most {site.limits.files} uploads, each once")
    return messages.Incoming(id, text, body.reply_to, body.uploads)


def _is_storable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _put(
    db: Connection, consumer: str, said: messages.Incoming, site: Site, now: int
) -> tuple[MessageView, bool]:
    view, new = messages.put(db, consumer, said, now)
    if new:
        count_message(db, consumer, site.limits, now)
    return view, new


async def history(request: web.Request) -> web.Response:
    """Return a page of messages, the newest first."""
    chat, caller, site = chat_of(request), caller_of(request), site_of(request)
    before = request.query.get("before")
    query = partial(
        messages.history,
        consumer_id=caller.consumer,
        before=None if before is None else parse_number(before, "before"),
        limit=max(1, min(query_number(request, "limit", _PAGE), _MAX_PAGE)),
        policy=site.uploads,
    )
    return json_response(await chat.database.read(query))


async def receipts(request: web.Request) -> web.Response:
    """Note how far an agent's texts have arrived and were seen, and report what is new."""
    body = await parse_body(request, Receipts)
    chat, caller = chat_of(request), caller_of(request)
    await chat.database.write(
        partial(_note_receipts, consumer_id=caller.consumer, body=body, now=chat.clock())
    )
    return empty_response()


def _note_receipts(db: Connection, consumer_id: str, body: Receipts, now: int) -> None:
    consumer = consumers.get(db, consumer_id)
    for status, id in (("delivered", body.delivered_to), ("read", body.read_to)):
        if id is not None and (moved := messages.advance(db, consumer_id, "out", id, status)):
            content = {"status": status, "message_ids": moved}
            outbox.add(db, consumer, "receipt", now, content)


async def typing(request: web.Request) -> web.Response:
    """Report that the consumer is writing, or has stopped, at most every 4 s."""
    body = await parse_body(request, Typing)
    chat, caller = chat_of(request), caller_of(request)
    if _is_due(chat, caller.consumer, on=body.on):
        noted = await chat.database.write(
            partial(_note_typing, consumer_id=caller.consumer, on=body.on, now=chat.clock())
        )
        if not noted:
            chat.writing[caller.consumer].on = False
    return empty_response()


def _is_due(chat: Chat, consumer: str, *, on: bool) -> bool:
    """Whether a report adds something: the start at most every 4 s, the end once after it."""
    now = chat.clock()
    if len(chat.writing) > _MAX_WRITING:
        _forget_idle(chat.writing, now)
    last = chat.writing.setdefault(consumer, Writing())
    if not on:
        was_on, last.on = last.on, False
        return was_on
    if now - last.since < _TYPING_MS:
        return False
    last.since, last.on = now, True
    return True


def _forget_idle(writing: dict[str, Writing], now: int) -> None:
    for consumer in [one for one, last in writing.items() if now - last.since > _TYPING_MS]:
        del writing[consumer]


def _note_typing(db: Connection, consumer_id: str, *, on: bool, now: int) -> bool:
    # While the gateway is away, nobody sees it; by the time it is back, it is not true any more.
    if on and outbox.is_waiting(db, consumer_id):
        return False
    outbox.add(db, consumers.get(db, consumer_id), "typing", now, {"on": on})
    return True
