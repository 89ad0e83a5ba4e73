"""Status of agents' texts: it only moves forward, and a receipt may come before the platform's response.

A later `delivered` or `read` replaces `failed`, because it shows that the text did arrive. A receipt that comes while
a request is in flight is kept in the table `early` until the response shows which message the receipt is about.
"""

from collections.abc import Sequence
from typing import Any, Literal

from gateway.events.envelope import about
from gateway.events.event_types import StatusChange
from gateway.identifiers import Identifiers
from gateway.journal.records import NO_CAUSE, Cause, Recorded, RecordedText
from gateway.timestamps import now_ms
from normalizer.events import Status

from .event_content import explain
from .foreseen import Foreseen, SentPart
from .outbox import Outbox
from .transaction import Transaction
from .views import CONVERSATION, conversation_of

_RANK = {"waiting": 0, "trying": 0, "unknown": 1, "sent": 2, "failed": 3, "delivered": 4, "read": 5}
_LOCK_CONVERSATION = """SELECT 1 FROM outgoing o JOIN conversation c ON c.key = o.conversation
    WHERE o.key = ? /* lock c */"""
#: Allowed difference (ms) between the clocks of platform and gateway when a watermark is compared.
_CLOCK_SLACK_MS = 2_000


def sent_part(connection: Transaction, foreseen: Foreseen, platform_id: str) -> SentPart | None:
    """Return the part of an agent's text that has a platform's id; None if there is none."""
    if platform_id in foreseen.parts:
        return foreseen.parts[platform_id]
    row = connection.execute(
        "SELECT p.outgoing, p.position, o.id FROM part p JOIN outgoing o ON o.key = p.outgoing "
        "WHERE p.platform_id = ?",
        (platform_id,),
    ).fetchone()
    return None if row is None else SentPart(*row)


def text_of_key(key: str) -> tuple[str, str]:
    """Return the id of an agent's text and the position of a part from the key under which the part was sent."""
    id, _, position = key.rpartition("-")
    return id, position


def keep_early_receipt(
    connection: Transaction,
    foreseen: Foreseen,
    conversation: int,
    platform_id: str,
    status: str,
    cause: Cause,
) -> bool:
    """Keep a receipt that came before the platform's response; False if no request is in flight."""
    if not _has_request_in_flight(connection, foreseen, conversation):
        return False
    previous = connection.execute(
        "SELECT status FROM early WHERE platform_id = ?", (platform_id,)
    ).fetchone()
    if previous is None or _RANK[status] > _RANK[previous[0]]:
        connection.execute(
            "INSERT INTO early (platform_id, status, reason, code, detail, seen_at) "
            "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (platform_id) DO UPDATE SET status = excluded.status, "
            "reason = excluded.reason, code = excluded.code, detail = excluded.detail, "
            "seen_at = excluded.seen_at",
            (platform_id, status, *cause, now_ms()),
        )
    return True


def keep_early_watermark(
    connection: Transaction, foreseen: Foreseen, conversation: int, watermark: int, status: str
) -> bool:
    """Keep a receipt with a watermark (ms) until the response shows which texts it covers; False as above."""
    if not _has_request_in_flight(connection, foreseen, conversation):
        return False
    connection.execute(
        "INSERT INTO early (platform_id, status, seen_at) VALUES (?, ?, ?) ON CONFLICT (platform_id) "
        "DO UPDATE SET seen_at = CASE WHEN excluded.seen_at > early.seen_at THEN excluded.seen_at "
        "ELSE early.seen_at END",
        (_watermark_key(conversation, status), status, watermark),
    )
    return True


def _has_request_in_flight(connection: Transaction, foreseen: Foreseen, conversation: int) -> bool:
    known = foreseen.open_texts.get(conversation)
    if known is not None:
        return known.in_flight
    in_flight = connection.execute(
        "SELECT 1 FROM part p JOIN outgoing o ON o.key = p.outgoing "
        "WHERE o.conversation = ? AND p.state = 'trying'",
        (conversation,),
    )
    return in_flight.fetchone() is not None


def _watermark_key(conversation: int, status: str) -> str:
    """Return the key of a watermark in place of a platform's id; no id contains a space."""
    return f"up to {conversation} {status}"


