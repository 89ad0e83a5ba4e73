"""Assignment of agents to conversations. The workspace decides; the gateway gives media to assigned agents only."""

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from workspace.gateway.client import GatewayClient
from workspace.roles import Viewer
from workspace.store import audit_log, waiting
from workspace.text.language import say

from .database import Database, next_revision
from .lines import add_notice
from .merge import effective_id
from .reading import agents_of, record_departure


class NotAllowed(Exception):
    """An agent may not perform an action. The text is a sentence for the agent."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """The assigned agents of a conversation, and whether the conversation is open."""

    agents: tuple[str, ...]
    open: bool


@dataclass(frozen=True, slots=True)
class ActionRequest:
    """Who wants to perform an action. `to` is the agent who receives a hand-over, `note` is for all later agents."""

    viewer: Viewer
    to: str = ""
    note: str = ""


Rule = Callable[[Assignment, ActionRequest], Assignment]


def _take(assignment: Assignment, request: ActionRequest) -> Assignment:
    me = request.viewer.agent
    if me in assignment.agents:
        raise NotAllowed(say("assign.already"))
    if assignment.agents and not request.viewer.may("oversee"):
        raise NotAllowed(say("assign.taken", agents=say("comma").join(assignment.agents)))
    return Assignment((*assignment.agents, me), assignment.open)


def _hand_over(assignment: Assignment, request: ActionRequest) -> Assignment:
    _only_assigned(assignment, request, "hand_over")
    return Assignment((request.to,), assignment.open)


def _leave(assignment: Assignment, request: ActionRequest) -> Assignment:
    me = request.viewer.agent
    if me not in assignment.agents:
        raise NotAllowed(say("assign.not_yours"))
    return Assignment(tuple(agent for agent in assignment.agents if agent != me), assignment.open)


def _close(assignment: Assignment, request: ActionRequest) -> Assignment:
    _only_assigned(assignment, request, "close")
    return Assignment(assignment.agents, open=False)


def _reopen(assignment: Assignment, request: ActionRequest) -> Assignment:
    if assignment.agents:
        _only_assigned(assignment, request, "reopen")
    return Assignment(assignment.agents, open=True)


def _only_assigned(assignment: Assignment, request: ActionRequest, action: str) -> None:
    if request.viewer.agent not in assignment.agents and not request.viewer.may("oversee"):
        raise NotAllowed(say(f"assign.{action}"))


@dataclass(frozen=True, slots=True)
class Action:
    """`notice` is the kind of the line in the transcript, `did` the word in the audit log."""

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

#: In the demo, opening a conversation takes it. The transcript gets no line for that.
TAKE_BY_OPENING = Action(_take, None, "took")


async def perform_action(
    database: Database,
    gateway: GatewayClient,
    conversation: str,
    action: Action,
    request: ActionRequest,
    now: int,
) -> Assignment | None:
    """Perform an action, at the gateway first: an agent must lose access there before the page shows it, and a
    conversation that is closed here must be closed for the consumer, too.

    Returns None if the conversation does not exist. Raises NotAllowed or GatewayError, with nothing changed.
    """
    before = await database.read(partial(find_assignment, conversation=conversation))
    if before is None:
        return None
    after = action.rule(before, request)
    if after.agents != before.agents:
        await gateway.assign(conversation, list(after.agents))
    if after.open != before.open:
        await gateway.set_open(conversation, is_open=after.open)
    me = request.viewer.agent

    def write(db: sqlite3.Connection) -> None:
        # It may have been merged in the meantime.
        id = effective_id(db, conversation)
        _save(db, id, before, after, now)
        if action.notice:
            notice = {"kind": action.notice, "agent": request.to or me, "by": me}
            add_notice(db, id, {**notice, "note": request.note or None}, now)
        # The note itself may contain the customer's words, which the audit log must not outlive.
        did = f"{action.did} with a note" if request.note else action.did
        audit_log.record(db, now, me, did, conversation=id, detail=request.to or None)

    await database.write(write)
    return after


def find_assignment(db: sqlite3.Connection, conversation: str) -> Assignment | None:
    row = db.execute("SELECT open FROM conversations WHERE id = ?", (conversation,)).fetchone()
    if row is None:
        return None
    return Assignment(tuple(agents_of(db, conversation)), bool(row["open"]))


def _save(
    db: sqlite3.Connection, conversation: str, before: Assignment, after: Assignment, now: int
) -> None:
    """Save what an action changed; agents who came with a merge in the meantime stay."""
    for agent in set(before.agents) - set(after.agents):
        db.execute(
            "DELETE FROM assignments WHERE conversation = ? AND agent = ?", (conversation, agent)
        )
    for agent in after.agents:
        db.execute(
            "INSERT INTO assignments VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (conversation, agent, now),
        )
    db.execute(
        "UPDATE conversations SET open = ?, revision = ? WHERE id = ?",
        (after.open, next_revision(db), conversation),
    )
    if before.open != after.open:
        waiting.refresh(db, conversation)
    record_departure(db, conversation, before.agents, agents_of(db, conversation))


def conversation_of(db: sqlite3.Connection, attachment: str, agent: str) -> tuple[str, bool] | None:
    """Return the conversation of an attachment, and whether the agent is assigned to it."""
    row = db.execute(
        """SELECT m.conversation, EXISTS (SELECT 1 FROM assignments AS s
             WHERE s.conversation = m.conversation AND s.agent = ?) AS assigned
           FROM attachments AS a JOIN messages AS m ON m.id = a.message WHERE a.id = ?""",
        (agent, attachment),
    ).fetchone()
    return None if row is None else (row["conversation"], bool(row["assigned"]))


async def resend_assignment(database: Database, gateway: GatewayClient, attachment: str) -> None:
    """Send the assignment of an attachment's conversation to the gateway again, in case the gateway has lost it."""
    found = await database.read(partial(conversation_of, attachment=attachment, agent=""))
    if found is not None:
        conversation, _ = found
        await gateway.assign(
            conversation, await database.read(partial(agents_of, conversation=conversation))
        )
