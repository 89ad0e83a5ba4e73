"""Emulated Apple Messages for Business: tokens, gzip, encrypted attachments behind preDownload, texts."""

import base64
import gzip
import json
import time
import uuid
from typing import Any, ClassVar, Literal

from aiohttp import web

from simulator.exchange import Action, Consumer, ConsumerMessage, Delivered, SentText
from simulator.platform import Handler, Platform, fresh_id
from simulator.samples import Sample

from .examples import EXAMPLES
from .messages import EXTENSION, Data, list_picker
from .objects import HEADERS, EncryptedObject, SignatureForm, Spelling, encrypt, rename_members
from .refusals import refusal
from .tokens import TOKENS, TokenKind, verified_claims

__all__ = ["Apple", "encrypt"]

_PLACEHOLDER = "\N{OBJECT REPLACEMENT CHARACTER}"
_ADDRESS_LIFETIME = 60
_TOKEN_LIFETIME = 5 * 60
_SENDABLE_TYPES = frozenset({"text", "typing_start", "typing_end"})


class Apple(Platform):
    name: ClassVar = "apple"
    examples: ClassVar = EXAMPLES
    msp_id = "emulated-msp-0001"
    secret = bytes(range(32))
    business = "0a1b2c3d-0000-4000-8000-000000000001"
    #: The family of header names that preDownload accepts; the documentation shows both and recommends neither.
    family: Literal["mmcs", "bare", "either"] = "mmcs"
    spelling: Spelling = "camel"
    signature_form: SignatureForm = "both"
    #: Seconds for which the address of an object can be requested.
    object_lifetime = float("inf")
    #: True if bodies arrive uncompressed, as from a proxy that decompresses them.
    sends_uncompressed = False

    def __init__(self, webhook: str = "", public_webhook: str | None = None) -> None:
        super().__init__(webhook, public_webhook)
        #: The consumers who have written to the business; no other consumer can receive texts.
        self.known_consumers: set[str] = set()
        #: Ids of texts that the gateway sent more than once.
        self.repeated_ids: list[str] = []
        self._objects: dict[str, EncryptedObject] = {}
        self._payloads: dict[bytes, dict[str, Any]] = {}

    def settings(self) -> dict[str, Any]:
        return {
            **super().settings(),
            "msp_id": self.msp_id,
            "secrets": [base64.b64encode(self.secret).decode()],
            "business_id": self.business,
        }

    def adopt(self, config: Any) -> None:
        self.msp_id = config.msp_id
        self.secret = base64.b64decode(config.secrets[0].get_secret_value())
        self.business = config.business_id

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/v1/preDownload", self._authenticated(self._pre_download)),
            web.post("/v1/decodePayload", self._authenticated(self._decode_payload)),
            web.post("/v1/message", self._authenticated(self._accept_message)),
        ]

    def cdn_routes(self) -> list[web.RouteDef]:
        return [web.get("/{key}", self._serve_bytes)]

    # Messages from consumers.

    async def deliver_message(self, message: ConsumerMessage) -> list[Delivered]:
        content: dict[str, Any] = {"body": _PLACEHOLDER * len(message.files) + (message.text or "")}
        if message.files:
            content["attachments"] = [self.attachment(sample) for sample in message.files]
        return await self.deliver(
            message.consumer, "text", content, times=message.times, forged=message.forged
        )

    def attachment(self, sample: Sample) -> dict[str, Any]:
        stored = self._store(sample)
        announced = {"name": sample.name, "mimeType": sample.media_type}
        return rename_members({**announced, **stored.describe(self.signature_form)}, self.spelling)

    def _store(self, sample: Sample) -> EncryptedObject:
        stored = EncryptedObject(sample.content)
        self.host(sample, stored.name, stored.content)
        self._objects[stored.url] = stored
        return stored

    async def send_choice(
        self, consumer: Consumer, title: str, *, session: str = "", by_reference: bool = False
    ) -> Delivered:
        """Deliver a choice from a list."""
        data = list_picker(title)
        return await self.answer(consumer, data, session=session, by_reference=by_reference)

    async def answer(
        self, consumer: Consumer, data: Data, *, session: str = "", by_reference: bool = False
    ) -> Delivered:
        """Deliver an answer of `simulator.apple.messages`, as a message with an id of its own.

        Apple has repeated an answer with another id but the same `session`. With `by_reference` the answer is an
        encrypted object, as Apple sends long ones.
        """
        session = session or str(uuid.uuid4())
        answer = {"bid": EXTENSION, "sessionIdentifier": session, "data": data}
        title = data.get("replyMessage", {}).get("title", "")
        message = (
            {"interactiveDataRef": self._reference(answer, title)}
            if by_reference
            else {"interactiveData": answer}
        )
        (delivered,) = await self.deliver(consumer, "interactive", message)
        return delivered

    def _reference(self, answer: dict[str, Any], title: str) -> dict[str, Any]:
        payload = b"bplist00" + fresh_id().encode()  # an archive that only Apple can read
        self._payloads[payload] = answer
        stored = self._store(Sample("payload", "application/octet-stream", payload))
        return {"bid": EXTENSION, "title": title, **stored.describe(self.signature_form)}

    async def deliver(
        self,
        consumer: Consumer,
        type: str,
        message: dict[str, Any] | None = None,
        *,
        times: int = 1,
        forged: bool = False,
        authorization: TokenKind = "valid",
        **headers: str,
    ) -> list[Delivered]:
        """Deliver one message, compressed, with the token and the ids in headers; `headers` replaces some of them."""
        id = str(uuid.uuid4())
        envelope = {
            "v": 1,
            "id": id,
            "type": type,
            "sourceId": consumer.id,
            "destinationId": self.business,
            "locale": "en_US",
            **(message or {}),
        }
        all_headers = {
            "content-type": "application/json",
            "id": id,
            "source-id": consumer.id,
            "destination-id": self.business,
            "device-agent": "iPhone OS",
            "capability-list": "QUICK,LIST,TIME,AUTH,AUTH2,FORM",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        self._note_presence(consumer, type)
        return await self._post_signed(
            envelope, all_headers, times=times, authorization="forged" if forged else authorization
        )

    async def _post_signed(
        self,
        envelope: dict[str, Any],
        headers: dict[str, str],
        *,
        times: int,
        authorization: TokenKind,
    ) -> list[Delivered]:
        claims = {"aud": self.msp_id, "iat": int(time.time())}
        if (value := TOKENS[authorization](self.secret, claims)) is not None:
            headers["authorization"] = value
        body = json.dumps(envelope).encode()
        if not self.sends_uncompressed:
            headers["content-encoding"], body = "gzip", gzip.compress(body)
        ids = [str(envelope["id"])]
        return await self.post(body, headers, ids, url=f"{self.webhook}/message", times=times)

    def _note_presence(self, consumer: Consumer, type: str) -> None:
        self.known_consumers.add(consumer.id)
        if type == "close":
            self.out_of_reach.add(consumer.id)
        elif type in {"text", "interactive"}:
            self.out_of_reach.discard(consumer.id)

    def refuse_next(self, status: int, words: str = "", times: int = 1) -> None:
        """Refuse the next texts with a status and an explanation as the body."""
        self.refusals += [refusal(status, words)] * times

    # Calls from the gateway.

    def _authenticated(self, handler: Handler) -> Handler:
        async def authenticated(request: web.Request) -> web.StreamResponse:
            kind, _, token = request.headers.get("authorization", "").partition(" ")
            claims = verified_claims(self.secret, token) if kind == "Bearer" else None
            if claims is None or claims.get("iss") != self.msp_id:
                return web.Response(status=401, text="the token is not valid for this account")
            issued_at = claims.get("iat")
            if not isinstance(issued_at, int) or abs(time.time() - issued_at) > _TOKEN_LIFETIME:
                return web.Response(
                    status=401, text="the token was not issued within the last five minutes"
                )
            if request.headers.get("source-id") != self.business:
                return web.Response(status=403, text="source-id is not a business of this account")
            return await handler(request)

        return authenticated

    async def _pre_download(self, request: web.Request) -> web.StreamResponse:
        families = [HEADERS[name] for name in HEADERS if self.family in {name, "either"}]
        complete = [
            [request.headers[n] for n in f]
            for f in families
            if all(n in request.headers for n in f)
        ]
        if not complete:
            return web.Response(status=400, text="one of the object's three headers is missing")
        url, signature, owner = complete[0]
        stored = self._objects.get(url)
        if stored is None or stored.owner != owner:
            return web.Response(status=404, text="there is no such object of this owner")
        if not stored.matches(signature):
            return web.Response(
                status=400, text="the signature is not the object's signature in base64"
            )
        hosted = self.hosted[stored.name]
        if self.now() > hosted.extra["since"] + self.object_lifetime:
            return web.Response(status=404, text="the object has expired")
        if (fault := await self.stumble(request, hosted)) is not None:
            return fault
        address = fresh_id()
        hosted.addresses[address] = self.now() + _ADDRESS_LIFETIME
        return web.json_response({"download-url": f"{self.cdn}/{stored.name}?a={address}"})

    async def _serve_bytes(self, request: web.Request) -> web.StreamResponse:
        names = ("authorization", "source-id", *(n for f in HEADERS.values() for n in f))
        if self.leaked(request, *names):
            return web.Response(status=400)
        hosted = self.hosted.get(request.match_info["key"])
        if hosted is None:
            return web.Response(status=404)
        if self.now() > hosted.addresses.get(request.query.get("a", ""), 0.0):
            return web.Response(status=403)
        return await self.serve(request, hosted)

    async def _decode_payload(self, request: web.Request) -> web.StreamResponse:
        answer = self._payloads.get(await request.read())
        if answer is None or request.headers.get("bid") != answer["bid"]:
            return web.Response(status=400, text="the payload does not belong to that extension")
        return web.json_response(answer)

    async def _accept_message(self, request: web.Request) -> web.StreamResponse:
        raw = await _read_json(request)
        if (error := self._error_in(request, raw)) is not None:
            return web.Response(status=400, text=error)
        to = str(raw["destinationId"])
        if to not in self.known_consumers or to in self.out_of_reach:
            return web.Response(status=404, text="the conversation is not open")
        if raw["type"] != "text":
            self.actions.append(Action(str(raw["type"]), to))
            return web.Response()
        if (refused := self.refuse()) is not None:
            return refused
        if any(sent.id == raw["id"] for sent in self.sent):
            self.repeated_ids.append(raw["id"])
            return web.Response()
        text = SentText(raw["id"], to, raw["body"], raw)
        return await self.answer_text(request, text, web.Response())

    def _error_in(self, request: web.Request, raw: dict[str, Any]) -> str | None:
        """Return the first error in a message, or None."""
        header = request.headers.get
        checks = {
            "v must be 1": raw.get("v") == 1,
            "id must be a UUID": _is_uuid(raw.get("id")),
            "id differs between header and body": header("id") == raw.get("id"),
            "sourceId differs between header and body": self.business == raw.get("sourceId"),
            "destinationId differs between header and body": header("destination-id", "?")
            == raw.get("destinationId"),
            "a message of this type cannot be sent": raw.get("type") in _SENDABLE_TYPES,
            "body is missing": raw.get("type") != "text"
            or bool(str(raw.get("body") or "").strip()),
            "a typing message must not have a body": raw.get("type") == "text" or "body" not in raw,
        }
        return next((error for error, passed in checks.items() if not passed), None)


async def _read_json(request: web.Request) -> dict[str, Any]:
    """Return the JSON object of a call, or an empty one if the body is anything else."""
    if request.content_type != "application/json":
        return {}
    try:
        raw = json.loads(await request.read())
    except ValueError:
        return {}
    return raw if isinstance(raw, dict) else {}


def _is_uuid(id: Any) -> bool:
    try:
        return str(uuid.UUID(id)) == str(id).lower()
    except (ValueError, TypeError, AttributeError):
        return False
