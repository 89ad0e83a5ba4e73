"""Tests of `token` and of the headers that are made of it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from connectors.contract import Call, Reply, Token
from connectors.recordings import RECEIVED_AT
from connectors.tools.authorization import headers_for_call, needs_token

from .calls import NONSENSE, CallChecks
from .exchanges import Exchange, exchanges
from .kit_token import kit_token, own_token
from .run_flow import drive, explain_crash, first_call

_DAY = timedelta(days=1)


class TokenChecks(CallChecks):
    """Tests of `token`, and of `authorize` with a token."""

    def test_a_token_is_asked_for_only_where_credentials_may_go(self) -> None:
        call = self._first(RECEIVED_AT)
        if call is not None:
            self.check_token_call(call)

    def test_a_token_flow_refuses_a_nonsensical_reply(self) -> None:
        for answer in NONSENSE if self._needs_token else ():

            def give(call: Call, at: int, answer: object = answer) -> Reply:
                del call, at
                return Reply(200, {}, answer)

            with explain_crash(f"token, answered {str(answer)[:40]}"):
                start = partial(self.connector.token, RECEIVED_AT)
                driven = drive(self.connector, start, "check", give)
            if driven.refused is not None:
                self.check_refusal(driven.refused)
            else:
                _check_token(driven.result, RECEIVED_AT)

    def test_a_token_is_valid_and_expires_later(self) -> None:
        """Now and a day later, because nothing may be kept in between."""
        for now in (RECEIVED_AT, RECEIVED_AT + _DAY):
            found = own_token(self.connector, now) if self._needs_token else None
            if found is not None:
                _check_token(found, now)
            for exchange in exchanges(self.payloads):
                if exchange.flow == "token" and exchange.refused is None:
                    _check_token(self._obtained(exchange, now), now)

    def test_a_token_flow_makes_the_same_calls_again(self) -> None:
        if self._needs_token:
            again = type(self.connector)(self.connector.config)
            start = partial(again.token, RECEIVED_AT)
            assert first_call(start) == self._first(RECEIVED_AT), (
                "the second attempt asks for the token in another way; token must depend only on `now`"
            )

    def test_authorize_uses_the_token_it_is_given(self) -> None:
        token = kit_token(self.connector)
        if token is None:
            return
        others = {name: f"{value}-other" for name, value in token.others.items()}
        other = replace(token, value=f"{token.value}-other", others=others)
        for call in self._authenticated():
            headers = [
                headers_for_call(self.connector, RECEIVED_AT, one, call) for one in (token, other)
            ]
            if headers[0] != headers[1]:
                return
        raise AssertionError(
            "no call gets headers with the token; define authorize(self, now, token, call) and use token.value"
        )

    # helpers ----------------------------------------------------------------------------------------

    @property
    def _needs_token(self) -> bool:
        return needs_token(self.connector)

    def _first(self, now: datetime) -> Call | None:
        return first_call(partial(self.connector.token, now)) if self._needs_token else None

    def _authenticated(self) -> Iterator[Call]:
        yield Call("GET", self.connector.config.api)
        for _, start in self.other_flows():
            call = first_call(start)
            if call is not None and call.auth:
                yield call

    def _obtained(self, exchange: Exchange, now: datetime) -> Any:
        def answer(call: Call, at: int) -> Reply:
            del call
            return exchange.reply(at)

        with explain_crash(exchange.name):
            start = partial(self.connector.token, now)
            return drive(self.connector, start, "check", answer).result


def _check_token(token: Any, now: datetime) -> None:
    if token is None:
        return  # the settings are enough
    assert isinstance(token, Token), f"token returned {type(token).__name__}, not a Token"
    for value in (token.value, *token.others.values()):
        assert isinstance(value, str), f"the token is a {type(value).__name__}, not text"
        assert value, "the token is empty; raise self.refusal(reply)"
        assert value.isascii(), "the token contains characters that no header can have"
        assert value.isprintable(), "the token contains characters that no header can have"
    if token.expires is not None:
        assert token.expires.tzinfo is not None, "`expires` needs a time zone; add to `now`"
        assert token.expires > now, (
            f"the token expires at {token.expires}, before it is obtained at {now}; count from `now`"
        )
