"""The whole gateway over real HTTP with a minimal platform: from webhook to event and rendition."""

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import aiohttp
import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from PIL import Image

from gateway.service import Gateway
from gateway.settings import (
    CoreSettings,
    FetchSettings,
    GatewaySettings,
    MediaSettings,
    Settings,
)
from tests.gateway.notes import Notes, notes
from tests.gateway.test_lanes import SECRET, Core, ok

TOKEN = "a token of the core"


@dataclass
class House:
    """A gateway with a media host and a core."""

    gateway: Gateway
    core: Core
    media_url: str
    http: aiohttp.ClientSession
    files: dict[str, Any] = field(default_factory=dict)

    async def send(
        self, *entries: dict[str, Any], password: str = "open sesame"
    ) -> aiohttp.ClientResponse:
        return await self.http.post(
            f"{self.gateway.url}/webhooks/desk",
            data=orjson.dumps({"notes": entries}),
            headers={"x-password": password},
        )

    async def metrics(self) -> str:
        async with self.http.get(f"{self.gateway.url}/metrics") as response:
            return await response.text()

    async def call(
        self, method: str, path: str, body: Any = None, token: str = TOKEN
    ) -> tuple[int, Any]:
        async with self.http.request(
            method, self.gateway.url + path, json=body, headers={"authorization": f"Bearer {token}"}
        ) as response:
            return response.status, await response.json(content_type=None)


@asynccontextmanager
async def house(
    directory: Path,
    answer: Any = ok,
    hold_seconds: float = 5,
    connector: Notes | None = None,
    media: MediaSettings | None = None,
    stored: str = "file",
    tokens: tuple[Any, ...] = (TOKEN,),
    gateway: GatewaySettings | None = None,
    **sections: Any,
) -> AsyncIterator[House]:
    files: dict[str, Any] = {}

    async def file(request: web.Request) -> web.StreamResponse:
        found = files.get(request.match_info["name"])
        if found is None:
            return web.Response(status=404)
        return web.Response(body=found) if isinstance(found, bytes) else await found(request)

    core = Core(answer)
    async with AsyncExitStack() as stack:
        app = web.Application()
        app.router.add_post("/in", core.post)
        app.router.add_get("/files/{name}", file)
        server = await stack.enter_async_context(TestServer(app))
        settings = Settings(
            gateway=gateway
            or GatewaySettings(
                listen="127.0.0.1:0", data=directory, api_tokens=tokens, media=stored
            ),
            core=CoreSettings(
                url=str(server.make_url("/in")), secrets=(SECRET,), hold_seconds=hold_seconds
            ),
            media=media or MediaSettings(),
            fetch=FetchSettings(allow_private_hosts=True),
            connectors={"desk": connector or notes(), "still": notes(photos=False)},
            **sections,
        )
        running = await stack.enter_async_context(Gateway(settings))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        yield House(running, core, str(server.make_url("/files")), http, files)


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path) as built:
        yield built


def photo(width: int = 640, height: int = 400) -> bytes:
    file = io.BytesIO()
    Image.effect_mandelbrot((width, height), (-2, -1.2, 1, 1.2), 30).convert("RGB").save(
        file, "JPEG"
    )
    return file.getvalue()


def with_photo(home: House, id: str = "1", **more: Any) -> dict[str, Any]:
    return {"id": id, "from": "ann", "media": [["photo", f"{home.media_url}/{id}"]], **more}


async def test_a_photo_arrives_ready_and_its_links_serve_it(
    home: House,
) -> None:
    home.files["1"] = photo()
    async with await home.send(with_photo(home, text="a dent")) as response:
        assert response.status == 200
    (event,) = await home.core.until(1)
    message = event["data"]["message"]
    assert (message["text"], message["transcript"]) == ("a dent", "[photo message]")
    (attachment,) = message["attachments"]
    assert (attachment["state"], attachment["width"], attachment["height"]) == ("ready", 640, 400)
    conversation = event["data"]["conversation"]["id"]

    path = f"/v1/attachments/{attachment['id']}/links"
    assert (await home.call("POST", path, {"agent": "anna"}))[0] == 403
    assert (
        await home.call("PUT", f"/v1/conversations/{conversation}/agents", {"agents": ["anna"]})
    )[0] == 200
    status, links = await home.call("POST", path, {"agent": "anna"})
    assert status == 200
    assert set(links["links"]) == {"thumbnail", "preview"}
    for name, url in links["links"].items():
        announced = attachment["renditions"][name]
        async with home.http.get(url) as response:
            body = await response.read()
            assert response.status == 200
            assert response.headers["content-type"] == announced["media_type"]
            assert response.headers["x-content-type-options"] == "nosniff"
            assert response.headers["etag"]
        assert len(body) == announced["bytes"]
        assert hashlib.sha256(body).hexdigest() == announced["sha256"]
        assert Image.open(io.BytesIO(body)).size == (announced["width"], announced["height"])


