"""Recorder: finds duplicates, numbers conversations and messages, and puts events into the outbox.

It runs inside one transaction, in the order in which deliveries were accepted.
"""

from dataclasses import dataclass, field
from typing import Any

import orjson

from gateway.events.envelope import about, render
from gateway.events.event_types import (
    AccountNoticed,
    ConversationData,
    EventType,
    Unrecognised,
)
from gateway.events.messages import ReceivedMessage
from gateway.events.types import Conversation
from gateway.identifiers import Identifiers
from gateway.journal.frames import pack
from gateway.journal.records import Batch, Job, NewAttachment, OutboxEntry, Reading, Recorded
from gateway.timestamps import rfc3339, to_ms
from normalizer.events import (
    Closed,
    Deletion,
    Echo,
    Message,
    Notice,
    Party,
    Receipt,
    Unknown,
)

from .event_content import content_of, fact, new_attachment_view, notice_of, status_of
from .message_keys import message_key
from .outbox import Outbox
from .receipts import ReceiptTracker, keep_early_receipt, keep_early_watermark
from .retention import unsend
from .transaction import Transaction
from .views import conversation_of

#: The lane of events without a conversation.
NO_CONVERSATION = 0

_CONVERSATION = "key, id, connector, platform, account, consumer, name"


@dataclass(slots=True)
class Recorder:
    """Records one batch in one transaction."""

    connection: Transaction
    ids: Identifiers
    outbox: Outbox
    hold_ms: int
    entries: list[OutboxEntry] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    duplicates: int = 0

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
            case Unknown() as unknown:
                self._unknown(reading, unknown)
            case Notice(party=None) as notice:
                self._account_notice(reading, notice)
            case Receipt() as receipt:
                self._receipt(reading, receipt)
            case Echo() as echo if self._settle_own_echo(echo):
                pass
            case event:
                if self._is_new(reading, event.id):
                    assert event.party is not None
                    key, conversation = self._conversation(reading, event.account, event.party)
                    self._apply(reading, event, key)
                    type, data = fact(self.ids, reading, event, conversation, self._target)
                    id = self.ids.event(type, reading.connector, event.id)
                    self._announce(key, id, type, reading.received_at, data)

    def _message(self, reading: Reading, message: Message) -> None:
        id = self.ids.message(reading.connector, message.id)
        if self._is_known(id):
            self.duplicates += 1
            return
        conversation_key, sequence, conversation = self._next_sequence(reading, message)
        sent_at = to_ms(message.sent_at) if message.sent_at else reading.received_at
        content = content_of(message)
        key = message_key(conversation_key, sequence)
        self.connection.execute(
            "INSERT INTO message (key, id, platform_id, sent_at, received_at, content) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (key, id, message.id, sent_at, reading.received_at, orjson.dumps(content)),
        )
        for position, attachment in enumerate(reading.attachments):
            self._attach(key, position, attachment, reading.received_at)
        if any(attachment.state == "pending" for attachment in reading.attachments):
            self._hold(conversation_key, key, id, reading.received_at)
            return
        view: ReceivedMessage = {
            "id": id,
            "platform_id": message.id,
            "sequence": sequence,
            "sent_at": rfc3339(sent_at),
            "received_at": rfc3339(reading.received_at),
            **content,
            "attachments": [
                new_attachment_view(id, position, attachment)
                for position, attachment in enumerate(reading.attachments)
            ],
        }
        self._announce(
            conversation_key,
            self.ids.event("message.received", id),
            "message.received",
            reading.received_at,
            {"conversation": conversation, "message": view},
            message=key,
        )

    def _next_sequence(self, reading: Reading, message: Message) -> tuple[int, int, Conversation]:
        """Return key, sequence number and conversation of a message; its first message creates the conversation."""
        key, conversation = self._conversation(reading, message.account, message.party)
        # Two plain statements: RETURNING was measured to take half as long again.
        self.connection.execute(
            "UPDATE conversation SET sequence = sequence + 1, heard_at = ?, closed = 0, opted_out = 0 "
            "WHERE key = ?",
            (reading.received_at, key),
        )
        (sequence,) = self.connection.execute(
            "SELECT sequence FROM conversation WHERE key = ?", (key,)
        ).fetchone()
        return key, sequence, conversation

    def _target(self, connector: str, platform_id: str) -> str:
        """Return the gateway's id of a message that the platform names: an agent's text or a consumer's message."""
        row = self.connection.execute(
            "SELECT o.id FROM part p JOIN outgoing o ON o.key = p.outgoing WHERE p.platform_id = ?",
            (platform_id,),
        ).fetchone()
        return str(row[0]) if row else self.ids.message(connector, platform_id)

    def _apply(self, reading: Reading, event: Any, conversation: int) -> None:
        """Apply the changes that a fact makes in the journal itself."""
        match event:
            case Closed():
                self._set(conversation, "closed = 1")
            case Notice(details={"opted_out": bool(opted_out)}):
                self._set(conversation, f"opted_out = {int(opted_out)}")
            case Deletion(target=target):
                id = self.ids.message(reading.connector, target)
                self.entries += unsend(self.connection, self.ids, self.outbox, id)

    def _set(self, conversation: int, what: str) -> None:
        self.connection.execute(f"UPDATE conversation SET {what} WHERE key = ?", (conversation,))

    def _is_known(self, id: str) -> bool:
        """Whether a message was recorded before; of an erased message only the id is left."""
        seen = self.connection.execute("SELECT 1 FROM message WHERE id = ?", (id,))
        return seen.fetchone() is not None

    def _attach(self, key: int, position: int, new: NewAttachment, received_at: int) -> None:
        pending = new.state == "pending"
        self.connection.execute(
            "INSERT INTO attachment (message, position, kind, state, reason, name, details, media, due, ended_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(key, position, new.kind, new.state, new.reason, new.name, new.details, new.media),
                received_at if pending else None,
                None if pending else received_at,
            ),
        )
        if pending:
            self.jobs.append(Job(key, position, received_at))

    def _hold(self, conversation: int, message: int, id: str, received_at: int) -> None:
        event_id = self.ids.event("message.received", id)
        hold_until = received_at + self.hold_ms
        self.entries.append(
            self.outbox.put(
                self.connection, conversation, event_id, message=message, hold_until=hold_until
            )
        )

    def _receipt(self, reading: Reading, receipt: Receipt) -> None:
        """Record a receipt: for agents' texts as their status, for other messages as the platform reports it."""
        if not self._is_new(reading, receipt.id):
            return
        key, conversation = self._conversation(reading, receipt.account, receipt.party)
        for platform_id in receipt.message_ids or (None,):
            if not self._update_texts(receipt, platform_id, key):
                id = self.ids.event(
                    "message.status", reading.connector, receipt.id, platform_id or ""
                )
                data = status_of(receipt, platform_id, conversation)
                self._announce(key, id, "message.status", reading.received_at, data)

    def _update_texts(self, receipt: Receipt, platform_id: str | None, conversation: int) -> bool:
        """Update the status of agents' texts; False if the receipt is about none of them."""
        tracker = ReceiptTracker(self.connection, self.ids, self.outbox)
        more = {"reason": receipt.reason}
        recorded = None
        if receipt.key is not None:
            recorded = tracker.by_key(receipt.key, receipt.status, platform_id=platform_id, **more)
        if recorded is None and platform_id is not None:
            recorded = tracker.by_platform_id(platform_id, receipt.status, receipt.reason)
            if recorded is None and keep_early_receipt(
                self.connection, conversation, platform_id, receipt.status, receipt.reason
            ):
                return True
        if recorded is None and platform_id is None and receipt.watermark is not None:
            watermark = to_ms(receipt.watermark)
            recorded = tracker.up_to(conversation, watermark, receipt.status)
            waits = keep_early_watermark(self.connection, conversation, watermark, receipt.status)
            if not (recorded.entries or waits):
                return False
        self.entries += recorded.entries if recorded else ()
        return recorded is not None

    def _settle_own_echo(self, echo: Echo) -> bool:
        """Settle the agent's text that an echo repeats as sent; False if the echo is about another message."""
        tracker = ReceiptTracker(self.connection, self.ids, self.outbox)
        recorded = None
        if echo.key is not None:
            recorded = tracker.by_key(echo.key, "sent", platform_id=echo.message_id)
        if recorded is None:
            recorded = tracker.by_platform_id(echo.message_id, "sent", None)
        self.entries += recorded.entries if recorded else ()
        return recorded is not None

    def _unknown(self, reading: Reading, unknown: Unknown) -> None:
        if not self._is_new(reading, unknown.id):
            return
        id = self.ids.event("event.unrecognised", reading.connector, unknown.id)
        data: Unrecognised = {"reason": unknown.reason, "raw": unknown.raw}
        if unknown.account is not None and unknown.party is not None:
            key, data["conversation"] = self._conversation(reading, unknown.account, unknown.party)
            self._announce(key, id, "event.unrecognised", reading.received_at, data)
        else:
            data["connector"], data["platform"] = reading.connector, reading.platform
            self._announce_without_conversation(id, "event.unrecognised", reading, data)

    def _account_notice(self, reading: Reading, notice: Notice) -> None:
        if self._is_new(reading, notice.id):
            id = self.ids.event("account.notice", reading.connector, notice.id)
            data: AccountNoticed = {
                "connector": reading.connector,
                "platform": reading.platform,
                "account": notice.account,
                "notice": notice_of(notice),
            }
            self._announce_without_conversation(id, "account.notice", reading, data)

    def _announce_without_conversation(
        self, id: str, type: EventType, reading: Reading, data: AccountNoticed | Unrecognised
    ) -> None:
        """Announce an event without a conversation; these events share a lane."""
        body = render(
            id,
            type,
            source=reading.connector,
            subject=None,
            time=reading.received_at,
            data=data,
        )
        self._put(NO_CONVERSATION, id, body, None)

    def _is_new(self, reading: Reading, event_id: str) -> bool:
        cursor = self.connection.execute(
            "INSERT OR IGNORE INTO fact (id, seen_at) VALUES (?, ?)",
            (self.ids.fact(reading.connector, event_id), reading.received_at),
        )
        if cursor.rowcount == 0:
            self.duplicates += 1
        return cursor.rowcount == 1

    def _conversation(
        self, reading: Reading, account: str, party: Party
    ) -> tuple[int, Conversation]:
        """Return the conversation with a party, found by any of the party's ids; create it if there is none."""
        ids = [
            self.ids.conversation(reading.connector, account, name)
            for name in (party.id, *party.aliases)
        ]
        row = self._find_conversation(ids)
        if row is None:
            party_columns = (reading.connector, reading.platform, account, party.id, party.name)
            row = self.connection.execute(
                "INSERT INTO conversation (id, connector, platform, account, consumer, name) "
                f"VALUES (?, ?, ?, ?, ?, ?) RETURNING {_CONVERSATION}",
                (ids[0], *party_columns),
            ).fetchone()
        key, *columns = row
        if len(ids) > 1:
            self.connection.executemany(
                "INSERT OR IGNORE INTO alias (id, conversation) VALUES (?, ?)",
                [(id, key) for id in ids],
            )
        conversation = conversation_of(columns)
        if party.name is not None and party.name != conversation["consumer"]["name"]:
            self.connection.execute(
                "UPDATE conversation SET name = ? WHERE key = ?", (party.name, key)
            )
            conversation["consumer"]["name"] = party.name
        return key, conversation

    def _find_conversation(self, ids: list[str]) -> tuple[Any, ...] | None:
        for id in ids:
            found = self.connection.execute(
                f"SELECT {_CONVERSATION} FROM conversation WHERE id = ? OR "
                "key = (SELECT conversation FROM alias WHERE id = ?)",
                (id, id),
            ).fetchone()
            if found is not None:
                return tuple(found)
        return None

    def _announce(
        self,
        key: int,
        id: str,
        type: EventType,
        time: int,
        data: ConversationData,
        message: int | None = None,
    ) -> None:
        self._put(key, id, about(id, type, time, data), message)

    def _put(self, conversation: int, event_id: str, body: bytes, message: int | None) -> None:
        self.entries.append(
            self.outbox.put(self.connection, conversation, event_id, message=message, body=body)
        )
