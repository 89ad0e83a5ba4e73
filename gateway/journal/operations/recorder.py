"""Recorder: finds duplicates, numbers messages, and puts events into the outbox. `facts.py` records all else.

It runs inside one transaction, in the order in which deliveries were accepted.
"""

from dataclasses import dataclass, field
from typing import Any

import orjson

from gateway.events.event_types import Echoed, Received
from gateway.identifiers import Identifiers
from gateway.journal.frames import pack
from gateway.journal.records import (
    NOBODY,
    Batch,
    Informed,
    Job,
    NewAttachment,
    Reading,
    Recorded,
    RecordedMessage,
)
from gateway.timestamps import rfc3339, to_ms
from normalizer.events import Echo, Message, Notice, Receipt, Unknown

from .announcer import Announcer
from .changes import edit, placeholder
from .event_content import content_of, echo_of, new_attachment_view
from .facts import FactRecorder, window_end
from .foreseen import Foreseen
from .known import Known
from .message_keys import conversation_of_message, echo_key, message_key
from .outbox import Outbox
from .parties import Parties, Place
from .reports import note_outcome, withdraw_closing
from .transaction import Transaction

# What nearly every message writes; an engine may write many of each with one statement.
INSERT_MESSAGE = (
    "INSERT INTO message (key, id, platform_id, sent_at, received_at, content) "
    "VALUES (?, ?, ?, ?, ?, ?)"
)
INSERT_ATTACHMENT = (
    "INSERT INTO attachment (message, position, kind, state, reason, code, detail, name, details, media, "
    "due, ended_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_COUNT = (
    "UPDATE conversation SET sequence = ?, heard_at = ?, reply_until = ?, route = ?, closed = 0"
)
COUNT_MESSAGE = f"{_COUNT} WHERE key = ?"
COUNT_AND_OPT_IN = f"{_COUNT}, opted_out = 0 WHERE key = ?"


