"""Connectors as their authors would write them: mypy checks them strictly, without casts or exemptions."""

from collections.abc import Generator, Mapping
from datetime import datetime, timedelta
from typing import ClassVar

from pydantic import Field, HttpUrl

from connectors import (
    AnyEvent,
    Call,
    Capabilities,
    Connector,
    ConnectorConfig,
    Delivery,
    Flow,
    Identifier,
    Outcome,
    Pem,
    Reply,
    Request,
    Response,
    Secret,
    TextLimits,
    Token,
    jwt,
    oauth_token,
    offers,
)


class Settings(ConnectorConfig):
    api_url: HttpUrl = Field(default=HttpUrl("https://api.acme.example"), description="The API")
    secret: Secret = Field(description="The shared secret")
    key: Pem = Field(description="The private key")
    app: Identifier = Field(description="The app's id")


class Natural(Connector[Settings]):
    api = 1
    name = "natural"
    label = "Natural"
    docs = "https://docs.acme.example"
    Config = Settings
    capabilities = Capabilities(offers(yes=("text", "send_text")), max_text=100)

    def verify(self, request: Request) -> None:
        jwt.check(
            request.headers.get("authorization", "").removeprefix("Bearer "),
            [self.config.secret],
            algorithm="HS256",
            audience=self.config.app,
            issuer="acme",
            now=request.received_at,
        )

    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        del delivery
        return []


class WithAStaticToken(Natural):
    """As every connector was written before tokens could be fetched."""

    def authorize(self, now: datetime) -> Mapping[str, str]:
        del now
        return {"authorization": f"Bearer {self.config.secret.get_secret_value()}"}

    def handshake(self, request: Request) -> Response:
        del request
        return Response(status=403)


class WithAGrant(Natural):
    """A JWT bearer grant (RFC 7523), and another scheme on another host."""

    hosts: ClassVar[frozenset[str]] = frozenset({"files.acme.example"})

    def token(self, now: datetime) -> Generator[Call, Reply, Token]:
        claims = {"iss": self.config.app, "aud": f"{self.config.api}/token"}
        assertion = jwt.mint(self.config.key, claims, algorithm="RS256", now=now, seconds=300)
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}
        reply = yield Call("POST", f"{self.config.api}/token", form=form)
        token = oauth_token(reply, now)
        if token is None:
            raise self.refusal(reply)
        return token

    def authorize(self, now: datetime, token: Token, call: Call) -> Mapping[str, str]:
        if call.url.startswith("https://files.acme.example/"):
            return {"x-key": self.config.secret.get_secret_value()}
        return {"authorization": f"Bearer {token.value}"}

    def handshake(self, request: Request) -> Response | None:
        del request
        return None

    def limits(self, account: str) -> TextLimits:
        return TextLimits(1000) if account == "sms" else super().limits(account)

    def tell_outcome(self, out: Outcome) -> Generator[Call, Reply, None]:
        yield Call("POST", f"{self.config.api}/outcomes", json={"state": out.state})


class WithSignedTokens(Natural):
    """Signs its tokens itself, without a call."""

    def token(self, now: datetime) -> Token:
        made = jwt.mint(self.config.key, {"aud": "acme"}, algorithm="RS256", now=now, seconds=900)
        return Token(made, now + timedelta(seconds=900))

    def authorize(self, now: datetime, token: Token, call: Call) -> Mapping[str, str]:
        return {"authorization": f"Bearer {token.value}"}


class WithAnOptionalToken(Natural):
    """Needs a token only with some settings."""

    def token(self, now: datetime) -> Flow[Token | None]:
        return None if self.config.app == "static" else Token("made", now + timedelta(hours=1))

    def authorize(self, now: datetime, token: Token | None, call: Call) -> Mapping[str, str]:
        return {"authorization": f"Bearer {token.value if token else 'static'}"}


class WithoutTheCall(Natural):
    """Takes the token, but not the call."""

    def token(self, now: datetime) -> Token:
        return Token("made", now + timedelta(hours=1))

    def authorize(self, now: datetime, token: Token) -> Mapping[str, str]:
        return {"authorization": f"Bearer {token.value}"}
