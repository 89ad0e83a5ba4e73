"""Facts other than messages: what they change in the journal, and the events that announce them."""

from dataclasses import dataclass
from typing import Any

from gateway.events.event_types import AccountNoticed, Unrecognised
from gateway.identifiers import Identifiers
from gateway.journal.records import Cause, Reading
from gateway.timestamps import rfc3339, to_ms
from normalizer.events import (
    Closed,
    Deletion,
    Echo,
    Edit,
    Identity,
    Notice,
    Reaction,
    Receipt,
    Unknown,
)

from .announcer import Announcer
from .changes import edit, is_deleted, transcript_of, unsend
from .event_content import fact_of, notice_of, status_of
from .foreseen import Foreseen
from .known import Known
from .outbox import Outbox
from .parties import Parties, Place
from .receipts import ReceiptTracker, keep_early_receipt, keep_early_watermark
from .transaction import Transaction


@dataclass(frozen=True, slots=True)
class FactRecorder:
    """Records facts in one transaction."""

    connection: Transaction
    ids: Identifiers
    outbox: Outbox
    announcer: Announcer
    parties: Parties
    known: Known
    foreseen: Foreseen

    def fact(self, reading: Reading, event: Any) -> None:
        if not self.known.is_new(reading, event.id):
            return
        place = self.parties.place(reading, event.account, event.party, event)
        if isinstance(event, Identity) and event.text is None:
            return  # everything is said in `conversation.updated`
        if self._apply(reading, event, place):
            type, data = fact_of(reading, event, place.view, self.known.target)
            if isinstance(event, Edit):
                self._show_lines(data)
            id = self.ids.event(type, reading.connector, event.id)
            self.announcer.announce(place.key, id, type, reading.received_at, data)

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
            place.route = notice.route
            self.connection.execute(
                "UPDATE conversation SET route = ? WHERE key = ?", (notice.route, place.key)
            )

    def _open_window(self, reading: Reading, place: Place) -> None:
        until = window_end(reading)
        place.view["reply_until"] = rfc3339(until) if until is not None else None
        self.connection.execute(
            "UPDATE conversation SET heard_at = ?, reply_until = ? WHERE key = ?",
            (reading.received_at, until, place.key),
        )

    def _set(self, place: Place, what: str) -> None:
        self.connection.execute(f"UPDATE conversation SET {what} WHERE key = ?", (place.key,))

    def unknown(self, reading: Reading, unknown: Unknown) -> None:
        if not self.known.is_new(reading, unknown.id):
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
        self.announcer.announce(place.key, id, "event.unrecognised", reading.received_at, data)

    def account_notice(self, reading: Reading, notice: Notice) -> None:
        if self.known.is_new(reading, notice.id):
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

    def receipt(self, reading: Reading, receipt: Receipt) -> None:
        """Record a receipt: for agents' texts as their status, for other messages as the platform reports it."""
        if not self.known.is_new(reading, receipt.id):
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
                self.announcer.announce(place.key, id, "message.status", reading.received_at, data)

    def _update_texts(self, receipt: Receipt, platform_id: str | None, conversation: int) -> bool:
        """Update the status of agents' texts; False if the receipt is about none of them."""
        tracker = ReceiptTracker(self.connection, self.ids, self.outbox, self.foreseen)
        cause = Cause(receipt.reason, receipt.code, receipt.detail)
        recorded = None
        if receipt.key is not None:
            recorded = tracker.by_key(
                receipt.key, receipt.status, platform_id=platform_id, cause=cause
            )
        if recorded is None and platform_id is not None:
            recorded = tracker.by_platform_id(platform_id, receipt.status, cause)
            if recorded is None and keep_early_receipt(
                *(self.connection, self.foreseen, conversation),
                *(platform_id, receipt.status, cause),
            ):
                return True
        if recorded is None and platform_id is None and receipt.watermark is not None:
            watermark = to_ms(receipt.watermark)
            recorded = tracker.up_to(conversation, watermark, receipt.status)
            waits = keep_early_watermark(
                self.connection, self.foreseen, conversation, watermark, receipt.status
            )
            if not (recorded.entries or waits):
                return False
        if recorded is None:
            return False
        self.announcer.add(recorded)
        return True

    def settle_own_echo(self, reading: Reading, echo: Echo) -> bool:
        """Settle the agent's text that an echo repeats as sent; False if the echo is about another message.

        An echo may come before the platform's response names its id. Without our key, its words tell whose it is.
        """
        tracker = ReceiptTracker(self.connection, self.ids, self.outbox, self.foreseen)
        recorded = None
        if echo.key is not None:
            recorded = tracker.by_key(echo.key, "sent", platform_id=echo.message_id)
        if recorded is None:
            recorded = tracker.by_platform_id(echo.message_id, "sent")
        if recorded is None and echo.key is None and echo.text:
            recorded = tracker.in_flight(
                reading.connector, echo.account, echo.party.id, echo.text, echo.message_id
            )
        if recorded is None:
            return False
        self.announcer.add(recorded)
        return True


def window_end(reading: Reading) -> int | None:
    """Return when the platform stops accepting answers (ms) if the consumer acts now; None if it never does."""
    if reading.reply_window is None:
        return None
    return reading.received_at + reading.reply_window
