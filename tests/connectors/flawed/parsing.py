"""Flaws in `parse`."""

import itertools
from collections.abc import Generator
from dataclasses import replace
from typing import Any, ClassVar

from connectors import (
    AnyEvent,
    Attachment,
    Call,
    Deletion,
    Delivery,
    Download,
    MediaRef,
    Message,
    Notice,
    Party,
    Receipt,
    Reply,
    Sent,
    fingerprint,
    open_each,
    read_each,
)
from tests.connectors.sound import SECRET, Acme

from .registry import fails

Flow = Generator[Call, Reply, Download]
SendFlow = Generator[Call, Reply, Sent]

BATCH = "a_batch_yields_the_events_of_its_entries"
NEIGHBOURS = "a_bad_entry_does_not_affect_its_neighbours"
TWICE = "parse_is_repeatable_and_leaves_its_input_unchanged"
IDS = "every_event_has_an_id_of_its_own"


@fails(BATCH)
class ReadsOnlyTheFirstEntry(Acme):
    def open(self, content: Any) -> list[AnyEvent]:
        return super().open({"updates": content["updates"][:1]})


@fails(BATCH)
class ReadsOnlyTheLastEntry(Acme):
    def open(self, content: Any) -> list[AnyEvent]:
        return super().open({"updates": content["updates"][-1:]})


@fails(NEIGHBOURS)
class ExpectsOneEntry(Acme):
    def open(self, content: Any) -> list[AnyEvent]:
        return read_each(self.read, [content["updates"][0]])


@fails("parse_turns_damaged_entries_into_unknown_events")
class RaisesForABadEntry(Acme):
    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        return [self.read(raw) for raw in delivery.content["updates"]]


@fails(NEIGHBOURS)
class StopsAtABadEntry(Acme):
    def open(self, content: Any) -> list[AnyEvent]:
        events = super().open(content)
        good = itertools.takewhile(lambda event: event.type != "unknown", events)
        return [*good, *(event for event in events if event.type == "unknown")]


@fails(NEIGHBOURS)
class LosesTheBatchToOneBadEntry(Acme):
    def open(self, content: Any) -> list[AnyEvent]:
        return [self.read(raw) for raw in content["updates"]]


@fails(NEIGHBOURS)
class DropsUnreadableEntries(Acme):
    def open(self, content: Any) -> list[AnyEvent]:
        return [event for event in super().open(content) if event.type != "unknown"]


@fails("parse_turns_invalid_content_into_one_unknown_event")
class SwallowsInvalidContent(Acme):
    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        try:
            return super().open(delivery.content)
        except (KeyError, TypeError, AttributeError):
            return []


@fails("parse_turns_invalid_content_into_one_unknown_event")
class RaisesForInvalidContent(Acme):
    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        return super().open(delivery.content)


@fails("parse_turns_invalid_content_into_one_unknown_event")
class DropsTheRawEntry(Acme):
    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        events = super().parse(delivery)
        return [replace(one, raw=None) if one.type == "unknown" else one for one in events]


@fails("parse_turns_damaged_entries_into_unknown_events")
class QuotesUnreadableEntries(Acme):
    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        events = super().parse(delivery)
        return [
            replace(one, reason=f"cannot read {one.raw}") if one.type == "unknown" else one
            for one in events
        ]


@fails("parse_turns_damaged_entries_into_unknown_events")
class DoesNotCheckTypes(Acme):
    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        return open_each(lambda raw: [self.read(one) for one in raw["updates"]], [delivery.content])


@fails("event_ids_do_not_depend_on_the_batch_order")
class NumbersEntries(Acme):
    def open(self, content: Any) -> list[AnyEvent]:
        numbered = [{**raw, "id": f"{at}"} for at, raw in enumerate(content["updates"])]
        return super().open({"updates": numbered})


@fails(BATCH)
class NamesTheFirstSenderForAll(Acme):
    def open(self, content: Any) -> list[AnyEvent]:
        first = content["updates"][0]["from"]
        return super().open({"updates": [{**raw, "from": first} for raw in content["updates"]]})


@fails("parse_returns_the_recorded_events")
class ReversesTheOrder(Acme):
    def open(self, content: Any) -> list[AnyEvent]:
        return super().open(content)[::-1]


@fails(TWICE)
class ChangesItsInput(Acme):
    def message(self, raw: Any) -> Message:
        return super().message({**raw, "text": raw.pop("text")})


@fails(TWICE)
class NumbersMessages(Acme):
    numbers = itertools.count()

    def message(self, raw: Any) -> Message:
        return super().message({**raw, "id": f"{next(self.numbers)}"})


