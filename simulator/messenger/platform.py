"""Facebook Messenger, emulated: signed batches, signed addresses on a CDN, texts, watermarks and echoes."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import quote

from aiohttp import web

from simulator.exchange import Action, Consumer, ConsumerMessage, Delivered, SentText
from simulator.graph import Graph, Proof, error, fresh_id
from simulator.hosting import Hosted
from simulator.samples import Sample

from .calls import Text, call_of, refusal
from .messages import Happening, milliseconds

_ADDRESS_LIVES = 36 * 3600
_INBOX_APP = 263902037430900


class Messenger(Graph):
    name: ClassVar = "messenger"
    object: ClassVar = "page"
    bad_token_status: ClassVar = 400
    tells_addresses: ClassVar = True
    usual_receipts: ClassVar = ("delivered", "read")
    secret = "emulated-messenger-app-secret"
    token = "emulated-page-access-token"
    verify_token = "emulated-messenger-verify-token"
    page_id = "1234567890"
    app_id = 4471100223344
    #: Messenger's own apps send words and files as two messages; others send both in one.
    words_apart = False
    #: Whether the app may use the HUMAN_AGENT tag.
    human_agent_allowed = True

    def __init__(self, webhook: str = "", public_webhook: str | None = None) -> None:
        super().__init__(webhook, public_webhook)
        #: Everybody who ever wrote to the page: nobody else can be written to.
        self.met: set[str] = set()
        self._attachments_of: dict[str, list[tuple[str, Hosted]]] = {}

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "page_id": self.page_id}

    def adopt(self, config: Any) -> None:
        super().adopt(config)
        self.page_id = config.page_id

    def cdn_routes(self) -> list[web.RouteDef]:
        return [web.get("/v/t1.15752-9/{key}/{name}", self._bytes)]

    # What consumers send.

    async def deliver_message(self, message: ConsumerMessage) -> list[Delivered]:
        """Words and files in one message, unless `words_apart`: then as two, in one POST."""
        text = {} if message.text is None else {"text": message.text}
        attachments = [self.attachment(sample) for sample in message.files]
        files: dict[str, Any] = {"attachments": attachments} if attachments else {}
        parts = [files, text] if self.words_apart and text and files else [{**text, **files}]
        events = [self.said(message.consumer, part) for part in parts]
        return await self.deliver(events, message.times, forged=message.forged)

    async def say(self, consumer: Consumer, happening: Happening) -> Delivered:
        """Anything of `messenger_messages`, in a POST of its own."""
        message = happening.get("message")
        if message is None:
            event = self.happened(consumer, **happening)
        else:
            event = self.said(consumer, message)
        (delivered,) = await self.deliver([event])
        return delivered

    def attachment(self, sample: Sample, type: str | None = None) -> dict[str, Any]:
        key = fresh_id()
        url = self._address(key, self.host(sample, key))
        return {"type": type or _type(sample.media_type), "payload": {"url": url}}

    def said(self, consumer: Consumer, message: Mapping[str, Any]) -> dict[str, Any]:
        """One element of `messaging`: the consumer wrote."""
        return self.happened(consumer, message={"mid": f"m_{fresh_id()}", **message})

    def happened(
        self, consumer: Consumer, *, page_id: str | None = None, **what: Any
    ) -> dict[str, Any]:
        return {
            "sender": {"id": consumer.id},
            "recipient": {"id": page_id or self.page_id},
            "timestamp": milliseconds(),
            **what,
        }

    async def deliver(
        self,
        events: Sequence[dict[str, Any]],
        times: int = 1,
        *,
        forged: bool = False,
        proof: Proof = "genuine",
        key: str = "messaging",
    ) -> list[Delivered]:
        """All events in one POST, each in an entry of its own, which is named for the page it is about."""
        entries = [
            {"id": self._page_of(event), "time": milliseconds(), key: [event]} for event in events
        ]
        for event in events:
            self._remember(event)
        ids = [event["message"]["mid"] for event in events if "message" in event]
        return await self.post_batch(entries, ids, times=times, proof="forged" if forged else proof)

    def _page_of(self, event: Mapping[str, Any]) -> str:
        echo = event.get("message", {}).get("is_echo", False)
        return str(event["sender" if echo else "recipient"]["id"])

    def _remember(self, event: Mapping[str, Any]) -> None:
        self.met.add(str(event["sender"]["id"]))
        message = event.get("message", {})
        for attachment in message.get("attachments", ()):
            url = (attachment.get("payload") or {}).get("url") or ""
            key = url.removeprefix(f"{self.cdn}/v/t1.15752-9/").partition("/")[0]
            if key in self.hosted:
                found = (attachment["type"], self.hosted[key])
                self._attachments_of.setdefault(message["mid"], []).append(found)

    # What becomes of the gateway's texts.

    async def report(self, status: str, to: str) -> list[Delivered]:
        """Everything sent until now was delivered, or read."""
        fact: dict[str, Any] = {"watermark": milliseconds()}
        if status == "delivered":
            fact["mids"] = [sent.id for sent in self.sent if sent.to == to]
        told: dict[str, Any] = {{"delivered": "delivery", "read": "read"}[status]: fact}
        return await self.deliver([self.happened(Consumer(to, ""), **told)])

    async def echo(
        self, to: str, text: str, *, mid: str | None = None, app_id: int = _INBOX_APP, **more: Any
    ) -> Delivered:
        """The page itself wrote: by our app, or by somebody in the Page's inbox."""
        said = {"mid": mid or f"m_{fresh_id()}", "text": text, "is_echo": True, "app_id": app_id}
        event = self.happened(Consumer(self.page_id, ""), page_id=to, message={**said, **more})
        (delivered,) = await self.deliver([event])
        return delivered

    async def tell(self, text: SentText, what: str) -> Delivered:
        """`delivered` and `read` as watermarks, `echo` as the page's own message."""
        if what != "echo":
            (delivered,) = await self.report(what, text.to)
            return delivered
        metadata = text.raw["message"].get("metadata")
        more = {} if metadata is None else {"metadata": metadata}
        return await self.echo(text.to, text.text, mid=text.id, app_id=self.app_id, **more)

    def refuse_next(self, code: int, subcode: int | None = None, *, times: int = 1) -> None:
        """Refuse the next texts with an error code of the platform."""
        self.refusals += [refusal(code, subcode)] * times

    # What the gateway asks for.

    def _address(self, key: str, hosted: Hosted) -> str:
        proof = fresh_id()
        hosted.addresses[proof] = self.now() + _ADDRESS_LIVES
        query = f"_nc_cat=104&_nc_ht=scontent&oh={proof}&oe={int(hosted.addresses[proof]):X}"
        return f"{self.cdn}/v/t1.15752-9/{key}/{quote(hosted.sample.name, safe='')}?{query}"

    async def _bytes(self, request: web.Request) -> web.StreamResponse:
        self.leaked(request, "authorization", "cookie")
        hosted = self.hosted.get(request.match_info["key"])
        if hosted is None:
            return web.Response(status=404)
        lives = hosted.addresses.get(request.query.get("oh", ""))
        if lives is None or request.query.get("oe") != f"{int(lives):X}":
            return web.Response(status=403, text="URL signature mismatch")
        if self.now() > lives:
            return web.Response(status=403, text="URL signature expired")
        return await self.serve(request, hosted)

    def authorized(self, request: web.Request) -> bool:
        return super().authorized(request) or request.query.get("access_token") == self.token

    async def look_up(self, request: web.Request) -> web.StreamResponse:
        id = request.match_info["id"]
        if id in {self.page_id, "me"}:
            return web.json_response({"name": "Example Appliances", "id": self.page_id})
        if id in self._attachments_of:
            return web.json_response({"id": id, "attachments": {"data": self._fresh(id)}})
        said = f"Unsupported get request. Object with ID '{id}' does not exist"
        return error(400, 100, said, error_subcode=33)

    def _fresh(self, mid: str) -> list[dict[str, Any]]:
        """The files of a message with new addresses."""
        shown = []
        for type, hosted in self._attachments_of[mid]:
            (key,) = [key for key, known in self.hosted.items() if known is hosted]
            url = self._address(key, hosted)
            where = {"image": {"image_data": {"url": url}}, "video": {"video_data": {"url": url}}}
            shown.append(
                {
                    "id": key,
                    "mime_type": hosted.sample.media_type,
                    "name": hosted.sample.name,
                    "size": len(hosted.content),
                    **where.get(type, {"file_url": url}),
                }
            )
        return shown

    async def take(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["id"] not in {self.page_id, "me"}:
            said = f"Unsupported post request. Object with ID '{request.match_info['id']}'"
            return error(400, 100, said, error_subcode=33)
        call = await call_of(request)
        if call.to not in self.met:
            return _refused(100, 2018001)
        match call:
            case Action(to=to):
                self.actions.append(call)
                return web.json_response({"recipient_id": to})
            case Text():
                return self.refuse() or self._window(call) or await self._sent(request, call)

    def _window(self, call: Text) -> web.Response | None:
        """Outside the window only a person may write, and only with leave to say so."""
        if call.human and not self.human_agent_allowed:
            return error(400, 100, "Invalid parameter")
        closed = call.to in self.out_of_reach and not call.human
        return _refused(10, 2018278) if closed else None

    async def _sent(self, request: web.Request, call: Text) -> web.StreamResponse:
        text = SentText(f"m_{fresh_id()}", call.to, call.body, call.raw)
        answer = web.json_response({"recipient_id": call.to, "message_id": text.id})
        return await self.answer_text(request, text, answer)


def _refused(code: int, subcode: int) -> web.Response:
    status, body = refusal(code, subcode)
    return web.json_response(body, status=status)


def _type(media_type: str) -> str:
    family = media_type.partition("/")[0]
    return family if family in {"image", "video", "audio"} else "file"
