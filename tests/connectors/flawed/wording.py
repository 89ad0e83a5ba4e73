"""Flaws in the reasons of refusals and failures."""

from dataclasses import replace
from typing import Any

from connectors import Receipt, Rejected, Reply
from tests.connectors.sound import Acme

from .registry import fails


def _with_reason(reason: str, found: Rejected) -> Rejected:
    return Rejected(
        reason,
        retry=found.retry,
        after=found.after,
        code=found.code,
        detail=found.detail,
        operator=found.operator,
        explained=found.explained,
    )


class TakesTheWindowForTheText(Acme):
    def refusal(self, reply: Reply) -> Rejected:
        found = super().refusal(reply)
        return _with_reason("invalid", found) if found.reason == "window_closed" else found


@fails("a_refused_text_has_the_reason_that_its_words_give")
class BlamesTheText(TakesTheWindowForTheText):
    pass


@fails("a_file_of_refusals_is_named_for_their_reason")
class NamesAnotherReason(TakesTheWindowForTheText):
    pass


@fails("an_unknown_reason_is_meant")
class LacksACode(Acme):
    def refusal(self, reply: Reply) -> Rejected:
        found = super().refusal(reply)
        return _with_reason("unknown", found) if found.reason == "window_closed" else found


@fails("a_failed_text_has_the_reason_that_its_words_give")
class BlamesTheConsumer(Acme):
    def failure(self, raw: Any) -> Receipt:
        return replace(super().failure(raw), reason="undeliverable")


@fails("a_code_means_the_same_in_a_receipt_and_in_a_reply")
class HasTwoTables(Acme):
    def failure(self, raw: Any) -> Receipt:
        return replace(super().failure(raw), reason="undeliverable")
