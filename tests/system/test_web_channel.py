"""The whole way: a consumer's file through web channel, gateway and sanitizer, and back to the consumer."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import pytest_asyncio

from simulator import photo
from tests.journal_rows import rows
from tests.system.web_channel import Channel, Consumer, follow, web_channel
from tests.webchat.running import new_id

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def channel(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Channel]:
    async with web_channel(tmp_path_factory.mktemp("site")) as started:
        yield started


async def eventually(read: Callable[[], Any], enough: Callable[[Any], bool]) -> Any:
    async with asyncio.timeout(30):
        while not enough(found := await read()):
            await asyncio.sleep(0.02)
    return found


async def send_photo(mia: Consumer, seed: int) -> str:
    id = new_id()
    sample = photo("bicycle", 640, 480, seed=seed)
    upload = await mia.upload(sample.content, X_Name="IMG_0042.JPG")
    answer = await mia.write("my bike", id, uploads=[upload])
    assert answer.status == 201
    return id


async def outcome(mia: Consumer) -> dict[str, Any]:
    """Return the consumer's view of their latest file, once it is checked."""
    messages = await eventually(
        mia.messages, lambda found: found[-1]["attachments"][0]["state"] != "checking"
    )
    found: dict[str, Any] = messages[-1]["attachments"][0]
    return found


async def test_a_photo_reaches_the_core_and_its_outcome_the_consumer(channel: Channel) -> None:
    mia = await channel.server.consumer()
    file = await channel.ended(await send_photo(mia, 1))
    assert (file["state"], file["name"], file["width"]) == ("ready", "IMG_0042.JPG", 640)
    own = await outcome(mia)
    assert (own["state"], own["width"], own["height"]) == ("ready", 640, 480)
    assert own["renditions"] == ["preview", "thumbnail"]
    uploads = channel.site.folder / "data" / "webchat" / "uploads"
    await eventually(lambda: _names(uploads), lambda names: names == [])


async def _names(folder: Any) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_agents_answers_ticks_and_typing_reach_the_consumer(channel: Channel) -> None:
    mia = await channel.server.consumer()
    await mia.write("Hello", id := new_id())
    events = await channel.site.until(
        lambda found: any(e["data"].get("message", {}).get("text") == "Hello" for e in found)
    )
    (event,) = [e for e in events if e["data"].get("message", {}).get("text") == "Hello"]
    conversation, message = event["data"]["conversation"]["id"], event["data"]["message"]["id"]
    assert event["data"]["message"]["platform_id"] == f"shop:{mia.id}:{id}"
    assert event["data"]["conversation"]["account"] == "shop"
    await channel.site.call("POST", f"/v1/messages/{message}/read")
    await channel.site.call("POST", f"/v1/conversations/{conversation}/typing")
    await eventually(mia.changes, lambda found: found.get("typing") is True)
    async with channel.server.http.post(
        f"{channel.site.url}/v1/conversations/{conversation}/messages",
        json={"text": "Good morning", "agent": "anna"},
        headers={"Authorization": f"Bearer {_token()}", "Idempotency-Key": new_id()},
    ) as response:
        assert response.status == 202
    own, answer = await eventually(mia.messages, lambda found: len(found) == 2)
    assert (own["state"], answer["text"]) == ("read", "Good morning")
    await mia.call("POST", "/receipts", json={"read_to": answer["id"]})
    await channel.site.until(lambda found: any(e["data"].get("status") == "read" for e in found))
    await channel.site.call("POST", f"/v1/conversations/{conversation}/close")
    await eventually(mia.history, lambda found: found["conversation"]["state"] == "closed")


def _token() -> str:
    from tests.system.running import TOKEN

    return TOKEN


async def test_a_consumer_sees_the_sanitized_file_and_each_view_is_recorded(
    channel: Channel,
) -> None:
    mia = await channel.server.consumer()
    await send_photo(mia, 2)
    file = await outcome(mia)
    answer = await mia.call("GET", f"/attachments/{file['id']}/thumbnail")
    assert answer.status == 302
    status, content, headers = await follow(channel.server, answer)
    assert (status, content[:3], headers["Content-Type"]) == (200, b"\xff\xd8\xff", "image/jpeg")
    assert len(content) <= 30_000
    assert _viewers(channel) == {f"consumer:{mia.id}"}
    for rendition in ("original", "video", "nonsense"):
        assert (await mia.call("GET", f"/attachments/{file['id']}/{rendition}")).status == 404


