"""The Graph API, which Meta's platforms share: signed batches, the handshake, tokens and errors."""

import hashlib
import hmac
import json
import secrets
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal

from aiohttp import web
from yarl import URL

from .exchange import Delivered
from .platform import Handler, Platform, fresh_id

VERSION = "v25.0"

SignatureKind = Literal[
    "valid",
    "forged",
    "missing",
    "only sha1",
    "truncated",
    "unprefixed",
    "not hexadecimal",
    "not ascii",
]


def sign(secret: str, body: bytes) -> str:
    """Return the value of X-Hub-Signature-256."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def sign_sha1(secret: str, body: bytes) -> str:
    """Return the value of X-Hub-Signature, which is sent as well and is too weak to rely on."""
    return "sha1=" + hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()


def appsecret_proof(secret: str, token: str) -> str:
    """Return the value of appsecret_proof."""
    return hmac.new(secret.encode(), token.encode(), hashlib.sha256).hexdigest()


def encode_json(payload: Any) -> bytes:
    """Encode JSON as Meta does: with non-ASCII letters and slashes escaped. That form is what is signed."""
    return json.dumps(payload, separators=(",", ":")).replace("/", "\\/").encode()


#: Functions that make the value of X-Hub-Signature-256, by its defect; None leaves the header out.
SIGNATURES: dict[SignatureKind, Callable[[str, bytes], str | None]] = {
    "valid": sign,
    "forged": lambda secret, body: sign(f"not {secret}", body),
    "missing": lambda _secret, _body: None,
    "only sha1": lambda _secret, _body: None,
    "truncated": lambda secret, body: sign(secret, body)[:-2],
    "unprefixed": lambda secret, body: sign(secret, body).removeprefix("sha256="),
    "not hexadecimal": lambda _secret, _body: "sha256=" + "z" * 64,
    "not ascii": lambda _secret, _body: "sha256=" + "é" * 64,
}


def error(status: int, code: int, message: str, **more: Any) -> web.Response:
    """Return the answer with a Graph API error."""
    return web.json_response(error_body(code, message, **more), status=status)


def error_body(code: int, message: str, **more: Any) -> dict[str, Any]:
    content = {"message": f"(#{code}) {message}", "type": "OAuthException", "code": code}
    return {"error": {**content, **more, "fbtrace_id": secrets.token_urlsafe(12)}}


class Refused(Exception):
    """A call that the Graph API refuses, with the answer to it."""

    def __init__(self, answer: web.Response) -> None:
        super().__init__(answer.text)
        self.answer = answer


class Graph(Platform):
    """An app at Meta. Subclasses define the `object` of its webhooks and the form of a text."""

    object: ClassVar[str]
    #: The status of the answer to an invalid token, which differs between the products.
    bad_token_status: ClassVar[int]
    api_path: ClassVar = f"/{VERSION}"
    secret: str
    token: str
    verify_token: str
    #: "Require App Secret": every call must carry appsecret_proof.
    requires_appsecret_proof = False

    @property
    def api_url(self) -> str:
        return f"{self.origin}{self.api_path}"

    def settings(self) -> dict[str, Any]:
        return {
            **super().settings(),
            "app_secrets": [self.secret],
            "verify_token": self.verify_token,
            "access_token": self.token,
        }

    def adopt(self, config: Any) -> None:
        self.secret = config.app_secrets[0].get_secret_value()
        if config.access_token is not None:
            self.token = config.access_token.get_secret_value()

    def routes(self) -> list[web.RouteDef]:
        versioned = r"/{version:v\d+\.\d+}"
        return [
            web.get(versioned + "/{id}", self._authenticated(self.get_node)),
            web.post(versioned + "/{id}/messages", self._authenticated(self.post_messages)),
            *self.more_routes(),
            web.route("*", "/{rest:.*}", self._not_found),
        ]

    def more_routes(self) -> list[web.RouteDef]:
        return []

    @abstractmethod
    async def get_node(self, request: web.Request) -> web.StreamResponse:
        """Answer a GET of a node."""

    @abstractmethod
    async def post_messages(self, request: web.Request) -> web.StreamResponse:
        """Answer a POST to a node's messages."""

    async def handshake(self, token: str | None = None, **more: str) -> tuple[Delivered, str]:
        """Send Meta's verification request to the webhook; return the answer, and the challenge it should echo."""
        challenge = str(secrets.randbelow(10**10))
        query = {
            "hub.mode": "subscribe",
            "hub.challenge": challenge,
            "hub.verify_token": self.verify_token if token is None else token,
            **more,
        }
        assert self._http is not None, "start() comes first"
        async with self._http.get(URL(self.webhook).update_query(query)) as response:
            body = await response.read()
            return Delivered(response.status, body, (), response.headers), challenge

    async def post_batch(
        self,
        entries: Sequence[Mapping[str, Any]],
        ids: Sequence[str],
        *,
        times: int = 1,
        signature: SignatureKind = "valid",
    ) -> list[Delivered]:
        """Post all entries in one delivery, with a signature of the given kind."""
        body = encode_json({"object": self.object, "entry": list(entries)})
        headers = {"content-type": "application/json", "user-agent": "facebookexternalua"}
        if (value := SIGNATURES[signature](self.secret, body)) is not None:
            headers["x-hub-signature-256"] = value
        if signature in {"valid", "only sha1"}:
            headers["x-hub-signature"] = sign_sha1(self.secret, body)
        return await self.post(body, headers, ids, times=times)

    def token_of(self, request: web.Request) -> str | None:
        """Return the valid token that a call carries: as a bearer token, or as a parameter where that is allowed."""
        return (
            self.token if request.headers.get("authorization") == f"Bearer {self.token}" else None
        )

    def authorized(self, request: web.Request) -> bool:
        """Return whether a call carries a valid token."""
        return self.token_of(request) is not None

    def _authenticated(self, handler: Handler) -> Handler:
        async def authenticated(request: web.Request) -> web.StreamResponse:
            token = self.token_of(request)
            if token is None:
                return error(
                    self.bad_token_status, 190, "Error validating access token", error_subcode=463
                )
            given = request.query.get("appsecret_proof")
            correct = given == appsecret_proof(self.secret, token)
            if (given is not None and not correct) or (
                given is None and self.requires_appsecret_proof
            ):
                return error(400, 100, "Invalid appsecret_proof provided in the API argument")
            try:
                return await handler(request)
            except Refused as refused:
                return refused.answer

        return authenticated

    async def _not_found(self, request: web.Request) -> web.StreamResponse:
        return error(400, 2500, f"Unknown path components: {request.path}")


async def read_json(request: web.Request, known: frozenset[str]) -> dict[str, Any]:
    """Return the JSON object of a call; refuse keys that the API does not know."""
    if request.content_type != "application/json":
        raise Refused(error(400, 100, "The request must be application/json"))
    try:
        raw = json.loads(await request.read())
    except ValueError as exc:
        raise Refused(error(400, 100, "Param body must be valid JSON")) from exc
    if not isinstance(raw, dict):
        raise Refused(error(400, 100, "Param body must be an object"))
    if unknown := sorted(raw.keys() - known):
        raise Refused(error(400, 100, f"Unexpected key {unknown[0]!r} on param body"))
    return raw


def require(condition: object, code: int, message: str, **more: Any) -> None:
    """Refuse a call unless the condition holds."""
    if not condition:
        raise Refused(error(400, code, message, **more))


__all__ = [
    "Graph",
    "Refused",
    "SignatureKind",
    "error",
    "error_body",
    "fresh_id",
    "read_json",
    "require",
]
