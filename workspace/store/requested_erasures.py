"""Erasures that consumers asked for: kept with the event that says so, until the gateway has accepted each.

The gateway then erases the person everywhere, as `airlock people erase` does, the conversation here included.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from workspace.gateway.client import GatewayClient, GatewayError
from workspace.timestamps import now

from . import audit_log
from .database import Database

#: The kind of notice by which a platform reports that a consumer erased the conversation and wants all copies erased.
KIND = "erasure_requested"

#: Whom the audit log names. No account has a name with a space.
_CONSUMER = "the customer"

#: Seconds between two attempts: the first pause, and the longest.
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 300.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Wish:
    conversation: str
    consumer: str
    connector: str


def note(db: sqlite3.Connection, conversation: Mapping[str, Any]) -> None:
    """Keep the wish of a conversation's consumer."""
    db.execute(
        "INSERT INTO requested_erasures VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (conversation["id"], conversation["consumer"]["id"], conversation["connector"]),
    )


async def run(database: Database, gateway: GatewayClient, news: asyncio.Event) -> None:
    """Pass on what was asked for, also before a restart, until cancelled. `news` says that there may be more."""
    pause = _FIRST_PAUSE
    while True:
        news.clear()
        if await _pass_on(database, gateway):
            pause = _FIRST_PAUSE
            await news.wait()
            continue
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await news.wait()
        pause = min(2 * pause, _LONGEST_PAUSE)


async def _pass_on(database: Database, gateway: GatewayClient) -> bool:
    """Ask the gateway for every erasure; False if some have to be asked for again."""
    done = True
    for wish in await database.read(_pending):
        try:
            await gateway.erase_person(wish.consumer, wish.connector)
            await database.write(partial(_settle, wish=wish))
        except (GatewayError, sqlite3.Error) as exc:
            done = False
            _log.warning("erasure_delayed: %s; it is tried again", exc)
    return done


def _pending(db: sqlite3.Connection) -> list[_Wish]:
    return [_Wish(*row) for row in db.execute("SELECT * FROM requested_erasures").fetchall()]


def _settle(db: sqlite3.Connection, wish: _Wish) -> None:
    db.execute("DELETE FROM requested_erasures WHERE conversation = ?", (wish.conversation,))
    audit_log.record(db, now(), _CONSUMER, "erased", conversation=wish.conversation)