def _viewers(channel: Channel) -> set[str]:
    viewed = rows(channel.site.folder / "data", "SELECT agent FROM viewed")
    return {agent for (agent,) in viewed}


async def test_another_consumer_and_changed_links_see_nothing(channel: Channel) -> None:
    mia, ben = await channel.server.consumer(), await channel.server.consumer()
    await send_photo(mia, 3)
    file = await outcome(mia)
    assert (await ben.call("GET", f"/attachments/{file['id']}/thumbnail")).status == 404
    assert (
        await channel.server.call("GET", f"/v1/attachments/{file['id']}/thumbnail")
    ).status == 401
    link = (await mia.call("GET", f"/attachments/{file['id']}/thumbnail")).headers["Location"]
    parts, query = urlsplit(link), {k: v[0] for k, v in parse_qs(urlsplit(link).query).items()}
    attachment = parts.path.split("/")[2]
    changed = [
        (parts.path, {**query, "consumer": ben.id}),
        (parts.path, {**query, "connector": "support-whatsapp"}),
        (parts.path, {**query, "expires": str(int(query["expires"]) + 60)}),
        (parts.path, {**query, "expires": "1"}),
        (parts.path, {**query, "signature": ""}),
        (
            parts.path,
            {"agent": "anna", "expires": query["expires"], "signature": query["signature"]},
        ),
        (f"/media/{attachment}/preview", query),
        (f"/media/{attachment}/original", query),
    ]
    for path, wrong in changed:
        async with channel.server.http.get(
            f"{channel.site.url}{path}?{urlencode(wrong)}"
        ) as answer:
            assert answer.status == 403, (path, wrong)


async def test_no_original_is_served_to_anybody_else(channel: Channel) -> None:
    mia = await channel.server.consumer()
    upload = await mia.upload()
    folder = channel.site.folder / "data" / "webchat" / "uploads"
    names = [path.name for path in folder.iterdir()]
    assert names
    for name in (*names, upload):
        for path in (
            *(f"/v1/uploads/{name}", f"/v1/attachments/{name}/original", f"/static/{name}"),
            *(f"/platform/v1/uploads/{name}", f"/platform/v1/files/{name}", f"/uploads/{name}"),
            f"/platform/v1/files/{name}?expires=99999999999&signature=x",
            f"/static/..%2f..%2fuploads%2f{name}",
        ):
            for token in (None, mia.token):
                answer = await channel.server.call("GET", path, token=token)
                assert answer.status in {400, 401, 403, 404, 405}, path


async def test_erasure_at_the_gateway_erases_the_chat_and_its_links(channel: Channel) -> None:
    mia = await channel.server.consumer()
    message = await send_photo(mia, 4)
    file = await outcome(mia)
    link = (await mia.call("GET", f"/attachments/{file['id']}/thumbnail")).headers["Location"]
    platform_id = f"shop:{mia.id}:{message}"
    (conversation,) = {
        e["data"]["conversation"]["id"]
        for e in channel.site.core.events
        if e["data"].get("message", {}).get("platform_id") == platform_id
    }
    assert (await channel.site.call("DELETE", f"/v1/conversations/{conversation}"))[0] == 204
    async with channel.server.http.get(link) as answer:
        assert answer.status in {404, 410}
    await eventually(lambda: mia.call("GET", "/history"), lambda found: found.status == 401)


async def test_a_consumers_erasure_is_announced_to_the_core(channel: Channel) -> None:
    mia = await channel.server.consumer()
    await mia.write("forget this", new_id())
    assert (await mia.call("DELETE", "/me")).status == 202
    assert (await mia.call("GET", "/history")).status == 401
    events = await channel.site.until(lambda found: "erasure_requested" in json.dumps(found))
    assert mia.id in json.dumps(events)
