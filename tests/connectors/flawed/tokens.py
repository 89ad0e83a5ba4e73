"""Flaws in fetched tokens."""

from collections.abc import Generator, Mapping
from datetime import datetime, timedelta

from connectors import Call, Reply, Token, oauth_token
from tests.connectors.sound import Acme

from .registry import fails

TokenFlow = Generator[Call, Reply, Token]
_LATER: list[datetime] = []


class Fetching(Acme):
    """Fetches a token with its secret. The flaws below break one thing in it."""

    def token(self, now: datetime) -> TokenFlow:
        form = {"client_secret": self.config.token.get_secret_value()}
        reply = yield Call("POST", self.address, form=form)
        token = oauth_token(reply, now)
        if token is None:
            raise self.refusal(reply)
        return token

    @property
    def address(self) -> str:
        return f"{self.config.api}/token"

    def authorize(self, now: datetime, token: Token, call: Call) -> Mapping[str, str]:  # type: ignore[override]  # Acme has only `now`
        return {"authorization": f"Bearer {token.value}"}


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
