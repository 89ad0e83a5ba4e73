"""Rows that many events write alike, collected and written by one statement for all of them.

The operations write them one by one. They are held back until a statement follows whose result could depend on them, or
until the transaction ends.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from gateway.journal.operations.known import INSERT_FACT, INSERT_REPEATED
from gateway.journal.operations.parties import INSERT_CONVERSATION, REMEMBER_ADDRESS
from gateway.journal.operations.recorder import (
    COUNT_AND_OPT_IN,
    COUNT_MESSAGE,
    INSERT_ATTACHMENT,
    INSERT_MESSAGE,
)

from .adapters import ARRAYS

Rows = Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Bulk:
    """A statement for many rows, given as an array for each column."""

    table: str
    statement: str
    types: Sequence[str]
    #: The column of which each value is written once, with the last of its rows; None for rows that are all new.
    key: int | None = None
    #: Whether its rows may be written before other changes of the table, because nothing can have changed them yet.
    comes_first: bool = False

    def parameters(self, rows: Rows) -> list[Any]:
        if self.key is not None:
            rows = list({row[self.key]: row for row in rows}.values())
        columns = zip(*rows, strict=True)
        return [ARRAYS[type](column) for type, column in zip(self.types, columns, strict=True)]


def _insert(
    table: str,
    columns: Mapping[str, str],
    on_conflict: str = "",
    *,
    comes_first: bool = False,
) -> Bulk:
    """Insert rows; `columns` are their names and types. With `on_conflict`, the first column is their key."""
    arrays = ", ".join(f"CAST(? AS {type}[])" for type in columns.values())
    names = ", ".join(columns)
    statement = f"INSERT INTO {table} ({names}) SELECT * FROM unnest({arrays}){on_conflict}"
    key = 0 if on_conflict else None
    return Bulk(table, statement, tuple(columns.values()), key, comes_first)


def _count(further: str = "") -> Bulk:
    return Bulk(
        "conversation",
        "UPDATE conversation SET sequence = new.sequence, heard_at = new.heard_at, reply_until = new.reply_until, "
        f"route = new.route, closed = 0{further} FROM unnest(CAST(? AS bigint[]), CAST(? AS bigint[]), "
        "CAST(? AS bigint[]), CAST(? AS text[]), CAST(? AS bigint[])) AS new (sequence, heard_at, reply_until, "
        "route, key) WHERE conversation.key = new.key",
        ("bigint", "bigint", "bigint", "text", "bigint"),
        key=4,
    )


_MESSAGE = {
    "key": "bigint",
    "id": "text",
    "platform_id": "text",
    "sent_at": "bigint",
    "received_at": "bigint",
    "content": "bytea",
}
_ATTACHMENT = {
    "message": "bigint",
    "position": "bigint",
    "kind": "text",
    "state": "text",
    "reason": "text",
    "code": "text",
    "detail": "text",
    "name": "text",
    "details": "bytea",
    "media": "bytea",
    "due": "bigint",
    "ended_at": "bigint",
}
_CONVERSATION = {
    "key": "bigint",
    **dict.fromkeys(
        ("id", "connector", "platform", "account", "consumer", "name", "aliases"), "text"
    ),
}
_ALIAS = {"id": "text", "conversation": "bigint", "address": "text"}
_FACT = {"id": "text", "seen_at": "bigint"}

#: The operations' statements on the left, what is run for many of them on the right.
BULK: Mapping[str, Bulk] = MappingProxyType(
    {
        INSERT_MESSAGE: _insert("message", _MESSAGE),
        INSERT_ATTACHMENT: _insert("attachment", _ATTACHMENT),
        INSERT_CONVERSATION: _insert("conversation", _CONVERSATION, comes_first=True),
        REMEMBER_ADDRESS: _insert(
            *("alias", _ALIAS),
            " ON CONFLICT (id) DO UPDATE SET conversation = excluded.conversation, address = excluded.address",
        ),
        INSERT_FACT: _insert("fact", _FACT),
        INSERT_REPEATED: _insert(
            "fact", _FACT, " ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at"
        ),
        COUNT_MESSAGE: _count(),
        COUNT_AND_OPT_IN: _count(", opted_out = 0"),
    }
)

_DELETION = re.compile(r"DELETE FROM (?P<table>\w+) WHERE (?P<column>\w+) = \?")
_TYPES = {"int": "bigint", "str": "text"}


@lru_cache(maxsize=256)
def deletion(statement: str, kind: str) -> Bulk | None:
    """Return what removes many rows by a column with values of a kind; None if the statement does anything else."""
    found, type = _DELETION.fullmatch(statement), _TYPES.get(kind)
    if found is None or type is None:
        return None
    where = f"{found['column']} = ANY (CAST(? AS {type}[]))"
    return Bulk(found["table"], f"DELETE FROM {found['table']} WHERE {where}", (type,))


#: The lock comes first: the count needs all of `lane` before a key is drawn. A transaction draws keys for a lane while
#: no other one can, so that keys are committed in their order within each lane.
PUT = Bulk(
    "outbox",
    """WITH new AS MATERIALIZED (SELECT * FROM unnest(CAST(? AS bigint[]), CAST(? AS text[]), CAST(? AS bigint[]),
    CAST(? AS bigint[]), CAST(? AS bytea[]), CAST(? AS bigint[])) WITH ORDINALITY
    AS one (lane, event_id, message, hold_until, body, behind, place)), lane AS MATERIALIZED (
    SELECT key FROM conversation WHERE key IN (SELECT lane FROM new) ORDER BY key FOR NO KEY UPDATE)
    INSERT INTO outbox (conversation, event_id, message, hold_until, body, behind)
    SELECT lane, event_id, message, hold_until, body, behind FROM new, (SELECT count(*) FROM lane) AS locked
    ORDER BY place RETURNING key, event_id""",
    ("bigint", "text", "bigint", "bigint", "bytea", "bigint"),
)
