"""Flaws in what events say: words, people, times and ids."""

import unicodedata
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

from connectors import AnyEvent, Attachment, Deletion, Message, Party, Reaction, Receipt, location
from tests.connectors.sound import Acme

from .registry import fails

TEXTS = "a_text_arrives_as_it_was_written"
UNKNOWN = "an_unknown_type_is_never_swallowed"


@fails(UNKNOWN)
class TakesEverythingForAMessage(Acme):
    def read(self, raw: Any) -> AnyEvent:
        known = raw["kind"] in {"message", "seen", "deleted"}
        return super().read(
            raw if known else {**raw, "kind": "message", "text": "", "at": 1, "id": "?"}
        )


@fails(UNKNOWN)
class DropsWhatItDoesNotKnow(Acme):
    def open(self, content: Any) -> list[AnyEvent]:
        kinds = {"message", "seen", "deleted"}
        return super().open(
            {"updates": [one for one in content["updates"] if one["kind"] in kinds]}
        )


@fails(TEXTS)
class NormalizesTexts(Acme):
    def message(self, raw: Any) -> Message:
        return super().message({**raw, "text": unicodedata.normalize("NFC", raw["text"])})


@fails(TEXTS)
class CutsLongTexts(Acme):
    def message(self, raw: Any) -> Message:
        return super().message({**raw, "text": raw["text"][:1000]})


@fails(TEXTS)
class ReadsOnlyTheFirstLine(Acme):
    def message(self, raw: Any) -> Message:
        return super().message({**raw, "text": raw["text"].partition("\n")[0]})


@fails("what_a_person_says_reaches_an_event")
class LosesTheCaption(Acme):
    def message(self, raw: Any) -> Message:
        return super().message({**raw, "text": ""} if raw.get("file") else raw)


@fails("a_persons_name_reaches_an_event")
class LosesTheName(Acme):
    def message(self, raw: Any) -> Message:
        return super().message({**raw, "profile": None})


@fails("a_quoted_message_is_named")
class LosesTheQuote(Acme):
    def message(self, raw: Any) -> Message:
        return super().message({**raw, "reply_to": None})


@fails("an_account_is_never_also_a_consumer")
class ExchangesTheSides(Acme):
    def message(self, raw: Any) -> Message:
        found = super().message(raw)
        return replace(found, account=found.party.id, party=Party(found.account))


@fails("texts_go_from_accounts_to_consumers")
class TakesConsumersForAccounts(Acme):
    def message(self, raw: Any) -> Message:
        return replace(super().message(raw), account="consumer-1")


@fails("a_message_comes_from_its_sender")
class TakesTheRecipientForTheSender(Acme):
    def message(self, raw: Any) -> Message:
        return replace(
            super().message(raw), account=raw["from"], party=Party(raw.get("to", "shop-9"))
        )


@fails("a_time_is_one_of_the_deliverys_times")
class ReadsSecondsAsMilliseconds(Acme):
    def message(self, raw: Any) -> Message:
        found = super().message(raw)
        at = found.sent_at
        return replace(found, sent_at=at and at.fromtimestamp(at.timestamp() / 1000, UTC))


@fails("a_time_is_one_of_the_deliverys_times")
class ReadsAnotherZone(Acme):
    def message(self, raw: Any) -> Message:
        found = super().message(raw)
        return replace(found, sent_at=found.sent_at and found.sent_at + timedelta(hours=2))


@fails("a_time_with_another_zone_is_another_time")
class IgnoresTheOffset(Acme):
    def deletion(self, raw: Any) -> Deletion:
        time = raw["time"] if "+02:00" in raw["time"] else f"{raw['time'][:19]}+02:00"
        return super().deletion({**raw, "time": time})


@fails("an_id_does_not_depend_on_what_was_written")
class AddsTheTextToTheId(Acme):
    def message(self, raw: Any) -> Message:
        return super().message({**raw, "id": f"{raw['id']}:{raw['text']}"})


@fails("the_platforms_id_of_a_message_is_read")
class IgnoresTheIdOfTheMessage(Acme):
    def deletion(self, raw: Any) -> Deletion:
        return super().deletion({**raw, "message_id": f"{raw['from']}:{raw['time']}"})


@fails("what_an_event_points_to_is_in_the_delivery")
class PointsToNothing(Acme):
    def receipt(self, raw: Any) -> Receipt:
        return replace(super().receipt(raw), message_ids=())


@fails("an_event_agrees_with_its_name")
class TakesADeletionForAMessage(Acme):
    def read(self, raw: Any) -> AnyEvent:
        if raw["kind"] != "deleted":
            return super().read(raw)
        id = raw["message_id"]
        party = Party(raw["from"])
        return Message(id=f"deleted:{id}", account="shop-1", party=party, text="deleted")


@fails("a_receipt_has_the_state_that_is_reported")
class TakesReadForDelivered(Acme):
    def receipt(self, raw: Any) -> Receipt:
        return replace(super().receipt(raw), status="delivered")


@fails("a_file_has_the_kind_of_its_type")
class TakesPhotosForVideos(Acme):
    def file(self, raw: Any) -> Attachment:
        return replace(super().file(raw), kind="video")


@fails("a_location_is_where_the_delivery_says")
class ExchangesLatitudeAndLongitude(Acme):
    def place(self, raw: Any) -> Attachment:
        return location(raw["lng"], raw["lat"])


@fails("a_second_entry_is_an_event_of_its_own")
class ReadsOnlyOneEntry(Acme):
    def open(self, content: Any) -> list[AnyEvent]:
        (first, *_) = content["updates"]
        return super().open({"updates": [first]})


@fails("events_come_in_the_order_of_their_entries")
class SortsEvents(Acme):
    def open(self, content: Any) -> list[AnyEvent]:
        return sorted(super().open(content), key=lambda event: event.id)


@fails("every_file_of_a_message_is_an_attachment")
class ReadsOnlyTheFirstFile(Acme):
    def message(self, raw: Any) -> Message:
        return super().message({**raw, "files": (raw.get("files") or [])[:1]})


@fails("files_keep_their_order")
class ReversesTheFiles(Acme):
    def message(self, raw: Any) -> Message:
        return super().message({**raw, "files": (raw.get("files") or [])[::-1]})


@fails("what_a_tap_means_reaches_an_event")
class LosesTheChoice(Acme):
    def message(self, raw: Any) -> Message:
        return super().message({**raw, "payload": None})


@fails("a_flag_that_is_set_makes_a_difference")
class IgnoresForwarding(Acme):
    def message(self, raw: Any) -> Message:
        return super().message({**raw, "forwarded": False})


@fails("what_a_file_claims_is_passed_on")
class LosesNamesOfFiles(Acme):
    def file(self, raw: Any) -> Attachment:
        return super().file({**raw, "file_name": None} if isinstance(raw, dict) else raw)


@fails("every_element_of_a_list_is_read")
class ReadsOnlyOneFile(Acme):
    def message(self, raw: Any) -> Message:
        return super().message({**raw, "files": (raw.get("files") or [])[:1]})


@fails("a_failure_shows_the_platforms_code")
class LosesTheCodeOfAFailure(Acme):
    def failure(self, raw: Any) -> Receipt:
        return replace(super().failure(raw), code=None)


@fails("a_reaction_that_was_removed_has_no_emoji")
class KeepsRemovedReactions(Acme):
    def reaction(self, raw: Any) -> Reaction:
        return replace(super().reaction(raw), emoji=raw["emoji"])
