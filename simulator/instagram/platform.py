"""Emulated Instagram: signed batches, signed URLs on a CDN, texts, read receipts of single messages, and echoes."""

from typing import Any, ClassVar, Literal

from aiohttp import web
from yarl import URL

from simulator.examples import NotPossible
from simulator.exchange import Consumer, Delivered, SentText
from simulator.graph import error, fresh_id
from simulator.hosting import Hosted
from simulator.inbox import Inbox
from simulator.samples import Sample

from .calls import ERRORS, RULES
from .examples import EXAMPLES

_ADDRESS_LIFETIME = 24 * 3600


class Instagram(Inbox):
    name: ClassVar = "instagram"
    object: ClassVar = "instagram"
    tells_addresses: ClassVar = True  # allow-word
    usual_receipts: ClassVar = ("read",)
    examples: ClassVar = EXAMPLES
    rules: ClassVar = RULES
    errors: ClassVar = ERRORS
    unknown_consumer: ClassVar = (100, 2534014)
    window_closed: ClassVar = (10, 2534022)
    controlled_by_another_app: ClassVar = (100, 2534037)
    secret = "emulated-instagram-app-secret"
    token = "emulated-instagram-access-token"
    verify_token = "emulated-instagram-verify-token"
    account_id = "17841400000000001"
    #: How the app got its tokens, which decides what `me` is: the Page of an account, or the account.
    login: Literal["facebook", "instagram"] = "facebook"

    #: The `api_url` of the connector whose settings were adopted.
    adopted_api = ""

    @property
    def account(self) -> str:
        return self.account_id

    def settings(self) -> dict[str, Any]:
        """Return the section for one account, or for all if there are `further_accounts`."""
        common = {**super().settings(), "login": self.login}
        if self.further_accounts:
            del common["access_token"]
            return {**common, "accounts": dict(self.tokens)}
        return {**common, "account_id": self.account_id}

    def adopt(self, config: Any) -> None:
        super().adopt(config)
        (self.account_id, self.token), *further = self.adopted_tokens(config)
        self.further_accounts = dict(further)
        self.login = config.login
        self.adopted_api = config.api

    def cdn_routes(self) -> list[web.RouteDef]:
        return [web.get("/ig_messaging_cdn/", self._serve_bytes)]

    def link_to(self, sample: Sample) -> str:
        """Return the signed URL of a story, a post or a reel; raises NotPossible if a gateway would not fetch it."""
        if self.adopted_api and URL(self.adopted_api).host not in {"127.0.0.1", "localhost"}:
            raise NotPossible(
                "stories and shares are fetched only from Meta's hosts and from that of api_url;"
                f" set api_url to this machine, such as http://127.0.0.1:9010{self.api_path}"
            )
        key = fresh_id()
        return self.address(key, self.host(sample, key))

    def fresh_mid(self) -> str:
        return f"aWdfZAG1faXRlbTox{fresh_id()}"

    # Receipts for the gateway's texts.

    async def report(self, text: SentText) -> Delivered:
        """Report that a text was read (the field messaging_seen)."""
        event = self.event(Consumer(text.to, ""), page_id=self.sent_from[text.id])
        (delivered,) = await self.deliver([{**event, "read": {"mid": text.id}}])
        return delivered

    async def tell(self, text: SentText, receipt: str) -> Delivered:
        """Send `read`, or `echo` as the account's own message. Instagram reports no delivery."""
        if receipt == "echo":
            return await self.echo(text.to, text.text, mid=text.id)
        return await self.report(text)

    # Calls from the gateway.

    def address(self, key: str, hosted: Hosted) -> str:
        token = fresh_id()
        hosted.addresses[token] = self.now() + _ADDRESS_LIFETIME
        return f"{self.cdn}/ig_messaging_cdn/?asset_id={key}&signature={token}"

    async def _serve_bytes(self, request: web.Request) -> web.StreamResponse:
        self.leaked(request, "authorization", "cookie")
        hosted = self.hosted.get(request.query.get("asset_id", ""))
        if hosted is None:
            return web.Response(status=404)
        expires = hosted.addresses.get(request.query.get("signature", ""))
        if expires is None or self.now() > expires:
            return web.Response(status=403, text="URL signature expired")
        return await self.serve(request, hosted)

    def own_nodes(self, account: str) -> set[str]:
        # With a Facebook login, the node is the Page, which `me` names; with an Instagram login, the account.
        return {"me"} if self.login == "facebook" else {"me", account}

    async def get_node(self, request: web.Request) -> web.StreamResponse:
        id, own = request.match_info["id"], self.account_of(request)
        if id == "me":
            return web.json_response(self._me(own))
        if id in self.names and id in self.known_consumers:
            username = self.names[id].lower().replace(" ", ".")
            return web.json_response({"name": self.names[id], "username": username, "id": id})
        message = f"Unsupported get request. Object with ID '{id}' does not exist"
        return error(400, 100, message, error_subcode=33)

    def _me(self, account: str) -> dict[str, Any]:
        """Return the node of a token: the Page that is linked with the account, or the account itself."""
        number = list(self.tokens).index(account)
        username = "example.appliances" if number == 0 else f"example.appliances.{number + 1}"
        if self.login == "instagram":
            return {"user_id": account, "id": f"2{account[1:]}", "username": username}
        linked = {"id": account, "username": username}
        return {
            "name": "Example Appliances",
            "id": "1234567890",
            "instagram_business_account": linked,
        }
