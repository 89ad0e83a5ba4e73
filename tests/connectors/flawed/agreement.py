"""Flaws in what only machines read: sizes, languages, ids and opt-outs."""

from dataclasses import replace
from typing import Any

from connectors import AnyEvent, Attachment, Message, Notice, Reaction
from tests.connectors.sound import Acme

from .registry import fails


@fails("a_file_is_what_the_delivery_calls_it")
class TakesPhotosForDocuments(Acme):
    def file(self, raw: Any) -> Attachment:
        return replace(super().file(raw), kind="document")


@fails("a_file_is_what_the_delivery_calls_it")
class TakesVoiceForMusic(Acme):
    def file(self, raw: Any) -> Attachment:
        return replace(super().file(raw), voice=False)


@fails("a_time_is_one_of_the_deliverys_times")
class DoesNotReadTheTimeOfAnEdit(Acme):
    def message(self, raw: Any) -> Message:
        return super().message({**raw, "edited_at": None})


@fails("a_reaction_that_was_removed_has_no_emoji")
class KeepsTheEmojiUnderOneId(Acme):
    def reaction(self, raw: Any) -> Reaction:
        id = f"reaction:{raw['message_id']}:{raw['at']}"
        return replace(super().reaction(raw), id=id, emoji=raw["emoji"])


@fails("the_size_of_a_file_is_passed_on")
class LosesTheSize(Acme):
    def file(self, raw: Any) -> Attachment:
        return super().file({**raw, "size": None} if isinstance(raw, dict) else raw)


@fails("the_language_of_a_person_reaches_an_event")
class LosesTheLanguage(Acme):
    def message(self, raw: Any) -> Message:
        return replace(super().message(raw), extra=None)


@fails("the_whole_name_of_a_person_is_read")
class ReadsOnlyTheFirstName(Acme):
    def name_of(self, profile: Any) -> str | None:
        return profile.get("first_name") or profile.get("name") or None


@fails("a_second_change_of_a_message_has_another_id")
class NamesEveryReactionAlike(Acme):
    def reaction(self, raw: Any) -> Reaction:
        return replace(super().reaction(raw), id=f"reaction:{raw['message_id']}")


@fails("an_id_that_is_a_small_number_names_its_chat")
class NumbersTheMessagesOfAChat(Acme):
    def message(self, raw: Any) -> Message:
        return replace(super().message(raw), id=str(raw.get("number", raw["id"])))


@fails("an_opt_out_is_the_last_word")
class PutsTheOptOutFirst(Acme):
    opted_out = True

    def open(self, content: Any) -> list[AnyEvent]:
        found = super().open(content)
        stops = [one for one in found if isinstance(one, Message) and one.text == "STOP"]
        return [*(self.notice(one) for one in stops), *found]

    def notice(self, message: Message) -> Notice:
        return Notice(
            id=f"stop:{message.id}",
            account=message.account,
            party=message.party,
            sent_at=message.sent_at,
            kind="opt_out",
            details={"opted_out": self.opted_out},
        )


@fails("an_opt_out_is_what_its_word_says")
class TakesStopForConsent(PutsTheOptOutFirst):
    opted_out = False
