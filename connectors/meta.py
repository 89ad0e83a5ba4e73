"""Code shared by all of Meta's platforms: the webhook handshake and signature, and the Graph API."""

import hmac
import re
from abc import abstractmethod
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any, ClassVar, TypeVar
from urllib.parse import quote, urlencode

from pydantic import AfterValidator, Field, HttpUrl, SecretStr

from normalizer.events import AnyEvent, Notice

from .contract import Call, Connector, ConnectorConfig, Delivery, Purpose, Reply, Request, Response
from .errors import Forbidden, Rejected
from .tools.constant_time import constant_time_equal, matches_any
from .tools.entries import Unreadable, entries, fingerprint, open_each
from .tools.graph_errors import concerns_no_file, graph_error, verdict_on
from .tools.refusals import Code, Verdict, refusal_from
from .tools.setting_types import Secret, Secrets, require_bare, revealed

_HEADER = "x-hub-signature-256"
_SHAPE = r"sha256=([0-9a-fA-F]{64})"
_SIGNATURE = re.compile(_SHAPE)
#: An app secret is 32 hexadecimal digits; the tokens of Meta's logins begin with these letters.
_TOKEN_STARTS = ("EAA", "IGA", "IGQ")
_SECRET_SHAPE = re.compile("[0-9a-f]{32}")
#: A path may precede the version: proxies add one.
_GRAPH_PATH = re.compile(r"(?:/.*)?/v[0-9]+\.[0-9]+/*")


def _check_graph(url: HttpUrl) -> HttpUrl:
    require_bare(url)
    if not _GRAPH_PATH.fullmatch(url.path or ""):
        raise ValueError(
            "must end with the version of the Graph API, as in https://graph.facebook.com/v25.0"
        )
    return url


def _reject_tokens(secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    if any(secret.get_secret_value().startswith(_TOKEN_STARTS) for secret in secrets):
        raise ValueError(
            "holds an access token, which begins with EAA or IG; app_secrets needs the app secret, "
            "from the app's settings, Basic"
        )
    return secrets


def _reject_secret(token: SecretStr) -> SecretStr:
    if _SECRET_SHAPE.fullmatch(token.get_secret_value()):
        raise ValueError(
            "is an app secret by its form, 32 hexadecimal digits; access tokens begin with EAA or IG"
        )
    return token


#: An access token of the Graph API.
AccessToken = Annotated[Secret, AfterValidator(_reject_secret)]


class MetaConfig(ConnectorConfig):
    """The settings of all of Meta's platforms."""

    # Version 25.0 is supported until July 2028 (Graph API changelog).
    api_url: Annotated[HttpUrl, AfterValidator(_check_graph)] = Field(
        default=HttpUrl("https://graph.facebook.com/v25.0"),
        description="The Graph API, with its version",
    )
    app_secrets: Annotated[Secrets, AfterValidator(_reject_tokens)] = Field(
        description="App secrets of the app that owns the webhook; the first also signs our calls"
    )
    verify_token: Secret = Field(
        description="The verify token that Meta sends in the webhook handshake"
    )
    appsecret_proof: bool = Field(
        default=True,
        description="Add appsecret_proof to our calls; turn it off if the token belongs to another app",
    )


M = TypeVar("M", bound=MetaConfig)


class Meta(Connector[M]):
    """Base class of the connectors to Meta's platforms."""

    # Meta posts up to 1000 updates at once, and WhatsApp's payloads are documented with up to 3 MB.
    max_body = 4 * 1024 * 1024
    proof: ClassVar[Mapping[str, str]] = {_HEADER: _SHAPE}
    handshakes = frozenset({"GET"})
    #: The `object` that a delivery must have.
    object: ClassVar[str]
    codes: ClassVar[Mapping[Code, Verdict]]
    #: Codes that mean something only together with a subcode, if they have one.
    vague: ClassVar[frozenset[int]] = frozenset({100})
    #: Refusals that the HTTP status alone explains. They take precedence over error codes.
    refusals: ClassVar[Mapping[tuple[Purpose, int], Verdict]]

    def handshake(self, request: Request) -> Response:
        token = self.config.verify_token.get_secret_value()
        subscribes = request.query.get("hub.mode") == "subscribe"
        if not (
            constant_time_equal(request.query.get("hub.verify_token", ""), token) and subscribes
        ):
            return Response(status=403)
        return Response(body=request.query.get("hub.challenge", "").encode(errors="replace"))

    def verify(self, request: Request) -> None:
        # Meta also sends the older X-Hub-Signature (SHA-1). It is not sufficient.
        signature = _SIGNATURE.fullmatch(request.headers.get(_HEADER, ""))
        if signature is None:
            raise Forbidden("X-Hub-Signature-256 is missing or is not sha256=<64 hex digits>")
        given = bytes.fromhex(signature[1])
        secrets = revealed(self.config.app_secrets)
        if not matches_any((_mac(secret, request.body) for secret in secrets), given):
            raise Forbidden("X-Hub-Signature-256 matches none of app_secrets")

    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        return open_each(self._entries, [delivery.content])

    def _entries(self, content: Any) -> list[AnyEvent]:
        if content["object"] != self.object:
            raise Unreadable(f"object is not {self.object}")
        return open_each(self.read_entry, entries(content, "entry"))

    @abstractmethod
    def read_entry(self, entry: Any) -> list[AnyEvent]:
        """Return the events of one `entry`. One delivery may have entries for several accounts."""

    @abstractmethod
    def access_token_of(self, account: str) -> SecretStr:
        """Return the access token of one of our accounts; without a name, that of the first."""

    def authorize(
        self, now: datetime, token: Any = None, call: Call | None = None
    ) -> Mapping[str, str]:
        del now, token
        secret = self.access_token_of("" if call is None else call.account)
        return {"authorization": f"Bearer {secret.get_secret_value()}"}

    def refusal(self, reply: Reply) -> Rejected:
        # https://developers.facebook.com/docs/graph-api/guides/error-handling: also in replies with status 200.
        error = graph_error(reply.content.get("error") if isinstance(reply.content, dict) else None)
        verdict = self.refusals.get((reply.purpose, reply.status))
        if verdict is None and not (reply.purpose == "lookup" and concerns_no_file(error)):
            verdict = verdict_on(error, self.codes, self.vague)
        return refusal_from(reply, verdict, error.detail, code=error.code)

    def graph(self, *path: str, account: str = "", **query: str) -> str:
        """The URL of a node or edge, for a call with the token of `account`.

        https://developers.facebook.com/docs/graph-api/guides/secure-requests
        """
        if self.config.appsecret_proof:
            secret, token = self.config.app_secrets[0], self.access_token_of(account)
            query["appsecret_proof"] = appsecret_proof(
                secret.get_secret_value(), token.get_secret_value()
            )
        address = "/".join([self.config.api, *(quote(str(part), safe="") for part in path)])
        return f"{address}?{urlencode(query)}" if query else address


def appsecret_proof(secret: str, token: str) -> str:
    """The parameter that proves that the app which owns the token makes the call."""
    return _mac(secret, token.encode()).hex()


def account_notice(account: str, kind: str, raw: Any) -> AnyEvent:
    """A notice about the account rather than a conversation, such as a webhook field other than messages."""
    details = raw if isinstance(raw, dict) else {"value": raw}
    return Notice(id=f"{kind}:{fingerprint(raw)}", account=account, kind=kind, details=details)


def _mac(secret: str, message: bytes) -> bytes:
    return hmac.new(secret.encode(), message, sha256).digest()
