"""Flaws in what belongs together: accounts, keys, tokens and handshakes."""

from collections.abc import Generator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from connectors import (
    Call,
    Message,
    Receipt,
    Rejected,
    Reply,
    Request,
    Response,
    TextLimits,
    Token,
)
from tests.connectors.fetching import Fetching
from tests.connectors.sound import Acme

from .registry import fails

TokenFlow = Generator[Call, Reply, Token]


@fails("our_key_comes_back_with_a_status")
class LosesOurKey(Acme):
    def receipt(self, raw: Any) -> Receipt:
        return replace(super().receipt(raw), key=None)


@fails("a_key_in_the_address_reaches_the_receipt")
class DoesNotReadTheQuery(Acme):
    keeps_query = frozenset({"m"})


@fails("a_text_asks_for_its_status")
class DoesNotSendTheAddress(Acme):
    keeps_query = frozenset({"m"})


@fails("each_account_sends_its_own_texts")
class SendsFromOneBranch(Acme):
    def message(self, raw: Any) -> Message:
        return replace(super().message(raw), account=f"branch-{raw['from']}")


@fails("limits_differ_if_they_are_defined")
class LimitsAllBranchesAlike(SendsFromOneBranch):
    def limits(self, account: str) -> TextLimits:
        return super().limits(account)


@fails("a_token_is_not_kept_after_it_expires")
class KeepsTheTokenForDays(Fetching):
    def token(self, now: datetime) -> TokenFlow:
        # {"exp": 1700000000}
        value = "e30.eyJleHAiOjE3MDAwMDAwMDB9.c2lnbmVk"
        return Token(value, now + timedelta(days=9))  # type: ignore[return-value]  # as above


@fails("a_token_is_not_kept_after_it_expires")
class MakesATokenForYears(Fetching):
    def token(self, now: datetime) -> TokenFlow:
        # {"exp": 1900000000}
        value = "e30.eyJleHAiOjE5MDAwMDAwMDB9.c2lnbmVk"
        return Token(value, now + timedelta(hours=1))  # type: ignore[return-value]  # as above


@fails("a_refusal_waits_as_long_as_its_words_say")
class DoesNotReadTheWait(Acme):
    def refusal(self, reply: Reply) -> Rejected:
        content = reply.content
        if isinstance(content, dict):
            content = {name: content[name] for name in content if name != "retry_after"}
        return super().refusal(replace(reply, content=content))


@fails("a_handshake_looks_at_each_parameter")
class ShakesAnyHand(Acme):
    def answer_get(self, request: Request) -> Response | None:
        return Response(body=request.query.get("echo", "").encode(errors="replace"))
