"""Google RCS for Business, also called RCS Business Messaging.

https://developers.google.com/business-communications/rcs-business-messaging/reference/rest
"""

import base64
import hmac
import uuid
from collections.abc import Generator, Mapping
from datetime import datetime
from typing import Any, ClassVar, Literal
from urllib.parse import quote, urlencode

import orjson
from connectors import (
    AnyEvent,
    Call,
    Capabilities,
    Connector,
    Delivery,
    Download,
    Flow,
    Forbidden,
    MediaRef,
    Rejected,
    Reply,
    Request,
    Response,
    Sent,
    Text,
    Token,
    Typing,
    matches_any,
    oauth_token,
    offers,
    open_each,
    read_each,
    revealed,
)

from .envelope import agent_in, claimed_data, confirm, opened_data
from .errors import refused
from .events import read_event
from .grant import jwt_bearer_grant
from .settings import Settings

#: Ids of messages and events must be UUIDs. We derive them, so that every attempt has the same one.
NAMESPACE = uuid.UUID("8e1d6d0c-53f1-4a0e-8d57-0b6c5f1d2a94")
#: Google ignores an id that it has seen. Whether it says so (ALREADY_EXISTS) or repeats its answer is not documented.
SEEN_BEFORE = frozenset({409})
#: A number that belongs to nobody: "not found" proves our credentials as well as an answer does.
NOBODY = "+12025550100"


class Rcs(Connector[Settings]):
    api = 1
    name = "rcs"
    label = "Google RCS for Business"
    docs = "https://developers.google.com/business-communications/rcs-business-messaging"
    # Google publishes no limit; a message of the longest text is below 32 KiB.
    max_body = 256 * 1024
    # The signature covers the decoded data, and not the envelope around it.
    covers = frozenset({"part"})
    covered = frozenset({"message.data"})
    # HMAC-SHA512 in Base64.
    proof: ClassVar[Mapping[str, str]] = {"x-goog-signature": "[A-Za-z0-9+/]{86}=="}
    handshakes: ClassVar[frozenset[Literal["GET", "POST"]]] = frozenset({"POST"})
    hosts = frozenset({"oauth2.googleapis.com"})
    # Examples have both forms: rcs-user-content-us.storage.googleapis.com, and a bucket in the path.
    media_hosts = frozenset({"storage.googleapis.com", ".storage.googleapis.com"})
    # Aggregators report that Google keeps consumers' files for 60 days. A file that is not served within a week will
    # not be.
    media_patience = 7 * 86_400.0
    resend_is_safe = True
    Config = Settings
    capabilities = Capabilities(
        features=offers(
            yes=(
                *("text", "photo", "video", "audio", "document", "contact", "location", "button"),
                *("send_text", "send_typing", "mark_read"),
            ),
            limited=("typing", "delivered", "read", "failed"),
        ),
        # AgentContentMessage.text
        max_text=3072,
        notes={
            "photo_caption": "photo and text arrive as two messages",
            "video_caption": "video and text arrive as two messages",
            "several_photos": "each photo is a separate message",
            "typing": "if the consumer's phone reports it",
            "delivered": "if the consumer's phone reports it",
            "read": "if the consumer's phone reports it",
            "failed": "only if Google withdraws a text that has expired",
            "send_text": "to phones with RCS, until the consumer unsubscribes",
        },
    )

    def handshake(self, request: Request) -> Response | None:
        # An unsigned POST. The answer is the secret alone.
        try:
            content = orjson.loads(request.body)
        except ValueError:
            return None
        match content:
            case {"clientToken": str(token), "secret": str(secret)}:
                if matches_any(revealed(self.config.client_tokens), token):
                    return Response(body=secret.encode())
        return None

    def verify(self, request: Request) -> None:
        data = claimed_data(request.body)
        expected = [
            base64.b64encode(hmac.digest(token.encode(), data, "sha512"))
            for token in revealed(self.config.client_tokens)
        ]
        if not matches_any(expected, request.headers.get("x-goog-signature", "")):
            raise Forbidden("X-Goog-Signature matches none of client_tokens")
        confirm(request.body, data)
        if agent_in(data) not in {None, self.config.agent_id}:
            raise Forbidden("the delivery is for another agent than agent_id")

    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        return open_each(self._events, [delivery.content])

    def _events(self, content: Any) -> list[AnyEvent]:
        event = orjson.loads(opened_data(content))
        return read_each(lambda raw: read_event(raw, self.config.agent_id), [event])

    def token(self, now: datetime) -> Generator[Call, Reply, Token]:
        form = jwt_bearer_grant(self.config, now)
        reply = yield Call("POST", str(self.config.token_url), form=form)
        token = oauth_token(reply, now)
        if token is None:
            raise self.refusal(reply)
        return token

    def authorize(self, now: datetime, token: Token, call: Call) -> Mapping[str, str]:
        del now, call
        return {"authorization": f"Bearer {token.value}"}

    def media(self, ref: MediaRef) -> Flow[Download]:
        # Anyone who knows the address may read the file: Google's examples download it without a token.
        return Download(Call("GET", ref.locator["url"], auth=False), size=ref.size)

    def send_text(self, out: Text) -> Generator[Call, Reply, Sent]:
        id = _uuid("message", out.key)
        message: dict[str, Any] = {"contentMessage": {"text": out.text}}
        if self.config.traffic_type is not None:
            message["messageTrafficType"] = self.config.traffic_type
        reply = yield self._create(out.to, "agentMessages", {"messageId": id}, message)
        match reply.content:
            case {"name": str(name)} if name and reply.status < 300:
                return Sent(id)
            case {"error": {"status": "ALREADY_EXISTS"}}:
                return Sent(id)
        raise self.refusal(reply)

    def mark_read(self, account: str, to: str, message_id: str) -> Generator[Call, Reply, None]:
        event = {"eventType": "READ", "messageId": message_id}
        ids = {"eventId": _uuid("read", f"{account}:{to}:{message_id}")}
        yield self._create(to, "agentEvents", ids, event)

    def send_typing(self, out: Typing) -> Flow[None]:
        # The phone hides the indicator by itself.
        return self._show_typing(out) if out.on else None

    def _show_typing(self, out: Typing) -> Generator[Call, Reply, None]:
        ids = {"eventId": _uuid("typing", out.key)}
        yield self._create(out.to, "agentEvents", ids, {"eventType": "IS_TYPING"})

    def check(self) -> Generator[Call, Reply, str]:
        ids = {"requestId": _uuid("check", self.config.agent_id)}
        url = self._url(NOBODY, "capabilities", ids)
        reply = yield Call("GET", url, expects=frozenset({404}))
        match reply.content:
            case {"error": {"status": "NOT_FOUND"}} | {"features": list()}:
                return self.config.agent_id
        raise self.refusal(reply)

    def refusal(self, reply: Reply) -> Rejected:
        return refused(reply)

    def _create(self, to: str, what: str, ids: Mapping[str, str], content: Any) -> Call:
        return Call("POST", self._url(to, what, ids), json=content, expects=SEEN_BEFORE)

    def _url(self, to: str, what: str, ids: Mapping[str, str]) -> str:
        query = urlencode({**ids, "agentId": self.config.agent_id})
        return f"{self.config.api}/v1/phones/{quote(to, safe='+')}/{what}?{query}"


def _uuid(purpose: str, key: str) -> str:
    return str(uuid.uuid5(NAMESPACE, f"{purpose}:{key}"))
