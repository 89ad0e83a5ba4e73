"""Flaws in the reasons of refusals and failures."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from connectors import Attachment, Receipt, Rejected, Reply
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


@fails("a_refused_text_is_not_a_lost_file")
class TakesATextForAFile(Acme):
    def refusal(self, reply: Reply) -> Rejected:
        return _with_reason("gone", super().refusal(reply))


@fails("authorization_names_its_scheme")
class LeavesTheSchemeOut(Acme):
    def authorize(self, now: datetime) -> Mapping[str, str]:
        return {"authorization": self.config.token.get_secret_value()}


@fails("a_picture_that_is_sent_as_a_file_is_a_photo")
class TakesEveryFileForADocument(Acme):
    def file(self, raw: Any) -> Attachment:
        found = super().file(raw)
        return replace(found, kind="document" if found.media and found.media.name else found.kind)


@fails("a_reason_agrees_with_its_retry")
class RetriesAfterTheWindow(Acme):
    def refusal(self, reply: Reply) -> Rejected:
        found = super().refusal(reply)
        found.retry = found.retry or found.reason == "window_closed"
        return found


@fails("a_reason_agrees_with_its_retry")
class GivesUpOnARateLimit(Acme):
    def refusal(self, reply: Reply) -> Rejected:
        found = super().refusal(reply)
        found.retry = found.retry and found.reason != "rate_limited"
        return found
