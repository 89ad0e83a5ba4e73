"""The limits: who may begin a session, write a message or upload a file now."""

from functools import partial

from aiohttp import web

from webchat import proof_of_work
from webchat.http.context import Chat, chat_of
from webchat.http.problems import Problem, too_many
from webchat.settings import Limits
from webchat.shapes import Work
from webchat.store import uploads, usage
from webchat.store.consumers import Consumer
from webchat.store.database import Connection
from webchat.timestamps import DAY, HOUR, MINUTE


async def admit_session(
    request: web.Request, limits: Limits, network: str, work: Work | None
) -> None:
    """Count a new session of a network. Raises Problem: 428 above half of its limit without work, 429 above it."""
    chat = chat_of(request)
    refusal = await chat.database.write(
        partial(_admit_session, chat=chat, limits=limits, network=network, work=work)
    )
    if refusal is not None:
        raise refusal


def _admit_session(
    db: Connection, chat: Chat, limits: Limits, network: str, work: Work | None
) -> Problem | None:
    now, subject = chat.clock(), f"sessions {network}"
    used = usage.used(db, subject, now)
    if used >= limits.sessions_an_hour_for_address:
        return too_many("too many sessions from this network", usage.seconds_left(db, subject, now))
    if used >= limits.sessions_an_hour_for_address // 2 and not _has_worked(
        db, chat, network, work
    ):
        challenge = proof_of_work.puzzle(chat.key, network, now // 1000)
        return Problem(
            428,
            "work_wanted",
            "solve the puzzle and repeat the request with `work`",
            puzzle={"challenge": challenge, "bits": proof_of_work.BITS},
        )
    usage.add(db, subject, 1, HOUR, now)
    return None


def _has_worked(db: Connection, chat: Chat, network: str, work: Work | None) -> bool:
    if work is None or not proof_of_work.is_solved(work.challenge, work.nonce):
        return False
    expires = proof_of_work.expiry(chat.key, work.challenge, network, chat.clock() // 1000)
    # A solution counts once.
    return expires is not None and usage.first_use(
        db, f"work {work.challenge}", (expires + 1) * 1000
    )


def count_message(db: Connection, consumer: str, limits: Limits, now: int) -> None:
    """Count a new message of a consumer. Raises Problem (429) above the limit."""
    subject = f"messages {consumer}"
    if usage.used(db, subject, now) >= limits.messages_a_minute:
        raise too_many("too many messages", usage.seconds_left(db, subject, now))
    usage.add(db, subject, 1, MINUTE, now)


def count_upload(
    db: Connection, chat: Chat, consumer: Consumer, length: int, network: str, limits: Limits
) -> None:
    """Count a new upload by its announced length. Raises Problem: 429 above a limit, 507 without room."""
    now, allowance = chat.clock(), limits.allowance(verified=consumer.verified)
    if uploads.open_count(db, consumer.id) >= allowance.at_once:
        raise too_many(f"at most {allowance.at_once} uploads at the same time", 5)
    _count(db, f"uploads {consumer.id}", 1, allowance.an_hour, HOUR, now)
    _count(db, f"bytes {consumer.id}", length, allowance.bytes_a_day, DAY, now)
    _count(db, f"bytes {network}", length, limits.bytes_a_day_for_address, DAY, now)
    if uploads.reserved_bytes(db) + length > chat.settings.uploads_max_bytes:
        raise no_room()


def no_room() -> Problem:
    """All uploads together fill what they may, or the disk is full."""
    return Problem(
        507,
        "no_room",
        "there is no room for this file at present",
        headers={"Retry-After": "60"},
        retry_after=60,
    )


def _count(db: Connection, subject: str, amount: int, most: int, window: int, now: int) -> None:
    if usage.used(db, subject, now) + amount > most:
        raise too_many("the limit for uploads is reached", usage.seconds_left(db, subject, now))
    usage.add(db, subject, amount, window, now)
