"""Who works on which conversation. The workspace decides; the gateway is told, and guards the media by it."""

import sqlite3
from functools import partial

from workspace.database import Database, next_revision
from workspace.upstream import Upstream


def agents_of(db: sqlite3.Connection, conversation: str) -> list[str]:
    rows = db.execute(
        "SELECT agent FROM assignments WHERE conversation = ? ORDER BY since, agent",
        (conversation,),
    )
    return [row["agent"] for row in rows]


def set_agents(db: sqlite3.Connection, conversation: str, agents: list[str], now: int) -> None:
    gone = set(agents_of(db, conversation)) - set(agents)
    for agent in gone:
        db.execute(
            "DELETE FROM assignments WHERE conversation = ? AND agent = ?", (conversation, agent)
        )
    for agent in agents:
        db.execute(
            "INSERT INTO assignments VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (conversation, agent, now),
        )
    db.execute(
        "UPDATE conversations SET revision = ? WHERE id = ?", (next_revision(db), conversation)
    )


def conversation_of(db: sqlite3.Connection, attachment: str, agent: str) -> tuple[str, bool] | None:
    """The conversation an attachment belongs to, and whether the agent is assigned to it."""
    row = db.execute(
        """SELECT m.conversation, EXISTS (SELECT 1 FROM assignments AS s
             WHERE s.conversation = m.conversation AND s.agent = ?2) AS assigned
           FROM attachments AS a JOIN messages AS m ON m.id = a.message WHERE a.id = ?1""",
        (attachment, agent),
    ).fetchone()
    return None if row is None else (row["conversation"], bool(row["assigned"]))


async def tell_gateway(database: Database, upstream: Upstream, attachment: str) -> None:
    """Repeat to the gateway who is assigned, for when it answers as though nobody were."""
    found = await database.read(partial(conversation_of, attachment=attachment, agent=""))
    if found is not None:
        conversation, _ = found
        await upstream.assign(
            conversation, await database.read(partial(agents_of, conversation=conversation))
        )
