"""Flaws in the limits of accounts, and in what a signature covers."""

from dataclasses import replace
from typing import Any, ClassVar

from connectors import Call, Limit, Message, Request, Text, TextLimits
from tests.connectors.sound import Acme

from .calls import SendFlow
from .registry import fails


@fails("limits_are_valid_for_every_account")
class AllowsNoTextFromTheShop(Acme):
    def limits(self, account: str) -> TextLimits:
        return TextLimits(0 if account == "shop-1" else 100)


@fails("limits_are_valid_for_every_account")
class HasAWindowOfNoLength(Acme):
    def limits(self, account: str) -> TextLimits:
        return TextLimits(100, reply_window=0.0)


@fails("the_longest_text_of_an_account_is_sent_whole")
class TruncatesTextsOfTheShop(Acme):
    def send_text(self, out: Text) -> SendFlow:
        text = out.text[:50] if out.account == "shop-1" else out.text
        message = {"to": out.to, "text": text, "key": out.key}
        reply = yield Call("POST", f"{self.config.api}/send", json=message)
        raise self.refusal(reply)


@fails("extra_is_small")
class PassesOnEverything(Acme):
    def message(self, raw: Any) -> Message:
        return replace(super().message(raw), extra={"raw": [raw] * 500})


@fails("verify_rejects_a_change_to_each_covered_part")
class NamesPartsButCoversTheBody(Acme):
    covered = frozenset({"updates.0.text"})


@fails("verify_rejects_a_change_to_each_covered_part")
class NamesAPartThatNobodySends(Acme):
    covers = frozenset({"body", "part"})
    covered = frozenset({"header:x-time"})


@fails("verify_rejects_a_change_to_each_covered_part")
class SignsNothingOfWhatItNames(Acme):
    covers: ClassVar = frozenset({"part"})
    covered: ClassVar = frozenset({"updates.0.text"})

    def verify(self, request: Request) -> None:
        del request


@fails("quantities_are_in_the_units_of_the_contract")
class GivesALimitInMegabytes(Acme):
    capabilities = replace(Acme.capabilities, limits={"photo": Limit(max_bytes=5)})


@fails("quantities_are_in_the_units_of_the_contract")
class GivesTheWindowInHours(Acme):
    capabilities = replace(Acme.capabilities, reply_window=24.0)


@fails("no_recorded_file_is_larger_than_its_limit")
class DeclaresLessThanItShows(Acme):
    capabilities = replace(Acme.capabilities, limits={"photo": Limit(max_bytes=50_000)})