@dataclass(slots=True)
class Recorder:
    """Records one batch in one transaction, in which the engine also removes its intake rows."""

    connection: Transaction
    ids: Identifiers
    outbox: Outbox
    hold_ms: int
    informed: Informed = NOBODY
    foreseen: Foreseen = field(default_factory=Foreseen)
    announcer: Announcer = field(init=False)
    parties: Parties = field(init=False)
    known: Known = field(init=False)
    facts: FactRecorder = field(init=False)
    jobs: list[Job] = field(default_factory=list)
    has_reports: bool = False
    messages: list[RecordedMessage] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.announcer = Announcer(self.connection, self.outbox)
        self.parties = Parties(self.connection, self.ids, self.announcer, self.foreseen)
        self.known = Known(self.connection, self.ids, self.foreseen)
        self.facts = FactRecorder(
            *(self.connection, self.ids, self.outbox, self.announcer, self.parties),
            *(self.known, self.foreseen),
        )

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
        return Recorded(
            entries=tuple(self.announcer.entries),
            jobs=tuple(self.jobs),
            duplicates=self.known.duplicates,
            new_reports=self.has_reports,
            messages=tuple(self.messages),
            texts=tuple(self.announcer.texts),
        )

    def _note(
        self, reading: Reading, place: Place | None, message: str, *, is_repeat: bool = False
    ) -> None:
        """Note a message for the log."""
        conversation = None if place is None else place.view["id"]
        self.messages.append(
            RecordedMessage(
                reading.request_id,
                reading.connector,
                conversation,
                message,
                len(reading.attachments),
                is_repeat,
            )
        )

    def _record_reading(self, reading: Reading) -> None:
        self.announcer.request_id = reading.request_id
        match reading.event:
            case Message() as message:
                self._message(reading, message)
            case Echo() as echo:
                self._echo(reading, echo)
            case Unknown() as unknown:
                self.facts.unknown(reading, unknown)
            case Notice(party=None) as notice:
                self.facts.account_notice(reading, notice)
            case Receipt() as receipt:
                self.facts.receipt(reading, receipt)
            case event:
                self.facts.fact(reading, event)

    def _message(self, reading: Reading, message: Message) -> None:
        id = self.ids.message(reading.connector, message.id)
        if self._completes(reading, message, id):
            return
        if self.known.is_known(id) or self.known.is_repeat(reading, message):
            self.known.duplicates += 1
            self._note(reading, None, id, is_repeat=True)
            return
        place = self.parties.place(reading, message.account, message.party, message)
        self._count(reading, message, place)
        self._note(reading, place, id)
        content = content_of(message, self.known.quoted(reading.connector, message.reply_to))
        if reading.request_id:
            content["request_id"] = reading.request_id
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
        self.announcer.announce(
            place.key, event_id, "message.received", reading.received_at, data, message=key
        )

    def _count(self, reading: Reading, message: Message, place: Place) -> None:
        """Give the message its sequence number, and note that the consumer wrote."""
        place.sequence += 1
        if message.history:
            self.connection.execute(
                "UPDATE conversation SET sequence = ? WHERE key = ?", (place.sequence, place.key)
            )
            return
        if reading.connector in self.informed.closed:
            withdraw_closing(self.connection, place.key)
        until = window_end(reading)
        place.view["reply_until"] = rfc3339(until) if until is not None else None
        place.route = message.route or place.route
        self.connection.execute(
            COUNT_MESSAGE if reading.reports_opt_in else COUNT_AND_OPT_IN,
            (place.sequence, reading.received_at, until, place.route, place.key),
        )

    def _echo(self, reading: Reading, echo: Echo) -> None:
        """Record a message from the business; an echo of an agent's text only settles that text."""
        id = self.ids.message(reading.connector, echo.message_id)
        if self._completes(reading, echo, id):
            return
        if self.facts.settle_own_echo(reading, echo) or not self.known.is_new(reading, echo.id):
            return
        if self.known.is_known(id):
            self.known.duplicates += 1
            self._note(reading, None, id, is_repeat=True)
            return
        place = self.parties.place(reading, echo.account, echo.party, echo)
        self._note(reading, place, id)
        (number,) = self.connection.execute(
            "UPDATE conversation SET echoes = echoes + 1 WHERE key = ? RETURNING echoes",
            (place.key,),
        ).fetchone()
        content = echo_of(echo, self.known.quoted(reading.connector, echo.reply_to))
        if reading.request_id:
            content["request_id"] = reading.request_id
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
        self.announcer.announce(
            place.key, event_id, "message.echoed", reading.received_at, data, message=key
        )

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
        self.foreseen.message_stored(id)
        self.connection.execute(
            INSERT_MESSAGE,
            (key, id, platform_id, sent_at, reading.received_at, orjson.dumps(content)),
        )
        for position, attachment in enumerate(reading.attachments):
            self._attach(reading, key, position, attachment)
        return sent_at

    def _completes(self, reading: Reading, event: Message | Echo, id: str) -> bool:
        """Give an old message the files that its platform sends after the message; False if it is not such a case."""
        if not event.history or all(one.state != "pending" for one in reading.attachments):
            return False
        key = placeholder(self.connection, id)
        if key is None:
            return False
        edit(self.connection, id, event.text)
        self.connection.execute("DELETE FROM attachment WHERE message = ?", (key,))
        for position, attachment in enumerate(reading.attachments):
            self._attach(reading, key, position, attachment)
        return True

    def _attach(self, reading: Reading, key: int, position: int, new: NewAttachment) -> None:
        received_at = reading.received_at
        pending = new.state == "pending"
        self.connection.execute(
            INSERT_ATTACHMENT,
            (
                *(key, position, new.kind, new.state, new.reason, new.code, new.detail),
                *(new.name, new.details, new.media),
                received_at if pending else None,
                None if pending else received_at,
            ),
        )
        if not pending and note_outcome(self.connection, self.informed, key, position):
            self.has_reports = True
        if pending:
            conversation = conversation_of_message(key)
            self.jobs.append(
                Job(
                    key,
                    position,
                    received_at,
                    conversation,
                    reading.connector,
                    new.media or b"",
                    is_new=True,
                )
            )

    def _holds(self, reading: Reading, place: Place, key: int, event_id: str) -> bool:
        """Hold the event of a message whose media are pending; False if there are none."""
        if all(attachment.state != "pending" for attachment in reading.attachments):
            return False
        self.announcer.hold(place.key, event_id, key, reading.received_at + self.hold_ms)
        return True


def _attachment_views(reading: Reading, message_id: str) -> list[Any]:
    return [
        new_attachment_view(message_id, position, attachment)
        for position, attachment in enumerate(reading.attachments)
    ]
