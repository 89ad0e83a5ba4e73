"""Flaws in what a delivery plainly names: persons, times, forwarding, taps; and ids of calls."""

import uuid
from collections.abc import Generator
from dataclasses import replace
from typing import Any

from connectors import Call, Message, Party, Reaction, Reply, Sent, Text, parse_timestamp
from tests.connectors.sound import Acme

from .registry import fails


@fails("the_person_who_wrote_is_the_party")
class TakesTheMessageForThePerson(Acme):
    def message(self, raw: Any) -> Message:
        return replace(super().message(raw), party=Party(raw["id"]))


@fails("the_time_of_a_message_is_read")
class LosesTheTime(Acme):
    def message(self, raw: Any) -> Message:
        return replace(super().message(raw), sent_at=None)


@fails("an_answer_has_a_time_of_its_own")
class DatesAnAnswerLikeItsQuestion(Acme):
    def message(self, raw: Any) -> Message:
        quoted = raw.get("reply_to") or {}
        return replace(super().message(raw), sent_at=parse_timestamp(quoted.get("at") or raw["at"]))


@fails("forwarding_is_shown")
class LosesForwarding(Acme):
    def message(self, raw: Any) -> Message:
        return replace(super().message(raw), forwarded=False)


@fails("a_reaction_shows_the_deliverys_emoji")
class InventsAnEmoji(Acme):
    def reaction(self, raw: Any) -> Reaction:
        return replace(super().reaction(raw), emoji="-")


@fails("a_tap_returns_its_payload")
class ReturnsTheLabel(Acme):
    def message(self, raw: Any) -> Message:
        found = super().message(raw)
        return replace(found, choice=found.text if found.choice else None)


@fails("ids_of_calls_are_used_once")
class SendsEveryTextUnderOneId(Acme):
    def send_text(self, out: Text) -> Generator[Call, Reply, Sent]:
        id = str(uuid.uuid5(uuid.NAMESPACE_URL, out.to))
        message = {"to": out.to, "text": out.text, "key": out.key, "id": id}
        reply = yield Call("POST", f"{self.config.api}/send", json=message)
        match reply.content:
            case {"id": str(found)} if found:
                return Sent(found)
        raise self.refusal(reply)