async def linked(home: House) -> tuple[str, str]:
    """Return a conversation assigned to anna, and her link to a preview in it."""
    home.files["1"] = photo()
    await home.send(with_photo(home))
    (event,) = await home.core.until(1)
    conversation = event["data"]["conversation"]["id"]
    attachment = event["data"]["message"]["attachments"][0]["id"]
    await home.call("PUT", f"/v1/conversations/{conversation}/agents", {"agents": ["anna", "bert"]})
    _, links = await home.call("POST", f"/v1/attachments/{attachment}/links", {"agent": "anna"})
    return conversation, links["links"]["preview"]


async def test_range_and_conditional_requests_are_honoured(home: House) -> None:
    _, url = await linked(home)
    async with home.http.get(url) as response:
        whole, etag = await response.read(), response.headers["etag"]
    async with home.http.get(url, headers={"range": "bytes=10-19"}) as response:
        assert response.status == 206
        assert response.headers["content-range"] == f"bytes 10-19/{len(whole)}"
        assert await response.read() == whole[10:20]
    async with home.http.get(url, headers={"range": f"bytes={len(whole)}-"}) as response:
        assert response.status == 416
    async with home.http.get(url, headers={"if-none-match": etag}) as response:
        assert response.status == 304
    async with home.http.head(url) as response:
        assert (response.status, response.headers["content-length"]) == (200, str(len(whole)))


async def test_a_link_ends_with_the_assignment_and_cannot_be_altered(home: House) -> None:
    conversation, url = await linked(home)
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))

    async def status(path: str = parts.path, **changed: str) -> int:
        altered = f"{parts.scheme}://{parts.netloc}{path}?{urlencode({**query, **changed})}"
        async with home.http.get(altered) as response:
            return response.status

    assert await status() == 200
    assert await status(agent="bert") == 403
    assert await status(expires=str(int(query["expires"]) + 1)) == 403
    assert await status(signature="0" * 64) == 403
    assert await status(signature="é") == 403
    assert await status(parts.path.replace("preview", "thumbnail")) == 403
    await home.call("PUT", f"/v1/conversations/{conversation}/agents", {"agents": ["bert"]})
    assert await status() == 403


async def test_a_forged_delivery_is_refused_and_leaves_nothing(home: House) -> None:
    async with await home.send({"id": "1", "from": "eve"}, password="wrong") as response:
        assert response.status == 401
        assert response.content_type == "application/problem+json"
    await home.send({"id": "2", "from": "ann", "text": "hello"})
    (event,) = await home.core.until(1)
    assert event["data"]["message"]["platform_id"] == "2"


async def test_a_body_over_the_limit_is_refused(home: House) -> None:
    url = f"{home.gateway.url}/webhooks/desk"
    async with home.http.post(url, data=io.BytesIO(b"x" * 10_000_000)) as response:
        assert response.status == 413

    async def unannounced() -> AsyncIterator[bytes]:
        for _ in range(200):
            yield b"x" * 50_000

    try:
        async with home.http.post(url, data=unannounced()) as response:
            assert response.status == 413
    except aiohttp.ClientConnectionError:
        pass  # the server may hang up while the client still sends
    async with home.http.get(f"{home.gateway.url}/healthz") as response:
        assert response.status == 200


async def test_a_failed_file_does_not_affect_caption_or_neighbours(home: House) -> None:
    home.files["2"] = photo()
    await home.send(
        {"id": "1", "from": "ann", "text": "broken", "media": [["photo", "http://10.0.0.1/x"]]},
        with_photo(home, "2"),
        {"id": "3", "from": "bob", "text": "words"},
    )
    events = {
        e["data"]["message"]["platform_id"]: e["data"]["message"] for e in await home.core.until(3)
    }
    assert events["1"]["text"] == "broken"
    assert events["1"]["attachments"][0]["state"] == "failed"
    assert events["1"]["attachments"][0]["reason"] == "blocked_host"
    assert events["2"]["attachments"][0]["state"] == "ready"
    assert events["3"]["transcript"] == "words"


async def test_a_file_that_is_not_an_image_is_rejected(home: House) -> None:
    home.files["1"] = b"<html><script>alert(1)</script></html>" * 50
    await home.send(with_photo(home))
    (event,) = await home.core.until(1)
    attachment = event["data"]["message"]["attachments"][0]
    assert (attachment["state"], attachment["reason"]) == ("rejected", "unsupported_type")


