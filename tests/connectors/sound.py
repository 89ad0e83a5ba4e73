"""A small, correct connector to an invented platform. Each class in `flawed` breaks one thing in it."""

import hashlib
import hmac
from collections.abc import Generator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import quote

import orjson
from pydantic import Field, HttpUrl

from connectors import (
    GONE,
    RATE_LIMITED,
    WINDOW_CLOSED,
    AnyEvent,
    Attachment,
    Call,
    Capabilities,
    Closed,
    Connector,
    ConnectorConfig,
    Deletion,
    Delivery,
    Download,
    Forbidden,
    Identifier,
    MediaRef,
    Message,
    Notice,
    Party,
    Reaction,
    Receipt,
    Rejected,
    Reply,
    Request,
    Response,
    Secret,
    Secrets,
    Sent,
    Text,
    Unreadable,
    attach_each,
    by_code,
    by_status,
    constant_time_equal,
    entries,
    failure_from,
    fingerprint,
    id_of,
    kind_of,
    listed,
    location,
    matches_any,
    offers,
    open_each,
    parse_timestamp,
    read_each,
    refusal_from,
    revealed,
)

#: The newer of the two secrets in the tests.
SECRET = "acme-secret-2"
TOKEN = "acme-token-1"
CODES = by_code({WINDOW_CLOSED: (17,), GONE: (18,), RATE_LIMITED: (19,)})


class Settings(ConnectorConfig):
    api_url: HttpUrl = Field(default=HttpUrl("https://api.acme.example"), description="The API")
    secrets: Secrets = Field(description="Signing secrets")
    token: Secret = Field(description="Calls the API")
    shop: Identifier = Field(description="The shop's id")


