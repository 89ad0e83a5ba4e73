"""Apple Messages for Business, emulated: tokens, gzip, encrypted attachments behind preDownload, texts."""

import base64
import gzip
import json
import os
import time
import uuid
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from .platform import Consumer, Delivered, Platform, SentText, fresh_id
from .samples import Sample

#: Names of the three headers that name an object to preDownload, in the two families that are documented.
HEADERS = {
    "mmcs": ("MMCS-Url", "MMCS-Signature", "MMCS-Owner"),
    "bare": ("url", "signature", "owner"),
}
_PLACE = "\N{OBJECT REPLACEMENT CHARACTER}"


def encrypted(key: bytes, content: bytes) -> bytes:
    """AES-256 in counter mode from a counter of zeros."""
    encryptor = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor()
    return encryptor.update(content) + encryptor.finalize()


class Apple(Platform):
    name: ClassVar = "apple"
    msp_id = "emulated-msp-0001"
    secret = bytes(range(32))
    business = "0a1b2c3d-0000-4000-8000-000000000001"
    #: Which family of object headers preDownload understands.
    family: Literal["mmcs", "bare"] = "mmcs"

    def settings(self) -> dict[str, Any]:
        return {
            "type": self.name,
            "msp_id": self.msp_id,
            "secrets": [base64.b64encode(self.secret).decode()],
            "business_id": self.business,
            "api_url": self.api_url,
        }

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/v1/preDownload", self._pre_download),
            web.get("/object/{key}", self._bytes),
            web.post("/v1/message", self._take),
        ]

    def token(self, *, secret: bytes | None = None, **claims: Any) -> str:
        """What Apple calls webhooks with."""
        said = {"aud": self.msp_id, "iat": int(time.time()), **claims}
        return jwt.encode(said, secret or self.secret, algorithm="HS256")

    async def send(
        self,
        consumer: Consumer,
        text: str | None = None,
        files: Sequence[Sample] = (),
        *,
        times: int = 1,
        forged: bool = False,
    ) -> list[Delivered]:
        message: dict[str, Any] = {"body": _PLACE * len(files) + (text or "")}
        if files:
            message["attachments"] = [self.attachment(sample) for sample in files]
        return await self.deliver(consumer, "text", message, times=times, forged=forged)

    def attachment(self, sample: Sample) -> dict[str, str]:
        key = os.urandom(32)
        name = fresh_id()
        owner = f"owner-{fresh_id()}"
        proof = b"\x81" + os.urandom(20)
        url = f"https://p54-content.icloud.com/{name}"
        content = encrypted(key, sample.content)
        self.host(sample, name, content, url=url, owner=owner, signature=proof)
        return {
            "name": sample.name,
            "mimeType": sample.media_type,
            "size": str(len(content)),
            "url": url,
            "owner": owner,
            "key": "00" + key.hex().upper(),
            "signature": proof.hex().upper(),
            "signature-base64": base64.b64encode(proof).decode(),
        }

    async def deliver(
        self,
        consumer: Consumer,
        type: str,
        message: dict[str, Any],
        *,
        times: int = 1,
        forged: bool = False,
    ) -> list[Delivered]:
        """One message, compressed, with the token and the ids in headers."""
        id = str(uuid.uuid4())
        envelope = {
            "v": 1,
            "id": id,
            "type": type,
            "sourceId": consumer.id,
            "destinationId": self.business,
            "locale": "en_US",
            **message,
        }
        token = self.token(secret=b"somebody else's secret, 32 bytes" if forged else None)
        headers = {
            "authorization": f"Bearer {token}",
            "content-type": "application/json",
            "content-encoding": "gzip",
            "id": id,
            "source-id": consumer.id,
            "destination-id": self.business,
            "device-agent": "iPhone OS",
        }
        body = gzip.compress(json.dumps(envelope).encode())
        return await self.post(body, headers, [id], url=f"{self.webhook}/message", times=times)

    def _known(self, request: web.Request) -> bool:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        try:
            claims = jwt.decode(token, self.secret, algorithms=["HS256"])
        except jwt.InvalidTokenError:
            return False
        return kind == "Bearer" and claims.get("iss") == self.msp_id and "iat" in claims

    async def _pre_download(self, request: web.Request) -> web.StreamResponse:
        if not self._known(request):
            return web.Response(status=401)
        if request.headers.get("source-id") != self.business:
            return web.Response(status=403)
        url, proof, owner = (request.headers.get(name) for name in HEADERS[self.family])
        if url is None or proof is None or owner is None:
            return web.Response(status=400, text="a header is missing")
        name = url.rpartition("/")[2]
        hosted = self.hosted.get(name)
        if hosted is None or hosted.extra["url"] != url or hosted.extra["owner"] != owner:
            return web.Response(status=404)
        if base64.b64decode(proof) != hosted.extra["signature"]:
            return web.Response(status=400, text="the signature does not fit")
        return web.json_response({"download-url": f"{self.origin}/object/{name}"})

    async def _bytes(self, request: web.Request) -> web.StreamResponse:
        for header in ("authorization", "source-id", "mmcs-owner", "owner"):
            if header in request.headers:
                self.leaks.append((request.path, header))
                return web.Response(status=400)
        hosted = self.hosted.get(request.match_info["key"])
        if hosted is None:
            return web.Response(status=404)
        return await self.serve(request, hosted)

    async def _take(self, request: web.Request) -> web.StreamResponse:
        if not self._known(request):
            return web.Response(status=401)
        refusal = self.refuse()
        if refusal is not None:
            return refusal
        raw = await request.json()
        to = request.headers.get("destination-id", "")
        ours = request.headers.get("source-id") == raw.get("sourceId") == self.business
        same = request.headers.get("id") == raw.get("id") and to == raw.get("destinationId")
        if not (ours and same and raw.get("v") == 1):
            return web.Response(status=400, text="headers and body disagree")
        if raw.get("type") == "text":
            self.sent.append(SentText(raw["id"], to, raw["body"], raw))
        return web.Response()
