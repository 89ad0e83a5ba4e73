"""Emulated Facebook Messenger: signed batches, signed URLs on a CDN, texts, watermarks and echoes."""

from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import quote

from aiohttp import web

from simulator.exchange import Consumer, Delivered, SentText
from simulator.graph import error, fresh_id
from simulator.hosting import Hosted
from simulator.inbox import Inbox
from simulator.inbox_calls import milliseconds

from .calls import ERRORS, RULES
from .examples import EXAMPLES

_ADDRESS_LIFETIME = 36 * 3600
_INBOX_APP = 263902037430900


class Messenger(Inbox):
    name: ClassVar = "messenger"
    object: ClassVar = "page"
    tells_addresses: ClassVar = True  # allow-word
    usual_receipts: ClassVar = ("delivered", "read")
    examples: ClassVar = EXAMPLES
    rules: ClassVar = RULES
    errors: ClassVar = ERRORS
    unknown_consumer: ClassVar = (100, 2018001)
    window_closed: ClassVar = (10, 2018278)
    controlled_by_another_app: ClassVar = (10, 2018300)
    secret = "emulated-messenger-app-secret"
    token = "emulated-page-access-token"
    verify_token = "emulated-messenger-verify-token"
    page_id = "1234567890"
    app_id = 4471100223344

    def __init__(self, webhook: str = "", public_webhook: str | None = None) -> None:
        super().__init__(webhook, public_webhook)
        self._attachments_of: dict[str, list[tuple[str, Hosted]]] = {}

    @property
    def account(self) -> str:
        return self.page_id

    def settings(self) -> dict[str, Any]:
        """Return the section for one Page, or for all if there are `further_accounts`."""
        common = super().settings()
        if self.further_accounts:
            del common["access_token"]
            return {**common, "pages": dict(self.tokens)}
        return {**common, "page_id": self.page_id}

    def adopt(self, config: Any) -> None:
        super().adopt(config)
        (self.page_id, self.token), *further = self.adopted_tokens(config)
        self.further_accounts = dict(further)

    def cdn_routes(self) -> list[web.RouteDef]:
        return [web.get("/v/t1.15752-9/{key}/{name}", self._serve_bytes)]

    def remember(self, event: Mapping[str, Any]) -> None:
        super().remember(event)
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
        return await super().echo(to, text, mid=mid, app_id=app_id, **more)

    async def tell(self, text: SentText, receipt: str) -> Delivered:
        """Send `delivered` and `read` as watermarks, and `echo` as the page's own message."""
        if receipt != "echo":
            (delivered,) = await self.report(receipt, text.to)
            return delivered
        metadata = text.raw["message"].get("metadata")
        more = {} if metadata is None else {"metadata": metadata}
        return await self.echo(text.to, text.text, mid=text.id, app_id=self.app_id, **more)

    # Calls from the gateway.

    def address(self, key: str, hosted: Hosted) -> str:
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

    async def get_node(self, request: web.Request) -> web.StreamResponse:
        id = request.match_info["id"]
        own = self.account_of(request)
        if id in {own, "me"}:
            number = list(self.tokens).index(own)
            name = "Example Appliances" if number == 0 else f"Example Appliances {number + 1}"
            return web.json_response({"name": name, "id": own})
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
            url = self.address(key, hosted)
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


def _profile_of(name: str) -> dict[str, str]:
    first, _, last = name.partition(" ")
    return {"name": name, "first_name": first, "last_name": last}
