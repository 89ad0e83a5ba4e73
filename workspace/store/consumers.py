"""Conversations and their consumers, as events describe them: name, addresses, and how long replies are possible."""

import sqlite3
from collections.abc import Mapping
from typing import Any

from workspace.text.wording import display_address, names_in_every_language
from workspace.timestamps import parse_timestamp

from .database import next_revision
from .folding import fold
from .lines import add_notice, text_or_none

Data = Mapping[str, Any]


def upsert_conversation(db: sqlite3.Connection, data: Data, at: int, now: int) -> None:
    """Create the conversation of an event, or bring it up to date. `at` is when something last happened in it."""
    conversation = data["conversation"]
    known = db.execute("SELECT * FROM conversations WHERE id = ?", (conversation["id"],)).fetchone()
    if known is None:
        _insert(db, conversation, at)
        return
    db.execute(
        "UPDATE conversations SET active_at = max(active_at, ?), revision = ? WHERE id = ?",
        (at, next_revision(db), conversation["id"]),
    )
    if "origin" in data:
        return  # of a conversation that was merged, so it may be older than what we know
    _update_consumer(db, conversation, known, now)
    if "reply_until" in conversation:
        set_reply_until(db, conversation)


def _insert(db: sqlite3.Connection, conversation: Data, at: int) -> None:
    consumer = conversation["consumer"]
    name, address = text_or_none(consumer.get("name")), str(consumer["id"])
    db.execute(
        """INSERT INTO conversations (id, connector, platform, account, consumer_id, consumer_name,
             folded, active_at, revision) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        (
            *(conversation["id"], str(conversation["connector"]), str(conversation["platform"])),
            *(str(conversation.get("account") or ""), address, name),
            _folded(str(conversation["platform"]), name, consumer),
            *(at, next_revision(db)),
        ),
    )
    set_reply_until(db, conversation)


def _update_consumer(
    db: sqlite3.Connection, conversation: Data, known: sqlite3.Row, now: int
) -> None:
    consumer, id = conversation["consumer"], conversation["id"]
    name = text_or_none(consumer.get("name")) or known["consumer_name"]
    address = str(consumer["id"])
    db.execute(
        "UPDATE conversations SET consumer_id = ?, consumer_name = ?, folded = ? WHERE id = ?",
        (address, name, _folded(known["platform"], name, consumer), id),
    )
    if address != known["consumer_id"]:
        former, present = (
            display_address(known["platform"], one) for one in (known["consumer_id"], address)
        )
        notice = {"kind": "address_changed", "former": former, "address": present}
        add_notice(db, id, notice, now)


def _folded(platform: str, name: str | None, consumer: Data) -> str:
    """Return the name and all addresses, for the search, also as the page shows them."""
    aliases, address = consumer.get("aliases"), str(consumer["id"])
    others = aliases if isinstance(aliases, list) else ()
    shown = (*names_in_every_language(platform, name, address), display_address(platform, address))
    return fold(" ".join(str(part) for part in (*shown, address, *others)))


def set_reply_until(db: sqlite3.Connection, conversation: Data) -> None:
    until = parse_timestamp(conversation.get("reply_until"), 0) or None
    db.execute("UPDATE conversations SET reply_until = ? WHERE id = ?", (until, conversation["id"]))


def set_opted_out(db: sqlite3.Connection, conversation: str, *, opted_out: bool) -> None:
    db.execute(
        "UPDATE conversations SET opted_out = ?, revision = ? WHERE id = ? AND opted_out != ?",
        (opted_out, next_revision(db), conversation, opted_out),
    )
