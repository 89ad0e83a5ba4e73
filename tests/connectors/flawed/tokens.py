"""Flaws in fetched tokens."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from connectors import Call, Token
from tests.connectors.fetching import Fetching, TokenFlow

from .registry import fails

_LATER: list[datetime] = []


@fails("a_token_is_asked_for_only_where_credentials_may_go")
class AsksAStrangerForTheToken(Fetching):
    @property
    def address(self) -> str:
        return "https://token.elsewhere.example/"


@fails("a_token_flow_refuses_a_nonsensical_reply")
class BelievesAnyReply(Fetching):
    def token(self, now: datetime) -> TokenFlow:
        reply = yield Call("POST", self.address)
        return Token(reply.content["access_token"], now + timedelta(hours=1))


@fails("a_token_is_valid_and_expires_later")
class CountsFromItsOwnClock(Fetching):
    def token(self, now: datetime) -> TokenFlow:
        reply = yield Call("POST", self.address)
        _LATER.append(now + timedelta(hours=1))
        match reply.content:
            case {"access_token": str(value)} if value:
                return Token(value, _LATER[0])
        raise self.refusal(reply)


@fails("a_token_is_valid_and_expires_later")
class MintsATokenThatHasExpired(Fetching):
    def token(self, now: datetime) -> Token:  # type: ignore[override]  # no calls
        return Token("minted", datetime.fromtimestamp(1_700_000_000, now.tzinfo))


@fails("a_token_flow_makes_the_same_calls_again")
class NumbersItsAttempts(Fetching):
    attempts = 0

    @property
    def address(self) -> str:
        type(self).attempts += 1
        return f"{self.config.api}/token/{self.attempts}"


@fails("authorize_uses_the_token_it_is_given")
class ForgetsTheToken(Fetching):
    def authorize(self, now: datetime, token: Token, call: Call) -> Mapping[str, str]:  # type: ignore[override]  # Acme has only `now`
        return {"authorization": f"Bearer {self.config.token.get_secret_value()}"}