class Acme(Connector[Settings]):
    api = 1
    name = "acme"
    label = "Acme Chat"
    docs = "https://acme.example/docs"
    hosts = frozenset({"files.acme.example"})
    media_hosts = frozenset({".cdn.acme.example"})
    Config = Settings
    proof: ClassVar[Mapping[str, str]] = {"x-acme": "[0-9a-fA-F]{64}"}
    resend_is_safe = True
    capabilities = Capabilities(
        offers(
            yes=(
                *(
                    "text",
                    "photo",
                    "photo_caption",
                    "several_photos",
                    "audio",
                    "location",
                    "document",
                ),
                *(
                    "reply_context",
                    "deletion",
                    "button",
                    "reaction",
                    "read",
                    "failed",
                    "send_text",
                    "mark_read",
                ),
            )
        ),
        max_text=100,
    )

    def verify(self, request: Request) -> None:
        expected = [proof(secret, request.body) for secret in revealed(self.config.secrets)]
        if not matches_any(expected, request.headers.get("x-acme", "").lower()):
            raise Forbidden("X-Acme matches none of secrets")
        if request.headers.get("x-shop", self.config.shop) != self.config.shop:
            raise Forbidden("X-Shop is not our shop")

    def handshake(self, request: Request) -> Response | None:
        if request.method == "GET":
            return self.answer_get(request)
        try:
            content = orjson.loads(request.body or b"{}")
        except ValueError:
            return None
        if not isinstance(content, dict) or not isinstance(content.get("secret"), str):
            return None
        return Response(body=content["secret"].encode()) if self.knows(content) else None

    def knows(self, content: dict[str, Any]) -> bool:
        word = self.config.token.get_secret_value()
        return matches_any([word], str(content.get("clientToken")))

    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        return open_each(self.open, [delivery.content])

    def open(self, content: Any) -> list[AnyEvent]:
        return read_each(self.read, entries(content, "updates"))

    def read(self, raw: Any) -> AnyEvent:
        match raw["kind"]:
            case "message":
                return self.message(raw)
            case "seen":
                return self.receipt(raw)
            case "failed":
                return self.failure(raw)
            case "reacted" | "unreacted":
                return self.reaction(raw)
            case "deleted":
                return self.deletion(raw)
            case "joined":
                return self.joined(raw)
            case "blocked":
                return self.blocked(raw)
            case _:
                raise Unreadable("unknown kind of update")

    def message(self, raw: Any) -> Message:
        named = [raw["file"]] if raw.get("file") else []
        return Message(
            id=raw["id"],
            account=raw.get("to") or self.config.shop,
            party=Party(raw["from"].removeprefix("+"), self.name_of(raw.get("profile") or {})),
            sent_at=parse_timestamp(raw.get("edited_at") or raw["at"]),
            text=raw["text"] or None,
            attachments=(
                *attach_each(self.file, [*named, *listed(raw, "files")]),
                *attach_each(self.place, listed(raw, "place")),
            ),
            reply_to=(raw.get("reply_to") or {}).get("id"),
            choice=raw.get("payload"),
            forwarded=raw.get("forwarded") is True,
            extra={"locale": raw["locale"]} if raw.get("locale") else None,
        )

    def name_of(self, profile: Any) -> str | None:
        first = profile.get("first_name") or profile.get("name")
        return " ".join(filter(None, (first, profile.get("last_name")))) or None

    def file(self, raw: Any) -> Attachment:
        if isinstance(raw, dict):
            ref = MediaRef(
                {"id": id_of(raw["id"])}, raw.get("type"), raw.get("file_name"), raw.get("size")
            )
            return Attachment(
                kind_of(ref.media_type, ref.name), ref, voice=raw.get("note_type") == "voice"
            )
        return Attachment("photo", MediaRef({"id": id_of(raw)}))

    def place(self, raw: Any) -> Attachment:
        return location(raw["lat"], raw["lng"], name=raw.get("name"), address=raw.get("address"))

    def failure(self, raw: Any) -> Receipt:
        return Receipt(
            id=f"failed:{id_of(raw['id'])}",
            account=self.config.shop,
            party=Party(raw["from"]),
            sent_at=parse_timestamp(raw["at"]),
            status="failed",
            message_ids=(raw["id"],),
            **failure_from(
                CODES.get(raw["code"]), code=id_of(raw["code"]), detail=raw.get("why") or ""
            ),
        )

    def reaction(self, raw: Any) -> Reaction:
        return Reaction(
            id=f"{raw['kind']}:{id_of(raw['message_id'])}:{raw['at']}",
            account=self.config.shop,
            party=Party(raw["from"]),
            sent_at=parse_timestamp(raw["at"]),
            target=raw["message_id"],
            emoji=raw["emoji"] if raw["kind"] == "reacted" else None,
        )

    def deletion(self, raw: Any) -> Deletion:
        return Deletion(
            id=f"deleted:{id_of(raw['message_id'])}",
            account=self.config.shop,
            party=Party(raw["from"]),
            sent_at=datetime.fromisoformat(raw["time"]),
            target=raw["message_id"],
        )

    def joined(self, raw: Any) -> Notice:
        return Notice(
            id=f"joined:{fingerprint(raw)}",
            account=self.config.shop,
            party=Party(raw["from"]),
            sent_at=parse_timestamp(raw["at"]),
            kind="joined",
        )

    def blocked(self, raw: Any) -> AnyEvent:
        return Closed(
            id=f"blocked:{fingerprint(raw)}",
            account=self.config.shop,
            party=Party(raw["from"]),
            sent_at=parse_timestamp(raw["at"]),
        )

    def answer_get(self, request: Request) -> Response | None:
        word = self.config.token.get_secret_value()
        if not constant_time_equal(request.query.get("word", ""), word):
            return Response(403)
        return Response(body=request.query.get("echo", "").encode(errors="replace"))

    def receipt(self, raw: Any) -> Receipt:
        return Receipt(
            id=f"seen:{raw['id']}",
            account=self.config.shop,
            party=Party(raw["from"]),
            sent_at=parse_timestamp(raw["at"]),
            status="read",
            message_ids=(raw["id"],),
            key=raw.get("key"),
        )

    def authorize(self, now: datetime) -> Mapping[str, str]:
        del now
        return {"authorization": f"Bearer {self.config.token.get_secret_value()}"}

    def media(self, ref: MediaRef) -> Generator[Call, Reply, Download]:
        reply = yield Call("GET", f"{self.config.api}/files/{quote(ref.locator['id'], safe='')}")
        match reply.content:
            case {"url": str(url)}:
                digest = reply.content.get("sha256")
                claimed = digest if isinstance(digest, str) else None
                return Download(Call("GET", url, auth=False), sha256=claimed)
        raise self.refusal(reply)

    def send_text(self, out: Text) -> Generator[Call, Reply, Sent]:
        message = {"to": out.to, "text": out.text, "key": out.key}
        reply = yield Call("POST", f"{self.config.api}/send", json=message)
        match reply.content:
            case {"id": str(id)} if id:
                return Sent(id)
        raise self.refusal(reply)

    def mark_read(self, account: str, to: str, message_id: str) -> Generator[Call, Reply, None]:
        del account, to
        yield Call("POST", f"{self.config.api}/messages/{quote(message_id, safe='')}/seen")

    def check(self) -> Generator[Call, Reply, str]:
        reply = yield Call("GET", f"{self.config.api}/shops/{self.config.shop}")
        match reply.content:
            case {"name": str(name)} if name.strip():
                return name
        raise self.refusal(reply)

    def refusal(self, reply: Reply) -> Rejected:
        content = reply.content if isinstance(reply.content, dict) else {}
        code, said = content.get("code"), content.get("message")
        if type(code) is not int:
            return by_status(reply)
        verdict, wait = CODES.get(code), content.get("retry_after")
        if verdict is not None and type(wait) is int and wait > 0:
            verdict = replace(verdict, after=float(wait))
        return refusal_from(reply, verdict, said if isinstance(said, str) else "", code=str(code))


def proof(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
