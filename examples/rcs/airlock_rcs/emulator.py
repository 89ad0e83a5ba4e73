"""Emulated Google RCS for Business, over real HTTP on loopback, for `airlock demo` and tests.

It is written from https://developers.google.com/business-communications/rcs-business-messaging alone and shares no code
with the connector. The API and the server of tokens have the same origin here; files have another one.
"""

import base64
import hashlib
import hmac
import json
import secrets
import uuid
from datetime import UTC, datetime
from typing import Any, ClassVar

from aiohttp import web
from simulator import Action, Consumer, ConsumerMessage, Delivered, Platform, Sample, SentText

from .emulator_tokens import TokenServer, rpc_error


class Rcs(Platform):
    """An agent to which consumers write from their phones."""

    name: ClassVar = "rcs"
    tells_addresses: ClassVar = True  # allow-word
    usual_receipts: ClassVar = ("delivered", "read")
    client_token = "emulated-rcs-client-token"
    agent = "example_parcels_agent"

    def __init__(self, webhook: str = "", public_webhook: str | None = None) -> None:
        super().__init__(webhook, public_webhook)
        #: The ids of messages and events that were used.
        self._used: set[str] = set()
        self.tokens = TokenServer()

    def settings(self) -> dict[str, Any]:
        return {
            **super().settings(),
            "token_url": f"{self.api_url}/token",
            "agent_id": self.agent,
            "client_tokens": [self.client_token],
            "service_account": self.tokens.account,
            "private_key": self.tokens.private_key,
        }

    def adopt(self, config: Any) -> None:
        self.client_token = config.client_tokens[0].get_secret_value()
        self.agent = config.agent_id
        self.tokens.account = config.service_account
        self.tokens.private_key = config.private_key.get_secret_value()

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/token", self.tokens.issue),
            web.post("/v1/phones/{phone}/agentMessages", self._receive_text),
            web.post("/v1/phones/{phone}/agentEvents", self._receive_event),
            web.get("/v1/phones/{phone}/capabilities", self._show_capabilities),
        ]

    def cdn_routes(self) -> list[web.RouteDef]:
        return [web.get("/user-content/{id}", self._serve_file)]

    async def ask_for_secret(self, secret: str, client_token: str | None = None) -> Delivered:
        """Check that the webhook is ours, as the console does when a URL is saved."""
        content = {"clientToken": client_token or self.client_token, "secret": secret}
        headers = {"content-type": "application/json", "x-goog-webhook-type": "verification"}
        return (await self.post(json.dumps(content).encode(), headers, []))[0]

    async def deliver_message(self, message: ConsumerMessage) -> list[Delivered]:
        """Deliver each file, and the text, as a message of its own."""
        contents: list[dict[str, Any]] = [
            {"userFile": self._file(sample)} for sample in message.files
        ]
        if message.text is not None:
            contents.append({"text": message.text})
        return [
            answer
            for content in contents
            for answer in await self._deliver(
                {**self._user(message.consumer.id), "messageId": secrets.token_hex(12), **content},
                message.times,
                forged=message.forged,
            )
        ]

    async def unsubscribe(self, consumer: Consumer) -> list[Delivered]:
        """Deliver that the consumer refuses texts."""
        return await self._deliver(self._user_event(consumer.id, "UNSUBSCRIBE"))

    async def tell(self, text: SentText, receipt: str) -> Delivered:
        event = self._user_event(text.to, receipt.upper(), messageId=text.id)
        return (await self._deliver(event))[0]

    async def _deliver(
        self, event: dict[str, Any], times: int = 1, *, forged: bool = False
    ) -> list[Delivered]:
        data = json.dumps(event).encode()
        envelope = {"data": base64.b64encode(data).decode(), "messageId": secrets.token_hex(8)}
        key = b"another-token" if forged else self.client_token.encode()
        signature = base64.b64encode(hmac.new(key, data, hashlib.sha512).digest()).decode()
        headers = {
            "content-type": "application/json",
            "x-goog-signature": signature,
            "x-goog-webhook-type": "message_callback",
        }
        body = json.dumps({"message": envelope, "subscription": "projects/p/subscriptions/s"})
        return await self.post(body.encode(), headers, [event.get("messageId", "")], times=times)

    def _user(self, phone: str) -> dict[str, Any]:
        agent, now = f"{self.agent}@rbm.goog", datetime.now(UTC).isoformat()
        return {"senderPhoneNumber": phone, "agentId": agent, "sendTime": now}

    def _user_event(self, phone: str, type: str, **more: str) -> dict[str, Any]:
        return {**self._user(phone), "eventType": type, "eventId": secrets.token_hex(12), **more}

    def _file(self, sample: Sample) -> dict[str, Any]:
        id = secrets.token_hex(16)
        self.host(sample, id)
        payload = {"mimeType": sample.media_type, "fileSizeBytes": len(sample.content)}
        payload |= {"fileName": sample.name, "fileUri": f"{self.cdn}/user-content/{id}"}
        return {"payload": payload}

    async def _serve_file(self, request: web.Request) -> web.StreamResponse:
        if self.leaked(request, "authorization") or request.match_info["id"] not in self.hosted:
            return web.Response(status=403, text="<Error><Code>AccessDenied</Code></Error>")
        return await self.serve(request, self.hosted[request.match_info["id"]])

    async def _receive_text(self, request: web.Request) -> web.StreamResponse:
        refusal = self._refusal(request, "messageId") or self.refuse()
        if refusal is not None:
            return refusal
        id, phone = request.query["messageId"], request.match_info["phone"]
        message = await request.json()
        name = {"name": f"phones/{phone}/agentMessages/{id}", **message}
        if id in self._used:  # ignored
            return web.json_response(name)
        if phone in self.out_of_reach:
            return rpc_error(404, "NOT_FOUND", "Requested entity was not found.")
        self._used.add(id)
        text = SentText(id, phone, message["contentMessage"]["text"], message)
        return await self.answer_text(request, text, web.json_response(name))

    async def _receive_event(self, request: web.Request) -> web.StreamResponse:
        if (refusal := self._refusal(request, "eventId")) is not None:
            return refusal
        event, phone = await request.json(), request.match_info["phone"]
        if event["eventType"] not in {"READ", "IS_TYPING"}:
            return rpc_error(400, "INVALID_ARGUMENT", "Invalid value at 'agent_event.event_type'.")
        self.actions.append(Action(event["eventType"], phone, event.get("messageId", "")))
        name = f"phones/{phone}/agentEvents/{request.query['eventId']}"
        return web.json_response({"name": name, **event})

    async def _show_capabilities(self, request: web.Request) -> web.StreamResponse:
        unreachable = rpc_error(404, "NOT_FOUND", "Requested entity was not found.")
        return self._refusal(request, "requestId") or unreachable

    def _refusal(self, request: web.Request, id_name: str) -> web.Response | None:
        """Return the refusal of a call without our token, agent or UUID; None if it has all of them."""
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.tokens.valid:
            return rpc_error(401, "UNAUTHENTICATED", "Request had invalid credentials.")
        if request.query.get("agentId") != self.agent:
            return rpc_error(403, "PERMISSION_DENIED", "The caller does not have permission.")
        try:
            uuid.UUID(request.query.get(id_name, ""))
        except ValueError:
            return rpc_error(400, "INVALID_ARGUMENT", f"{id_name} must be a UUID.")
        return None
