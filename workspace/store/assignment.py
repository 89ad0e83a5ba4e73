"""Who works on which conversation. The workspace decides; the gateway is told, and guards the media by it."""

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from workspace.gateway.client import GatewayClient
from workspace.roles import Viewer
from workspace.store import audit_log

from .apply_event import add_notice
from .database import Database, next_revision


class NotAllowed(Exception):
    """What somebody may not do with a conversation, in words for them."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand with a conversation."""

    agents: tuple[str, ...]
    open: bool


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody wants to do. `to` is whom they hand over to."""

    viewer: Viewer
    to: str = ""


Rule = Callable[[Standing, Change], Standing]


def _take(standing: Standing, change: Change) -> Standing:
    me = change.viewer.agent
    if me in standing.agents:
        raise NotAllowed("You have this conversation already.")
    if standing.agents and not change.viewer.may("oversee"):
        raise NotAllowed(
            f"{', '.join(standing.agents)} has this conversation. Ask for a hand-over."
        )
    return Standing((*standing.agents, me), standing.open)


def _hand_over(standing: Standing, change: Change) -> Standing:
    _only_assigned(standing, change, "hand this conversation over")
    return Standing((change.to,), standing.open)


def _leave(standing: Standing, change: Change) -> Standing:
    me = change.viewer.agent
    if me not in standing.agents:
        raise NotAllowed("You do not have this conversation.")
    return Standing(tuple(agent for agent in standing.agents if agent != me), standing.open)


def _close(standing: Standing, change: Change) -> Standing:
    _only_assigned(standing, change, "close this conversation")
    return Standing(standing.agents, open=False)


def _reopen(standing: Standing, change: Change) -> Standing:
    if standing.agents:
        _only_assigned(standing, change, "re-open this conversation")
    return Standing(standing.agents, open=True)


def _only_assigned(standing: Standing, change: Change, action: str) -> None:
    if change.viewer.agent not in standing.agents and not change.viewer.may("oversee"):
        raise NotAllowed(f"Only who has a conversation, or a supervisor, may {action}.")


@dataclass(frozen=True, slots=True)
class Action:
    """`notice` is its line in the transcript, `did` its word in the audit trail."""

    rule: Rule
    notice: str | None
    did: str


ACTIONS: Mapping[str, Action] = {
    "take": Action(_take, "taken", "took"),
    "hand_over": Action(_hand_over, "handed_over", "handed over"),
    "leave": Action(_leave, "released", "left"),
    "close": Action(_close, "closed", "closed"),
    "reopen": Action(_reopen, "reopened", "re-opened"),
}

#: In the demo opening is taking, which is not worth a line.
TAKE_BY_OPENING = Action(_take, None, "took")


async def carry_out(
    database: Database,
    gateway: GatewayClient,
    conversation: str,
    action: Action,
    change: Change,
    now: int,
) -> Standing | None:
    """Do it, at the gateway first: whoever loses access must have lost it there before it is shown here.

    None if there is no such conversation; raises NotAllowed, or GatewayError with nothing changed.
    """
    before = await database.read(partial(standing_of, conversation=conversation))
    if before is None:
        return None
    after = action.rule(before, change)
    if after.agents != before.agents:
        await gateway.assign(conversation, list(after.agents))
    me = change.viewer.agent

    def write(db: sqlite3.Connection) -> None:
        _set(db, conversation, after, now)
        if action.notice:
            told = {"kind": action.notice, "agent": change.to or me, "by": me}
            add_notice(db, conversation, told, now)
        audit_log.note(db, now, me, action.did, conversation=conversation, detail=change.to or None)

    await database.write(write)
    return after


def standing_of(db: sqlite3.Connection, conversation: str) -> Standing | None:
    row = db.execute("SELECT open FROM conversations WHERE id = ?", (conversation,)).fetchone()
    if row is None:
        return None
    return Standing(tuple(agents_of(db, conversation)), bool(row["open"]))


def agents_of(db: sqlite3.Connection, conversation: str) -> list[str]:
    rows = db.execute(
        "SELECT agent FROM assignments WHERE conversation = ? ORDER BY since, agent",
        (conversation,),
    )
    return [row["agent"] for row in rows]


def _set(db: sqlite3.Connection, conversation: str, standing: Standing, now: int) -> None:
    for agent in set(agents_of(db, conversation)) - set(standing.agents):
        db.execute(
            "DELETE FROM assignments WHERE conversation = ? AND agent = ?", (conversation, agent)
        )
    for agent in standing.agents:
        db.execute(
            "INSERT INTO assignments VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (conversation, agent, now),
        )
    db.execute(
        "UPDATE conversations SET open = ?, revision = ? WHERE id = ?",
        (standing.open, next_revision(db), conversation),
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


async def tell_gateway(database: Database, gateway: GatewayClient, attachment: str) -> None:
    """Repeat to the gateway who is assigned, for when it answers as though nobody were."""
    found = await database.read(partial(conversation_of, attachment=attachment, agent=""))
    if found is not None:
        conversation, _ = found
        await gateway.assign(
            conversation, await database.read(partial(agents_of, conversation=conversation))
        )
