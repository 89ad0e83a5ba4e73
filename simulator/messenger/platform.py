"""Emulated Facebook Messenger: signed batches, signed URLs on a CDN, texts, watermarks and echoes."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import quote

from aiohttp import web

from simulator.exchange import Action, Consumer, ConsumerMessage, Delivered, SentText
from simulator.graph import Graph, SignatureKind, error, fresh_id
from simulator.hosting import Hosted
from simulator.samples import Sample

from .calls import Text, parse_call, refusal
from .examples import EXAMPLES
from .messages import Event, milliseconds

_ADDRESS_LIFETIME = 36 * 3600
_INBOX_APP = 263902037430900


class Messenger(Graph):
    name: ClassVar = "messenger"
    object: ClassVar = "page"
    bad_token_status: ClassVar = 400
    tells_addresses: ClassVar = True  # allow-word
    usual_receipts: ClassVar = ("delivered", "read")
    examples: ClassVar = EXAMPLES
    secret = "emulated-messenger-app-secret"
    token = "emulated-page-access-token"
    verify_token = "emulated-messenger-verify-token"
    page_id = "1234567890"
    app_id = 4471100223344
    #: True to send a text and its files as two messages, as Messenger's own apps do; others send one message.
    splits_text_and_files = False
    #: True if the app may use the HUMAN_AGENT tag.
    human_agent_allowed = True

    def __init__(self, webhook: str = "", public_webhook: str | None = None) -> None:
        super().__init__(webhook, public_webhook)
        #: The consumers who have written to the page; no other consumer can receive texts.
        self.known_consumers: set[str] = set()
        #: The consumers whose conversation is controlled by another app of the page (Handover Protocol).
        self.held_by_another_app: set[str] = set()
        #: The names of consumers, by id. Meta reveals a name only to the page that the consumer wrote to.
        self.names: dict[str, str] = {}
        self._attachments_of: dict[str, list[tuple[str, Hosted]]] = {}

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "page_id": self.page_id}

    def adopt(self, config: Any) -> None:
        super().adopt(config)
        self.page_id = config.page_id

    def cdn_routes(self) -> list[web.RouteDef]:
        return [web.get("/v/t1.15752-9/{key}/{name}", self._serve_bytes)]

    # Messages from consumers.

    async def deliver_message(self, message: ConsumerMessage) -> list[Delivered]:
        """Deliver text and files in one message; with `splits_text_and_files` as two messages in one POST."""
        text = {} if message.text is None else {"text": message.text}
        attachments = [self.attachment(sample) for sample in message.files]
        files: dict[str, Any] = {"attachments": attachments} if attachments else {}
        parts = (
            [files, text] if self.splits_text_and_files and text and files else [{**text, **files}]
        )
        events = [self.said(message.consumer, part) for part in parts]
        return await self.deliver(events, message.times, forged=message.forged)

    async def say(self, consumer: Consumer, content: Event) -> Delivered:
        """Deliver an event of `simulator.messenger.messages`, in a POST of its own."""
        message = content.get("message")
        if message is None:
            event = self.event(consumer, **content)
        else:
            event = self.said(consumer, message)
        (delivered,) = await self.deliver([event])
        return delivered

    def attachment(self, sample: Sample, type: str | None = None) -> dict[str, Any]:
        key = fresh_id()
        url = self._address(key, self.host(sample, key))
        return {"type": type or _type_of(sample.media_type), "payload": {"url": url}}

    def said(self, consumer: Consumer, message: Mapping[str, Any]) -> dict[str, Any]:
        """Return the element of `messaging` for a message from the consumer."""
        return self.event(consumer, message={"mid": f"m_{fresh_id()}", **message})

    def event(
        self, consumer: Consumer, *, page_id: str | None = None, **content: Any
    ) -> dict[str, Any]:
        if consumer.name:
            self.names[consumer.id] = consumer.name
        return {
            "sender": {"id": consumer.id},
            "recipient": {"id": page_id or self.page_id},
            "timestamp": milliseconds(),
            **content,
        }

    async def deliver(
        self,
        events: Sequence[dict[str, Any]],
        times: int = 1,
        *,
        forged: bool = False,
        signature: SignatureKind = "valid",
        key: str = "messaging",
    ) -> list[Delivered]:
        """Post all events in one delivery, each in its own entry under the id of its page."""
        entries = [
            {"id": self._page_of(event), "time": milliseconds(), key: [event]} for event in events
        ]
        for event in events:
            self._remember(event)
        ids = [event["message"]["mid"] for event in events if "message" in event]
        return await self.post_batch(
            entries, ids, times=times, signature="forged" if forged else signature
        )

    def _page_of(self, event: Mapping[str, Any]) -> str:
        echo = event.get("message", {}).get("is_echo", False)
        return str(event["sender" if echo else "recipient"]["id"])

    def _remember(self, event: Mapping[str, Any]) -> None:
        self.known_consumers.add(str(event["sender"]["id"]))
        message = event.get("message", {})
        for attachment in message.get("attachments", ()):
            url = (attachment.get("payload") or {}).get("url") or ""
            key = url.removeprefix(f"{self.cdn}/v/t1.15752-9/").partition("/")[0]
            if key in self.hosted:
                found = (attachment["type"], self.hosted[key])
                self._attachments_of.setdefault(message["mid"], []).append(found)

    # Receipts for the gateway's texts.

    async def report(self, status: str, to: str) -> list[Delivered]:
        """Report that everything sent until now was delivered, or read."""
        watermark: dict[str, Any] = {"watermark": milliseconds()}
        if status == "delivered":
            watermark["mids"] = [sent.id for sent in self.sent if sent.to == to]
        receipt: dict[str, Any] = {{"delivered": "delivery", "read": "read"}[status]: watermark}
        return await self.deliver([self.event(Consumer(to, ""), **receipt)])

    async def echo(
        self,
        to: str,
        text: str | None,
        *,
        mid: str | None = None,
        app_id: int = _INBOX_APP,
        **more: Any,
    ) -> Delivered:
        """Deliver a message of the page itself, written by our app or by a person in the Page's inbox."""
        content: dict[str, Any] = {
            "mid": mid or f"m_{fresh_id()}",
            "is_echo": True,
            "app_id": app_id,
        }
        if text is not None:
            content["text"] = text
        event = self.event(Consumer(self.page_id, ""), page_id=to, message={**content, **more})
        (delivered,) = await self.deliver([event])
        return delivered

    async def tell(self, text: SentText, receipt: str) -> Delivered:
        """Send `delivered` and `read` as watermarks, and `echo` as the page's own message."""
        if receipt != "echo":
            (delivered,) = await self.report(receipt, text.to)
            return delivered
        metadata = text.raw["message"].get("metadata")
        more = {} if metadata is None else {"metadata": metadata}
        return await self.echo(text.to, text.text, mid=text.id, app_id=self.app_id, **more)

    def refuse_next(self, code: int, subcode: int | None = None, *, times: int = 1) -> None:
        """Refuse the next texts with one of the platform's error codes."""
        self.refusals += [refusal(code, subcode)] * times

    # Calls from the gateway.

    def _address(self, key: str, hosted: Hosted) -> str:
        token = fresh_id()
        hosted.addresses[token] = self.now() + _ADDRESS_LIFETIME
        query = f"_nc_cat=104&_nc_ht=scontent&oh={token}&oe={int(hosted.addresses[token]):X}"
        return f"{self.cdn}/v/t1.15752-9/{key}/{quote(hosted.sample.name, safe='')}?{query}"

    async def _serve_bytes(self, request: web.Request) -> web.StreamResponse:
        self.leaked(request, "authorization", "cookie")
        hosted = self.hosted.get(request.match_info["key"])
        if hosted is None:
            return web.Response(status=404)
        expires = hosted.addresses.get(request.query.get("oh", ""))
        if expires is None or request.query.get("oe") != f"{int(expires):X}":
            return web.Response(status=403, text="URL signature mismatch")
        if self.now() > expires:
            return web.Response(status=403, text="URL signature expired")
        return await self.serve(request, hosted)

    def authorized(self, request: web.Request) -> bool:
        return super().authorized(request) or request.query.get("access_token") == self.token

    async def get_node(self, request: web.Request) -> web.StreamResponse:
        id = request.match_info["id"]
        if id in {self.page_id, "me"}:
            return web.json_response({"name": "Example Appliances", "id": self.page_id})
        if id in self.names and id in self.known_consumers:
            return web.json_response({**_profile_of(self.names[id]), "id": id})
        if id in self._attachments_of:
            return web.json_response(
                {"id": id, "attachments": {"data": self._fresh_attachments(id)}}
            )
        message = f"Unsupported get request. Object with ID '{id}' does not exist"
        return error(400, 100, message, error_subcode=33)

    def _fresh_attachments(self, mid: str) -> list[dict[str, Any]]:
        """Return the attachments of a message with new URLs."""
        attachments = []
        for type, hosted in self._attachments_of[mid]:
            (key,) = [key for key, known in self.hosted.items() if known is hosted]
            url = self._address(key, hosted)
            by_type = {"image": {"image_data": {"url": url}}, "video": {"video_data": {"url": url}}}
            attachments.append(
                {
                    "id": key,
                    "mime_type": hosted.sample.media_type,
                    "name": hosted.sample.name,
                    "size": len(hosted.content),
                    **by_type.get(type, {"file_url": url}),
                }
            )
        return attachments

    async def post_messages(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["id"] not in {self.page_id, "me"}:
            message = f"Unsupported post request. Object with ID '{request.match_info['id']}'"
            return error(400, 100, message, error_subcode=33)
        call = await parse_call(request)
        if call.to not in self.known_consumers:
            return _error_response(100, 2018001)
        match call:
            case Action(to=to):
                self.actions.append(call)
                return web.json_response({"recipient_id": to})
            case Text():
                return (
                    self.refuse()
                    or self._control_error(call)
                    or self._window_error(call)
                    or await self._accept_text(request, call)
                )

    def _control_error(self, call: Text) -> web.Response | None:
        held = call.to in self.held_by_another_app
        return _error_response(10, 2018300) if held else None

    def _window_error(self, call: Text) -> web.Response | None:
        """Return an error outside the window, where only a human agent may write, in an app that may use the tag."""
        if call.human_agent and not self.human_agent_allowed:
            return error(400, 100, "Invalid parameter")
        closed = call.to in self.out_of_reach and not call.human_agent
        return _error_response(10, 2018278) if closed else None

    async def _accept_text(self, request: web.Request, call: Text) -> web.StreamResponse:
        text = SentText(f"m_{fresh_id()}", call.to, call.body, call.raw)
        answer = web.json_response({"recipient_id": call.to, "message_id": text.id})
        return await self.answer_text(request, text, answer)


def _error_response(code: int, subcode: int) -> web.Response:
    status, body = refusal(code, subcode)
    return web.json_response(body, status=status)


def _profile_of(name: str) -> dict[str, str]:
    first, _, last = name.partition(" ")
    return {"name": name, "first_name": first, "last_name": last}


def _type_of(media_type: str) -> str:
    family = media_type.partition("/")[0]
    return family if family in {"image", "video", "audio"} else "file"
