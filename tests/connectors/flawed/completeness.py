"""Flaws by which something is lost in silence: values, accounts, states, notices, whole recordings."""

from collections.abc import Generator
from dataclasses import replace
from typing import Any

from pydantic import Field

from connectors import (
    AnyEvent,
    Call,
    Deletion,
    Identifier,
    Message,
    Notice,
    Receipt,
    Reply,
    Request,
    Sent,
    Text,
    Unreadable,
)
from tests.connectors.sound import Acme, Settings

from .registry import fails


@fails("every_value_of_a_delivery_is_used")
class LosesTheQuotedMessage(Acme):
    def message(self, raw: Any) -> Message:
        return replace(super().message(raw), reply_to=None)


@fails("a_delivery_for_another_account_is_not_read_as_ours")
class ReadsWhatIsForOthers(Acme):
    def message(self, raw: Any) -> Message:
        return replace(super().message(raw), account=self.config.shop)


@fails("each_state_of_a_text_has_an_id_of_its_own")
class GivesAllStatesOneId(Acme):
    def failure(self, raw: Any) -> Receipt:
        return replace(super().failure(raw), id=f"state:{raw['id']}")

    def receipt(self, raw: Any) -> Receipt:
        return replace(super().receipt(raw), id=f"state:{raw['id']}")


@fails("a_second_notice_has_another_id")
class LetsEverybodyJoinOnce(Acme):
    def joined(self, raw: Any) -> Notice:
        return replace(super().joined(raw), id=f"joined:{raw['from']}")


@fails("a_recording_that_is_not_read_or_shown_says_so")
class CannotReadDeletions(Acme):
    def deletion(self, raw: Any) -> Deletion:
        raise Unreadable("deletions")


@fails("an_exchange_ends_as_its_replies_or_its_note_say")
class BelievesNoReply(Acme):
    def send_text(self, out: Text) -> Generator[Call, Reply, Sent]:
        message = {"to": out.to, "text": out.text, "key": out.key}
        reply = yield Call("POST", f"{self.config.api}/send", json=message)
        raise self.refusal(reply)


@fails("a_tap_shows_its_label")
class ShowsThePayload(Acme):
    def message(self, raw: Any) -> Message:
        found = super().message(raw)
        return replace(found, text=found.choice or found.text)


@fails("an_end_is_an_end")
class AnnouncesAnEnd(Acme):
    def blocked(self, raw: Any) -> AnyEvent:
        return replace(self.joined(raw), kind="blocked")


@fails("no_text_or_name_is_built_from_a_null_field")
class WritesNone(Acme):
    def message(self, raw: Any) -> Message:
        return replace(super().message(raw), text=str(raw["text"]) or None)


@fails("every_setting_is_used")
class HasASettingForNothing(Acme):
    class Config(Settings):
        branch: Identifier = Field(default="branch-1", description="The branch")


@fails("common_settings_are_left_to_airlock")
class AcceptsEverythingToReportIt(Acme):
    def verify(self, request: Request) -> None:
        if self.config.signature == "enforce":
            super().verify(request)


@fails("common_settings_are_left_to_airlock")
class LeavesPhotosOut(Acme):
    def message(self, raw: Any) -> Message:
        found = super().message(raw)
        return found if self.config.photos else replace(found, attachments=())


@fails("a_notice_does_not_say_the_opposite")
class SaysTheOpposite(Acme):
    def joined(self, raw: Any) -> Notice:
        return replace(super().joined(raw), text="Somebody has unjoined the shop")


@fails("a_second_notice_has_another_id")
class LetsEverybodySayItOnce(Acme):
    def message(self, raw: Any) -> Message:
        found = super().message(raw)
        return replace(found, id=f"{found.party.id}-{found.text}-{found.choice}-{raw.get('file')}")
