"""Which conversations an agent may read: all of them, or only the agent's own and those that nobody has.

Pages have to drop what their agent may no longer read, so the moment at which a conversation left an agent is kept.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .database import next_revision

#: In place of an agent: everyone who is not assigned.
_EVERYONE = ""

_ASSIGNED = "SELECT 1 FROM assignments WHERE conversation = c.id"

#: The condition for a conversation `c` that the scope contains. Its parameters are those of `Scope.parameters`.
READABLE = f"(NOT :own_only OR NOT EXISTS ({_ASSIGNED}) OR EXISTS ({_ASSIGNED} AND agent = :agent))"


@dataclass(frozen=True, slots=True)
class Scope:
    """What an agent may read. With `own_only`, that is the agent's own conversations and those that nobody has."""

    agent: str
    own_only: bool = False

    @property
    def parameters(self) -> dict[str, Any]:
        return {"agent": self.agent, "own_only": self.own_only}


def is_readable(db: sqlite3.Connection, scope: Scope, conversation: str) -> bool:
    """Whether the scope contains a conversation, or the one into which it was merged. An unknown one is nobody's."""
    if not scope.own_only:
        return True
    row = db.execute(_UNREADABLE, {**scope.parameters, "id": conversation})
    return row.fetchone() is None


_UNREADABLE = f"""SELECT 1 FROM conversations AS c WHERE NOT {READABLE}
    AND c.id = coalesce((SELECT merged_into FROM conversations WHERE id = :id), :id)"""  # noqa: S608  # a constant


def agents_of(db: sqlite3.Connection, conversation: str) -> list[str]:
    """Return the assigned agents, in the order in which they came."""
    rows = db.execute(
        "SELECT agent FROM assignments WHERE conversation = ? ORDER BY since, agent",
        (conversation,),
    )
    return [row["agent"] for row in rows]


def record_departure(
    db: sqlite3.Connection, conversation: str, before: Sequence[str], after: Sequence[str]
) -> None:
    """Record for whom a conversation may have become unreadable when its agents changed."""
    left = set(before) - set(after) if before else {_EVERYONE}
    if after:
        _record(db, conversation, left)


def record_erasure(db: sqlite3.Connection, conversation: str) -> None:
    """Record that nobody can read a conversation any more."""
    db.execute("DELETE FROM departures WHERE conversation = ?", (conversation,))
    _record(db, conversation, {_EVERYONE})


def _record(db: sqlite3.Connection, conversation: str, agents: set[str]) -> None:
    for agent in agents:
        db.execute(
            "INSERT OR REPLACE INTO departures (conversation, agent, revision) VALUES (?, ?, ?)",
            (conversation, agent, next_revision(db)),
        )


def departed(db: sqlite3.Connection, scope: Scope, since: int, up_to: int) -> list[str]:
    """Return the conversations that left the scope between two revisions."""
    rows = db.execute(
        f"""SELECT DISTINCT d.conversation FROM departures AS d
            LEFT JOIN conversations AS c ON c.id = d.conversation
            WHERE d.revision > :since AND d.revision <= :up_to AND d.agent IN (:agent, :everyone)
              AND (c.id IS NULL OR NOT {READABLE})""",  # noqa: S608  # a constant
        {**scope.parameters, "everyone": _EVERYONE, "since": since, "up_to": up_to},
    )
    return [row["conversation"] for row in rows]
