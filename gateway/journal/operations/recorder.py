"""Recorder: finds duplicates, numbers messages, applies facts, and puts events into the outbox.

It runs inside one transaction, in the order in which deliveries were accepted.
"""

from dataclasses import dataclass, field
from typing import Any

import orjson

from gateway.events.event_types import AccountNoticed, Echoed, Received, Unrecognised
from gateway.identifiers import Identifiers
from gateway.journal.frames import pack
from gateway.journal.records import Batch, Cause, Job, NewAttachment, OutboxEntry, Reading, Recorded
from gateway.timestamps import rfc3339, to_ms
from normalizer.events import (
    Closed,
    Deletion,
    Echo,
    Edit,
    Identity,
    Message,
    Notice,
    Reaction,
    Receipt,
    Unknown,
)

from .announcer import Announcer
from .changes import edit, is_deleted, transcript_of, unsend
from .event_content import content_of, echo_of, fact, new_attachment_view, notice_of, status_of
from .message_keys import echo_key, message_key
from .outbox import Outbox
from .parties import Parties, Place
from .receipts import ReceiptTracker, keep_early_receipt, keep_early_watermark
from .transaction import Transaction


@dataclass(slots=True)
class Recorder:
    """Records one batch in one transaction."""

    connection: Transaction
    ids: Identifiers
    outbox: Outbox
    hold_ms: int
    announcer: Announcer = field(init=False)
    parties: Parties = field(init=False)
    jobs: list[Job] = field(default_factory=list)
    duplicates: int = 0

    def __post_init__(self) -> None:
        self.announcer = Announcer(self.connection, self.outbox)
        self.parties = Parties(self.connection, self.ids, self.announcer)

    @property
    def entries(self) -> list[OutboxEntry]:
        return self.announcer.entries

    def record(self, batch: Batch) -> Recorded:
        for reading in batch.readings:
            self._record_reading(reading)
        self.connection.executemany(
            "INSERT INTO unreadable (connector, received_at, reason, delivery) VALUES (?, ?, ?, ?)",
            [
                (u.delivery.connector, u.delivery.received_at, u.reason, pack(u.delivery))
                for u in batch.unreadable
            ],
        )
        self.connection.executemany(
            "DELETE FROM intake WHERE id = ?", [(id,) for id in batch.intake]
        )
        return Recorded(
            entries=tuple(self.entries), jobs=tuple(self.jobs), duplicates=self.duplicates
        )

    def _record_reading(self, reading: Reading) -> None:
        match reading.event:
            case Message() as message:
                self._message(reading, message)
            case Echo() as echo:
                self._echo(reading, echo)
            case Unknown() as unknown:
                self._unknown(reading, unknown)
            case Notice(party=None) as notice:
                self._account_notice(reading, notice)
            case Receipt() as receipt:
                self._receipt(reading, receipt)
            case event:
                self._fact(reading, event)

    # messages ------------------------------------------------------------------------------------

    def _message(self, reading: Reading, message: Message) -> None:
        id = self.ids.message(reading.connector, message.id)
        if self._is_known(id) or self._is_repeat(reading, message):
            self.duplicates += 1
            return
        place = self.parties.place(reading, message.account, message.party, message)
        self._count(reading, message, place)
        content = content_of(message, self._quoted(reading.connector, message.reply_to))
        key = message_key(place.key, place.sequence)
        sent_at = self._store(reading, message, key, id, message.id, content)
        if self._holds(reading, place, key, self.ids.event("message.received", id)):
            return
        data: Received = {
            "conversation": place.view,
            "message": {
                "id": id,
                "platform_id": message.id,
                "sequence": place.sequence,
                "sent_at": rfc3339(sent_at),
                "received_at": rfc3339(reading.received_at),
                **content,
                "attachments": _attachment_views(reading, id),
            },
        }
        event_id = self.ids.event("message.received", id)
        self._announce(place, event_id, "message.received", reading, data, message=key)

    def _count(self, reading: Reading, message: Message, place: Place) -> None:
        """Give the message its sequence number, and note that the consumer wrote."""
        place.sequence += 1
        if message.history:
            self.connection.execute(
                "UPDATE conversation SET sequence = ? WHERE key = ?", (place.sequence, place.key)
            )
            return
        until = _window_end(reading)
        place.view["reply_until"] = rfc3339(until) if until is not None else None
        opts_in = "" if reading.reports_opt_in else ", opted_out = 0"
        self.connection.execute(
            "UPDATE conversation SET sequence = ?, heard_at = ?, reply_until = ?, route = ?, "
            f"closed = 0{opts_in} WHERE key = ?",
            (
                *(place.sequence, reading.received_at, until),
                *(message.route or place.route, place.key),
            ),
        )

    def _echo(self, reading: Reading, echo: Echo) -> None:
        """Record a message from the business; an echo of an agent's text only settles that text."""
        if self._settle_own_echo(echo) or not self._is_new(reading, echo.id):
            return
        id = self.ids.message(reading.connector, echo.message_id)
        if self._is_known(id):
            self.duplicates += 1
            return
        place = self.parties.place(reading, echo.account, echo.party, echo)
        (number,) = self.connection.execute(
            "UPDATE conversation SET echoes = echoes + 1 WHERE key = ? RETURNING echoes",
            (place.key,),
        ).fetchone()
        content = echo_of(echo, self._quoted(reading.connector, echo.reply_to))
        key = echo_key(place.key, number)
        sent_at = self._store(reading, echo, key, id, echo.message_id, content)
        event_id = self.ids.event("message.echoed", reading.connector, echo.id)
        if self._holds(reading, place, key, event_id):
            return
        data: Echoed = {
            "conversation": place.view,
            "message": {
                "id": id,
                "platform_id": echo.message_id,
                "sent_at": rfc3339(sent_at),
                "received_at": rfc3339(reading.received_at),
                **content,
                "attachments": _attachment_views(reading, id),
            },
        }
        self._announce(place, event_id, "message.echoed", reading, data, message=key)

    def _store(
        self,
        reading: Reading,
        event: Message | Echo,
        key: int,
        id: str,
        platform_id: str,
        content: Any,
    ) -> int:
        """Store a message with its attachments; return when it was sent (ms)."""
        sent_at = to_ms(event.sent_at) if event.sent_at else reading.received_at
        self.connection.execute(
            "INSERT INTO message (key, id, platform_id, sent_at, received_at, content) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (key, id, platform_id, sent_at, reading.received_at, orjson.dumps(content)),
        )
        for position, attachment in enumerate(reading.attachments):
            self._attach(key, position, attachment, reading.received_at)
        return sent_at

    def _attach(self, key: int, position: int, new: NewAttachment, received_at: int) -> None:
        pending = new.state == "pending"
        self.connection.execute(
            "INSERT INTO attachment (message, position, kind, state, reason, code, detail, name, details, media, "
            "due, ended_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(key, position, new.kind, new.state, new.reason, new.code, new.detail),
                *(new.name, new.details, new.media),
                received_at if pending else None,
                None if pending else received_at,
            ),
        )
        if pending:
            self.jobs.append(Job(key, position, received_at))

    def _holds(self, reading: Reading, place: Place, key: int, event_id: str) -> bool:
        """Hold the event of a message whose media are pending; False if there are none."""
        if all(attachment.state != "pending" for attachment in reading.attachments):
            return False
        self.announcer.hold(place.key, event_id, key, reading.received_at + self.hold_ms)
        return True

    def _quoted(self, connector: str, platform_id: str | None) -> str | None:
        """Return the gateway's id of a quoted message, if it is known."""
        if platform_id is None:
            return None
        id = self._target(connector, platform_id)
        is_ours = id != self.ids.message(connector, platform_id)
        return id if is_ours or self._is_known(id) else None

    def _target(self, connector: str, platform_id: str) -> str:
        """Return the gateway's id of a message that the platform names: an agent's text or another message."""
        row = self.connection.execute(
            "SELECT o.id FROM part p JOIN outgoing o ON o.key = p.outgoing WHERE p.platform_id = ?",
            (platform_id,),
        ).fetchone()
        return str(row[0]) if row else self.ids.message(connector, platform_id)

    # facts ---------------------------------------------------------------------------------------

    def _fact(self, reading: Reading, event: Any) -> None:
        if not self._is_new(reading, event.id):
            return
        place = self.parties.place(reading, event.account, event.party, event)
        if isinstance(event, Identity) and event.text is None:
            return  # everything is said in `conversation.updated`
        if self._apply(reading, event, place):
            type, data = fact(reading, event, place.view, self._target)
            if isinstance(event, Edit):
                self._show_lines(data)
            id = self.ids.event(type, reading.connector, event.id)
            self._announce(place, id, type, reading, data)

    def _show_lines(self, edited: Any) -> None:
        """Give the event of an edit the transcript of the message as it is now, if the message is known."""
        found = transcript_of(self.connection, edited["message"]["id"])
        if found is not None:
            edited["message"]["transcript"] = found

    def _apply(self, reading: Reading, event: Any, place: Place) -> bool:
        """Apply the changes that a fact makes in the journal itself; False if it has no effect any more."""
        match event:
            case Closed():
                self._set(place, "closed = 1")
            case Notice():
                self._apply_notice(reading, event, place)
            case Reaction(opens_window=True):
                self._open_window(reading, place)
            case Edit(target=target, text=text):
                id = self.ids.message(reading.connector, target)
                if is_deleted(self.connection, id):
                    return False
                edit(self.connection, id, text)
            case Deletion(target=target):
                id = self.ids.message(reading.connector, target)
                self.announcer.entries += unsend(self.connection, self.ids, self.outbox, id)
        return True

    def _apply_notice(self, reading: Reading, notice: Notice, place: Place) -> None:
        match notice.details:
            case {"opted_out": bool(opted_out)}:
                self._set(place, f"opted_out = {int(opted_out)}")
        if notice.opens_window:
            self._open_window(reading, place)
        if notice.route is not None and notice.route != place.route:
            self.connection.execute(
                "UPDATE conversation SET route = ? WHERE key = ?", (notice.route, place.key)
            )

    def _open_window(self, reading: Reading, place: Place) -> None:
        until = _window_end(reading)
        place.view["reply_until"] = rfc3339(until) if until is not None else None
        self.connection.execute(
            "UPDATE conversation SET heard_at = ?, reply_until = ? WHERE key = ?",
            (reading.received_at, until, place.key),
        )

    def _set(self, place: Place, what: str) -> None:
        self.connection.execute(f"UPDATE conversation SET {what} WHERE key = ?", (place.key,))

    def _unknown(self, reading: Reading, unknown: Unknown) -> None:
        if not self._is_new(reading, unknown.id):
            return
        id = self.ids.event("event.unrecognised", reading.connector, unknown.id)
        data: Unrecognised = {"reason": unknown.reason, "raw": unknown.raw}
        if unknown.account is None or unknown.party is None:
            data["connector"], data["platform"] = reading.connector, reading.platform
            self.announcer.announce_without_conversation(
                id, "event.unrecognised", reading.connector, reading.received_at, data
            )
            return
        place = self.parties.place(reading, unknown.account, unknown.party, unknown)
        if unknown.opens_window:
            self._open_window(reading, place)
        data["conversation"] = place.view
        self._announce(place, id, "event.unrecognised", reading, data)

    def _account_notice(self, reading: Reading, notice: Notice) -> None:
        if self._is_new(reading, notice.id):
            id = self.ids.event("account.notice", reading.connector, notice.id)
            data: AccountNoticed = {
                "connector": reading.connector,
                "platform": reading.platform,
                "account": notice.account,
                "notice": notice_of(notice),
            }
            self.announcer.announce_without_conversation(
                id, "account.notice", reading.connector, reading.received_at, data
            )

    # receipts ------------------------------------------------------------------------------------

    def _receipt(self, reading: Reading, receipt: Receipt) -> None:
        """Record a receipt: for agents' texts as their status, for other messages as the platform reports it."""
        if not self._is_new(reading, receipt.id):
            return
        place = self.parties.place(reading, receipt.account, receipt.party, receipt)
        if receipt.reason == "opted_out":
            self._set(place, "opted_out = 1")
        for platform_id in receipt.message_ids or (None,):
            if not self._update_texts(receipt, platform_id, place.key):
                id = self.ids.event(
                    "message.status", reading.connector, receipt.id, platform_id or ""
                )
                data = status_of(receipt, platform_id, place.view)
                self._announce(place, id, "message.status", reading, data)

    def _update_texts(self, receipt: Receipt, platform_id: str | None, conversation: int) -> bool:
        """Update the status of agents' texts; False if the receipt is about none of them."""
        tracker = ReceiptTracker(self.connection, self.ids, self.outbox)
        cause = Cause(receipt.reason, receipt.code, receipt.detail)
        recorded = None
        if receipt.key is not None:
            recorded = tracker.by_key(
                receipt.key, receipt.status, platform_id=platform_id, cause=cause
            )
        if recorded is None and platform_id is not None:
            recorded = tracker.by_platform_id(platform_id, receipt.status, cause)
            if recorded is None and keep_early_receipt(
                self.connection, conversation, platform_id, receipt.status, cause
            ):
                return True
        if recorded is None and platform_id is None and receipt.watermark is not None:
            watermark = to_ms(receipt.watermark)
            recorded = tracker.up_to(conversation, watermark, receipt.status)
            waits = keep_early_watermark(self.connection, conversation, watermark, receipt.status)
            if not (recorded.entries or waits):
                return False
        self.announcer.entries += recorded.entries if recorded else ()
        return recorded is not None

    def _settle_own_echo(self, echo: Echo) -> bool:
        """Settle the agent's text that an echo repeats as sent; False if the echo is about another message."""
        tracker = ReceiptTracker(self.connection, self.ids, self.outbox)
        recorded = None
        if echo.key is not None:
            recorded = tracker.by_key(echo.key, "sent", platform_id=echo.message_id)
        if recorded is None:
            recorded = tracker.by_platform_id(echo.message_id, "sent")
        self.announcer.entries += recorded.entries if recorded else ()
        return recorded is not None

    # duplicates ----------------------------------------------------------------------------------

    def _is_known(self, id: str) -> bool:
        """Whether a message was recorded before; of an erased message only the id is left."""
        seen = self.connection.execute("SELECT 1 FROM message WHERE id = ?", (id,))
        return seen.fetchone() is not None

    def _is_repeat(self, reading: Reading, message: Message) -> bool:
        """Whether the platform sent the same act of the consumer before, under another id."""
        if message.repeat_key is None:
            return False
        return not self._remember(reading, f"repeat:{message.repeat_key}")

    def _is_new(self, reading: Reading, event_id: str) -> bool:
        is_new = self._remember(reading, event_id)
        self.duplicates += not is_new
        return is_new

    def _remember(self, reading: Reading, event_id: str) -> bool:
        """Remember a fact; False if it was known."""
        cursor = self.connection.execute(
            "INSERT OR IGNORE INTO fact (id, seen_at) VALUES (?, ?)",
            (self.ids.fact(reading.connector, event_id), reading.received_at),
        )
        return cursor.rowcount == 1

    def _announce(
        self, place: Place, id: str, type: Any, reading: Reading, data: Any, **more: int
    ) -> None:
        self.announcer.announce(place.key, id, type, reading.received_at, data, **more)


def _attachment_views(reading: Reading, message_id: str) -> list[Any]:
    return [
        new_attachment_view(message_id, position, attachment)
        for position, attachment in enumerate(reading.attachments)
    ]


def _window_end(reading: Reading) -> int | None:
    if reading.reply_window is None:
        return None
    return reading.received_at + reading.reply_window