async def test_a_slow_file_is_announced_as_pending_then_updated(tmp_path: Path) -> None:
    async with house(tmp_path, hold_seconds=0.2) as home:
        released = asyncio.Event()

        async def slow(request: web.Request) -> web.Response:
            await released.wait()
            return web.Response(body=photo())

        home.files["1"] = slow
        await home.send(with_photo(home))
        (event,) = await home.core.until(1)
        assert event["data"]["message"]["attachments"][0]["state"] == "pending"
        released.set()
        _, update = await home.core.until(2)
        assert update["type"] == "attachment.updated"
        assert update["data"]["message"]["attachments"][0]["state"] == "ready"


async def test_a_file_that_succeeds_on_retry_arrives(home: House) -> None:
    tries = 0

    async def late(request: web.Request) -> web.Response:
        nonlocal tries
        tries += 1
        return web.Response(status=503) if tries == 1 else web.Response(body=photo())

    home.files["1"] = late
    await home.send(with_photo(home))
    (event,) = await home.core.until(1)
    assert event["data"]["message"]["attachments"][0]["state"] == "ready"
    assert tries == 2


async def test_a_manual_retry_recovers_a_failed_file(home: House) -> None:
    await home.send(with_photo(home))
    (event,) = await home.core.until(1)
    attachment = event["data"]["message"]["attachments"][0]
    assert (attachment["state"], attachment["reason"]) == ("failed", "gone")
    home.files["1"] = photo()
    status, view = await home.call("POST", f"/v1/attachments/{attachment['id']}/retry")
    assert (status, view["state"]) == (202, "pending")
    _, update = await home.core.until(2)
    assert update["data"]["message"]["attachments"][0]["state"] == "ready"
    assert (await home.call("GET", f"/v1/attachments/{attachment['id']}"))[1]["state"] == "ready"


async def test_v1_requires_a_token_and_explains_errors(home: House) -> None:
    status, problem = await home.call("GET", "/v1/capabilities", token="guess")
    assert (status, problem["title"]) == (401, "Unauthorized")
    assert (await home.call("GET", "/v1/capabilities"))[0] == 200
    assert (await home.call("GET", "/v1/messages/msg_none"))[0] == 404
    await home.send({"id": "1", "from": "ann", "text": "hello"})
    (event,) = await home.core.until(1)
    conversation = event["data"]["conversation"]["id"]
    status, problem = await home.call(
        "PUT", f"/v1/conversations/{conversation}/agents", {"agent": ["anna"]}
    )
    assert status == 400
    assert "agents" in problem["detail"]
    status, page = await home.call("GET", f"/v1/conversations/{conversation}/messages")
    assert [m["platform_id"] for m in page["messages"]] == ["1"]
    assert page["messages"][0] == event["data"]["message"]


async def test_readiness_reports_reduced_protection(home: House) -> None:
    status, report = await home.call("GET", "/readyz")
    assert (status, report["status"]) == (200, "ready")
    assert "not scanned" in report["checks"]["scanner"]["detail"]


async def test_media_wait_while_they_cannot_be_stored(tmp_path: Path, home: House) -> None:
    folder = tmp_path / "media"
    folder.rmdir()
    folder.write_bytes(b"no folder")
    home.files["1"] = photo()
    await home.send(with_photo(home))
    (event,) = await home.core.until(1)
    assert event["data"]["message"]["attachments"][0]["state"] == "pending"
    status, report = await home.call("GET", "/readyz")
    assert (status, report["checks"]["storage"]["state"]) == (503, "fail")
    assert "attachments wait" in report["checks"]["storage"]["detail"]
    folder.unlink()
    (event,) = (await home.core.until(2))[1:]
    assert event["data"]["message"]["attachments"][0]["state"] == "ready"
    assert (await home.call("GET", "/readyz"))[0] == 200


async def test_a_restart_resumes_media_and_removes_scratch_files(
    tmp_path: Path,
) -> None:
    hang = asyncio.Event()

    async def hanging(request: web.Request) -> web.Response:
        await hang.wait()
        return web.Response(body=photo())

    async with house(tmp_path, hold_seconds=60) as first:
        first.files["1"] = hanging
        # The URL must outlive the first house: a second server answers on the same port and path.
        await first.send(
            {"id": "0", "from": "ann", "text": "before"}, with_photo(first, text="look")
        )
        await first.core.until(1)
        media_url = first.media_url
    port = urlsplit(media_url).port
    assert port is not None
    app = web.Application()
    app.router.add_get("/files/{name}", _photo_response)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, reuse_address=True).start()
    async with house(tmp_path, hold_seconds=60) as second:
        (event,) = await second.core.until(1)
        assert event["data"]["message"]["sequence"] == 2
        assert event["data"]["message"]["attachments"][0]["state"] == "ready"
    await runner.cleanup()
    assert list((tmp_path / "scratch").iterdir()) == []


async def _photo_response(request: web.Request) -> web.Response:
    return web.Response(body=photo())
