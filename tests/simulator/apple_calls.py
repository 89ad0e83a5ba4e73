"""Helpers of the tests of the emulated Apple: calls as a gateway makes them, and what was delivered."""

import time
import uuid
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from simulator import Apple, Consumer, photo
from tests.simulator.webhook import Stage

DANA = Consumer("urn:mbid:AQAAYexampleDana/+=", "Dana")
PHOTO = photo(width=320, height=240)


def token(stage: Stage[Apple], secret: bytes | None = None, **claims: Any) -> str:
    all_claims = {"iss": stage.platform.msp_id, "iat": int(time.time()), **claims}
    return "Bearer " + jwt.encode(all_claims, secret or stage.platform.secret, algorithm="HS256")


def credentials(stage: Stage[Apple]) -> dict[str, str]:
    return {"authorization": token(stage), "source-id": stage.platform.business}


def object_headers(attachment: dict[str, Any], *names: str) -> dict[str, str]:
    values = (attachment["url"], attachment["signature-base64"], attachment["owner"])
    return dict(zip(names or ("MMCS-Url", "MMCS-Signature", "MMCS-Owner"), values, strict=True))


async def announced(stage: Stage[Apple]) -> dict[str, Any]:
    """Deliver a photo, and return its attachment."""
    await stage.platform.send(DANA, "look", [PHOTO])
    (attachment,) = stage.webhook.arrived[-1].content["attachments"]
    assert isinstance(attachment, dict)
    return attachment


async def pre_download(
    stage: Stage[Apple], attachment: dict[str, Any], *names: str, **changes: str
) -> httpx.Response:
    headers = {**credentials(stage), **object_headers(attachment, *names), **changes}
    return await stage.http.get(f"{stage.platform.api_url}/v1/preDownload", headers=headers)


def decrypted(attachment: dict[str, Any], encrypted: bytes) -> bytes:
    key = bytes.fromhex(attachment["key"][2:])
    decryptor = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).decryptor()
    return decryptor.update(encrypted) + decryptor.finalize()


async def sent(
    stage: Stage[Apple], headers: dict[str, str] | None = None, **changes: Any
) -> httpx.Response:
    """Send a text to a consumer who has written."""
    stage.platform.known_consumers.add(DANA.id)
    id = str(uuid.uuid4())
    content = {
        "v": 1,
        "type": "text",
        "id": id,
        "sourceId": stage.platform.business,
        "destinationId": DANA.id,
        "body": "Hello",
        **changes,
    }
    content = {name: value for name, value in content.items() if value is not None}
    all_headers = {**credentials(stage), "id": str(content.get("id")), "destination-id": DANA.id}
    url = f"{stage.platform.api_url}/v1/message"
    return await stage.http.post(url, json=content, headers={**all_headers, **(headers or {})})