class ReceiptTracker:
    """Updates the status of parts, and announces when the status of a whole text has changed."""

    def __init__(
        self,
        connection: Transaction,
        ids: Identifiers,
        outbox: Outbox,
        foreseen: Foreseen | None = None,
    ) -> None:
        self._connection = connection
        self._ids = ids
        self._outbox = outbox
        self._foreseen = foreseen or Foreseen()

    def settle(
        self,
        outgoing: int,
        position: int,
        state: str,
        *,
        platform_id: str | None = None,
        cause: Cause = NO_CAUSE,
    ) -> Recorded:
        """Record that a part reached `state`. If it failed, the parts after it are not sent and fail, too."""
        # A receipt is recorded under this lock, too: by now it is in `early`, or it will find this part.
        self._connection.execute(_LOCK_CONVERSATION, (outgoing,))
        row = self._connection.execute(
            "SELECT state FROM part WHERE outgoing = ? AND position = ?", (outgoing, position)
        ).fetchone()
        if row is None:
            return Recorded()
        if platform_id is not None:
            self._foreseen.part_sent(platform_id)
            state, cause = self._with_early_receipts(outgoing, platform_id, state, cause)
            self._connection.execute(
                "UPDATE part SET platform_id = coalesce(platform_id, ?), sent_at = coalesce(sent_at, ?) "
                "WHERE outgoing = ? AND position = ?",
                (platform_id, now_ms(), outgoing, position),
            )
        if _RANK[state] <= _RANK[row[0]]:
            return Recorded()
        self._connection.execute(
            "UPDATE part SET state = ?, reason = ?, code = ?, detail = ?, due = NULL, "
            "sent_at = coalesce(sent_at, ?) WHERE outgoing = ? AND position = ?",
            (state, *cause, now_ms(), outgoing, position),
        )
        if state in {"failed", "unknown"}:
            self._connection.execute(
                "UPDATE part SET state = 'failed', reason = ?, code = ?, detail = ?, due = NULL "
                "WHERE outgoing = ? AND position > ? AND state = 'waiting'",
                (*cause, outgoing, position),
            )
        if cause.reason == "opted_out":
            self._connection.execute(
                "UPDATE conversation SET opted_out = 1 "
                "WHERE key = (SELECT conversation FROM outgoing WHERE key = ?)",
                (outgoing,),
            )
        return self._announce_status(outgoing)

    def _with_early_receipts(
        self, outgoing: int, platform_id: str, state: str, cause: Cause
    ) -> tuple[str, Cause]:
        """Return the status of an early receipt for this message if that is further than `state`."""
        (conversation,) = self._connection.execute(
            "SELECT conversation FROM outgoing WHERE key = ?", (outgoing,)
        ).fetchone()
        keys = [_watermark_key(conversation, status) for status in ("delivered", "read")]
        early = self._connection.execute(
            "DELETE FROM early WHERE platform_id = ? OR (platform_id IN (?, ?) AND seen_at >= ?) "
            "RETURNING status, reason, code, detail",
            (platform_id, *keys, now_ms() - _CLOCK_SLACK_MS),
        ).fetchall()
        furthest = (state, cause)
        for early_state, *early_cause in early:
            if _RANK[early_state] > _RANK[furthest[0]]:
                furthest = (early_state, Cause(*early_cause))
        return furthest

    def by_key(
        self, key: str, state: str, *, platform_id: str | None = None, cause: Cause = NO_CAUSE
    ) -> Recorded | None:
        """Settle the part that was sent under the gateway's `key`; None if there is no such part."""
        id, position = text_of_key(key)
        text = self._text(id)
        if text is None or not position.isdigit():
            return None
        return self.settle(text, int(position), state, platform_id=platform_id, cause=cause)

    def _text(self, id: str) -> int | None:
        """Return the key of an agent's text; None if there is none with this id."""
        if id in self._foreseen.texts:
            return self._foreseen.texts[id]
        row = self._connection.execute("SELECT key FROM outgoing WHERE id = ?", (id,)).fetchone()
        return None if row is None else int(row[0])

    def by_platform_id(
        self, platform_id: str, state: str, cause: Cause = NO_CAUSE
    ) -> Recorded | None:
        """Settle the part with the id `platform_id`; None if there is no such part."""
        part = sent_part(self._connection, self._foreseen, platform_id)
        return self.settle(part.outgoing, part.position, state, cause=cause) if part else None

    def in_flight(
        self, connector: str, account: str, consumer: str, text: str, platform_id: str
    ) -> Recorded | None:
        """Settle as sent the part with these words whose request has no response yet; None if there is no such part."""
        row = self._connection.execute(
            "SELECT p.outgoing, p.position FROM part p JOIN outgoing o ON o.key = p.outgoing "
            "JOIN conversation c ON c.key = o.conversation "
            "WHERE p.state = 'trying' AND p.platform_id IS NULL AND p.text = ? "
            "AND c.connector = ? AND c.account = ? AND c.consumer = ? ORDER BY p.outgoing LIMIT 1",
            (text, connector, account, consumer),
        ).fetchone()
        return self.settle(row[0], row[1], "sent", platform_id=platform_id) if row else None

    def up_to(self, conversation: int, watermark: int, state: str) -> Recorded:
        """Settle every part of a conversation that was sent before `watermark` (ms)."""
        known = self._foreseen.open_texts.get(conversation)
        if known is not None and not known.sent:
            return Recorded()
        rows = self._connection.execute(
            "SELECT p.outgoing, p.position FROM part p JOIN outgoing o ON o.key = p.outgoing "
            "WHERE o.conversation = ? AND p.sent_at <= ? AND p.state IN ('sent', 'delivered')",
            (conversation, watermark + _CLOCK_SLACK_MS),
        ).fetchall()
        settled = [self.settle(text, position, state) for text, position in rows]
        return Recorded(
            entries=tuple(entry for recorded in settled for entry in recorded.entries),
            texts=tuple(text for recorded in settled for text in recorded.texts),
        )

    def _announce_status(self, outgoing: int) -> Recorded:
        """Announce the status of a text if it has changed: failed, or the lowest status of its parts."""
        # Both are sent before the first is awaited.
        found = self._connection.execute(
            "SELECT state, platform_id, reason, code, detail FROM part WHERE outgoing = ? ORDER BY position",
            (outgoing,),
        )
        text = self._connection.execute(
            f"SELECT o.id, o.conversation, o.status, o.request_id, {CONVERSATION} FROM outgoing o "
            "JOIN conversation c ON c.key = o.conversation WHERE o.key = ?",
            (outgoing,),
        )
        parts = found.fetchall()
        if not parts:
            return Recorded()  # another node has erased the conversation meanwhile
        status, cause = _status_of_text(parts)
        row = text.fetchone()
        id, lane, previous, request_id = row[:4]
        self._foreseen.settled(lane)
        if status is None or status == previous:
            return Recorded()
        self._connection.execute(
            "UPDATE outgoing SET status = ?, reason = ?, code = ?, detail = ? WHERE key = ?",
            (status, *cause, outgoing),
        )
        event_id = self._ids.event("message.status", id, status)
        # The contract has no status `unknown`: such a text is reported as failed with the reason `unknown`.
        announced = "failed" if status == "unknown" else status
        data: StatusChange = {
            "conversation": conversation_of(row[4:]),
            "message": {"id": id, "platform_id": parts[0][1]},
            "status": announced,
            "reason": cause.reason or ("unknown" if status == "unknown" else None),
        }
        explain(data, cause.code, cause.detail)
        body = about(event_id, "message.status", now_ms(), data, request_id)
        entry = self._outbox.put(self._connection, lane, event_id, body=body)
        return Recorded(entries=(entry,), texts=(_recorded_text(data, request_id),))


def _recorded_text(data: StatusChange, request_id: str) -> RecordedText:
    """Return what the log says of a change of status."""
    conversation = data["conversation"]
    return RecordedText(
        request_id,
        conversation["connector"],
        conversation["id"],
        data["message"]["id"] or "",
        data["status"],
        data["reason"],
    )


def _status_of_text(parts: Sequence[Any]) -> tuple[Status | Literal["unknown"] | None, Cause]:
    """Return the status of a text from those of its parts; None while some parts have yet to be sent."""
    for state, _, *cause in parts:
        if state in {"failed", "unknown"}:
            return state, Cause(*cause)
    lowest = min((part[0] for part in parts), key=_RANK.__getitem__)
    return (lowest if _RANK[lowest] >= _RANK["sent"] else None), NO_CAUSE