@fails(TWICE)
class RemembersEvents(Acme):
    seen: ClassVar[set[str]] = set()

    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        events = [event for event in super().parse(delivery) if event.id not in self.seen]
        self.seen.update(event.id for event in events)
        return events


@fails("parse_gives_a_later_repeat_the_same_ids")
class BuildsIdsFromTheTimeOfReceipt(Acme):
    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        stamp = delivery.received_at.isoformat()
        return [replace(event, id=f"{event.id}:{stamp}") for event in super().parse(delivery)]


@fails(IDS)
class GivesAllMessagesOneId(Acme):
    def message(self, raw: Any) -> Message:
        return super().message({**raw, "id": "1"})


@fails("no_two_recordings_share_an_id_for_different_facts")
class GivesAReceiptTheIdOfAMessage(Acme):
    def read(self, raw: Any) -> AnyEvent:
        found = super().read(raw)
        return replace(found, id="1") if found.type == "receipt" else found


@fails("no_two_recordings_share_an_id_for_different_facts")
class BuildsIdsFromTheSender(Acme):
    def message(self, raw: Any) -> Message:
        return super().message({**raw, "id": f"{raw['from']}:{len(raw['text'])}"})


@fails("every_event_names_its_account_and_party")
class OmitsTheAccount(Acme):
    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        return [replace(event, account="") for event in super().parse(delivery)]


@fails("an_optional_field_may_also_be_null_or_blank")
class TestsForAFieldWithIn(Acme):
    def message(self, raw: Any) -> Message:
        found = super().message(raw)
        return (
            replace(found, text=found.text and found.text[:])
            if "file" not in raw
            else self.shown(raw)
        )

    def shown(self, raw: Any) -> Message:
        return super().message({**raw, "file": raw["file"].strip()})


@fails("no_id_is_built_from_a_null_field")
class BuildsIdsFromNull(Acme):
    def receipt(self, raw: Any) -> Receipt:
        return super().receipt({**raw, "id": str(raw["id"])})


@fails("no_media_call_is_built_from_a_null_field")
class RequestsFilesWithoutAnId(Acme):
    def message(self, raw: Any) -> Message:
        return super().message({**raw, "file": str(raw["file"])} if "file" in raw else raw)


@fails("a_bad_attachment_does_not_lose_the_text")
class LosesTheTextToABadFile(Acme):
    def message(self, raw: Any) -> Message:
        files = [self.file(one) for one in raw.get("files") or []]
        return super().message(
            {**raw, "files": [one.media.locator["id"] for one in files if one.media]}
        )


@fails("texts_hold_no_placeholder_and_times_have_a_zone")
class WritesPlaceholders(Acme):
    def message(self, raw: Any) -> Message:
        found = super().message(raw)
        return replace(found, text="[photo message]") if found.attachments else found


@fails("texts_hold_no_placeholder_and_times_have_a_zone")
class ReturnsEmptyText(Acme):
    def message(self, raw: Any) -> Message:
        return replace(super().message(raw), text=raw["text"])


@fails("texts_hold_no_placeholder_and_times_have_a_zone")
class OmitsTheTimeZone(Acme):
    def message(self, raw: Any) -> Message:
        found = super().message(raw)
        return replace(found, sent_at=found.sent_at and found.sent_at.replace(tzinfo=None))


@fails("every_attachment_has_content_or_a_reason")
class OmitsTheMediaRef(Acme):
    def message(self, raw: Any) -> Message:
        found = super().message(raw)
        return replace(found, attachments=tuple(Attachment(a.kind) for a in found.attachments))


@fails("events_survive_serialization_and_hold_no_secret")
class PutsTheSecretIntoALocator(Acme):
    def message(self, raw: Any) -> Message:
        ref = MediaRef({"id": "f1", "secret": SECRET})
        return replace(super().message(raw), attachments=(Attachment("photo", ref),))


@fails("parse_works_without_headers_and_query")
class RequiresAHeader(Acme):
    keeps = frozenset({"x-shop"})

    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        shop = delivery.headers["x-shop"]
        return [event for event in super().parse(delivery) if event.account == shop]


@fails("parse_returns_the_recorded_events")
class ReturnsANoticeForADeletion(Acme):
    def read(self, raw: Any) -> AnyEvent:
        party = Party(raw["from"])
        gone = Deletion(id=f"gone:{raw['id']}", account="shop-1", party=party, target=raw["id"])
        notice = Notice(id=f"note:{fingerprint(raw)}", account="shop-1", party=party, kind="gone")
        return super().read(raw) if raw["kind"] == "message" else (notice or gone)
