"""What becomes of a file: shown to its sender, with the reason, and by links of the gateway."""

from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from .gateway import FakeGateway
from .running import Clock, Consumer, Server, new_id, running

READY: dict[str, Any] = {
    "state": "ready",
    "kind": "photo",
    "width": 1200,
    "height": 900,
    "renditions": ["preview", "thumbnail"],
    "grant": "a-grant",
}


async def sent(server: Server) -> tuple[Consumer, str]:
    mia, id = await server.consumer(), new_id()
    await mia.write(None, id, uploads=[await mia.upload()])
    return mia, id


async def tell(server: Server, to: str, id: str, **outcome: Any) -> int:
    content = {"to": to, "message_id": id, "position": 0, **outcome}
    return (await server.platform("POST", "/outcomes", content)).status


async def test_a_ready_file_is_shown_and_its_original_freed(server: Server) -> None:
    mia, id = await sent(server)
    for _ in range(2):
        assert await tell(server, mia.id, id, **READY) == 204
    (file,) = (await mia.messages())[0]["attachments"]
    assert (file["state"], file["width"], file["renditions"]) == (
        "ready",
        1200,
        ["preview", "thumbnail"],
    )
    assert "grant" not in str(file)
    assert await server.chat.files.names() == []
    upload = (await server.gateway.of_type("message"))["attachments"][0]["upload"]
    assert (await server.platform("GET", f"/uploads/{upload}")).status == 404


@pytest.mark.parametrize(("state", "kept"), [("rejected", 0), ("failed", 1)])
async def test_a_file_that_is_not_shown_says_why(server: Server, state: str, kept: int) -> None:
    mia, id = await sent(server)
    await tell(server, mia.id, id, state=state, reason="malware")
    (file,) = (await mia.messages())[0]["attachments"]
    assert (file["state"], file["reason"], file["renditions"]) == (state, "malware", [])
    assert len(await server.chat.files.names()) == kept


async def test_the_last_outcome_counts(server: Server) -> None:
    mia, id = await sent(server)
    await tell(server, mia.id, id, state="failed", reason="unreachable")
    since = (await mia.history())["revision"]
    await tell(server, mia.id, id, **READY)
    (message,) = (await mia.changes(since))["messages"]
    assert (message["attachments"][0]["state"], message["attachments"][0]["reason"]) == (
        "ready",
        None,
    )


async def test_a_file_is_shown_by_the_gateways_link(server: Server) -> None:
    mia, id = await sent(server)
    await tell(server, mia.id, id, **READY)
    file = (await mia.messages())[0]["attachments"][0]["id"]
    answer = await mia.call("GET", f"/attachments/{file}/preview")
    assert (answer.status, answer.headers["Location"]) == (302, "https://gw.example/media/a")
    assert server.gateway.links == [{"grant": "a-grant", "rendition": "preview"}]
    assert (await mia.call("GET", f"/attachments/{file}/original")).status == 404
    assert len(server.gateway.links) == 1


async def test_another_consumer_gets_no_link(server: Server) -> None:
    (mia, id), ben = await sent(server), await server.consumer()
    await tell(server, mia.id, id, **READY)
    file = (await mia.messages())[0]["attachments"][0]["id"]
    assert (await ben.call("GET", f"/attachments/{file}/preview")).status == 404
    assert server.gateway.links == []


@pytest.mark.parametrize(("status", "answer"), [(403, 410), (404, 410), (410, 410), (500, 502)])
async def test_a_file_without_a_link_says_whether_it_is_gone(
    server: Server, status: int, answer: int
) -> None:
    mia, id = await sent(server)
    await tell(server, mia.id, id, **READY)
    file = (await mia.messages())[0]["attachments"][0]["id"]
    server.gateway.link_answer = (status, {})
    assert (await mia.call("GET", f"/attachments/{file}/preview")).status == answer


async def test_a_file_can_be_passed_through_with_ranges(
    tmp_path: Path, gateway: FakeGateway, clock: Clock
) -> None:
    media = tmp_path / "media.mp4"
    media.write_bytes(bytes(range(100)))
    app = web.Application()

    async def serve(_request: web.Request) -> web.FileResponse:
        return web.FileResponse(media)

    app.router.add_get("/media", serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        gateway.link_answer = (200, {"url": f"http://127.0.0.1:{runner.addresses[0][1]}/media"})
        async with running(tmp_path / "chat", gateway, clock, media="proxy") as server:
            mia, id = await sent(server)
            await tell(server, mia.id, id, **READY)
            file = (await mia.messages())[0]["attachments"][0]["id"]
            path = f"/attachments/{file}/preview"
            assert (await mia.call("GET", path)).body == bytes(range(100))
            part = await mia.call("GET", path, headers={"Range": "bytes=10-19"})
            assert (part.status, part.body) == (206, bytes(range(10, 20)))
            assert part.headers["Content-Range"] == "bytes 10-19/100"
            assert part.headers["Cache-Control"] == "no-store"
            # For frames without cookies: an address of our own, for some minutes.
            asked = await mia.call("GET", path, headers={"Accept": "application/json"})
            address = asked.json["url"]
            assert (await server.call("GET", address)).body == bytes(range(100))
            for wrong in (
                address[:-1],
                address.replace("preview", "thumbnail"),
                address.partition("?")[0],
            ):
                assert (await server.call("GET", wrong)).status == 403
            clock.forward(301)
            assert (await server.call("GET", address)).status == 403
    finally:
        await runner.cleanup()


async def test_originals_need_a_genuine_address_that_has_not_expired(
    server: Server, clock: Any
) -> None:
    _, _ = await sent(server)
    upload = (await server.gateway.of_type("message"))["attachments"][0]["upload"]
    found = (await server.platform("GET", f"/uploads/{upload}")).json
    path = found["url"].removeprefix(server.url)
    assert (await server.call("GET", path)).status == 200
    assert (await server.call("GET", path, headers={"Range": "bytes=0-2"})).status == 206
    for wrong in (path[:-3], path.replace("expires=1", "expires=2"), path.partition("?")[0]):
        assert (await server.call("GET", wrong)).status == 403
    clock.forward(301)
    assert (await server.call("GET", path)).status == 403
