"""A correct connector that fetches a token for its calls."""

from collections.abc import Generator, Mapping
from datetime import datetime

from connectors import Call, Reply, Token, oauth_token
from tests.connectors.sound import Acme

TokenFlow = Generator[Call, Reply, Token]


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
