"""A person is found, handed out and erased; a message is found by the platform's id."""

import asyncio
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web

from gateway.journal.operations.consumer_ids import spellings
from tests.gateway.test_gateway import TOKEN, House, house, photo, with_photo


async def test_a_message_is_found_by_the_platforms_id_with_what_became_of_it(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as home:
        home.files["1"] = photo()
        await home.send(with_photo(home, text="a dent"))
        (event,) = await home.core.until(1)
        found = await _taken(home, "1")
        assert found["message"]["text"] == "a dent"
        assert found["message"]["conversation"]["id"] == event["subject"]
        assert found["received_at"] == event["time"]
        assert [one["id"] for one in found["events"]] == [event["id"]]
        assert found["events"][0]["taken_at"] >= event["time"]
        assert [one["state"] for one in found["attachments"]] == ["ready"]
        assert (await _look_up(home, "1", connector="still"))[0] == 404
        assert (await _look_up(home, "2"))[0] == 404


async def test_a_message_that_the_core_refuses_waits(tmp_path: Path) -> None:
    def refuse(event: dict[str, Any], attempt: int) -> web.Response:
        return web.Response(status=500)

    async with house(tmp_path, refuse) as home:
        await home.send({"id": "1", "from": "ann", "text": "hi"})
        async with asyncio.timeout(20):
            while not home.core.events:
                await asyncio.sleep(0.01)
        _, found = await _look_up(home, "1")
        assert found["state"] == "waiting_for_core"
        assert [one["taken_at"] for one in found["events"]] == [None]


async def test_a_message_in_an_unreadable_delivery_is_found_as_a_failure(home: House) -> None:
    await home.send({"wamid": "wamid.X"})
    await home.core.until(1)
    _, found = await _look_up(home, "wamid.X")
    assert (found["state"], found["message"]) == ("unreadable", None)
    status, failure = await home.call("GET", f"/v1/failures/{found['failures'][0]}")
    assert status == 200
    assert "wamid.X" in failure["body"]


async def test_an_export_holds_everything_and_its_links_serve_the_files(home: House) -> None:
    home.files["1"] = photo()
    await home.send(with_photo(home, text="a dent", name="Ann", aliases=["ann@example.com"]))
    await home.send({"id": "2", "from": "bob", "text": "another person"})
    await home.core.until(2)
    lines = await _export(home, "ann@example.com")
    types = [line["type"] for line in lines]
    assert types == ["export", "conversation", "message", "attachment"]
    assert lines[1]["consumer"]["name"] == "Ann"
    assert lines[2]["text"] == "a dent"
    link = lines[3]["links"]["preview"]
    async with home.http.get(link) as response:
        assert (response.status, response.content_type) == (200, "image/jpeg")
    async with home.http.get(link.replace("for=export", "for=eve")) as response:
        assert response.status == 403
    views = [line for line in await _export(home, "ann") if line["type"] == "view"]
    assert [(view["agent"], view["rendition"]) for view in views] == [("export", "preview")]
    assert len(await _export(home, "nobody")) == 1


async def test_an_erased_attachment_is_gone_and_announced(home: House) -> None:
    home.files["1"] = photo()
    await home.send(with_photo(home, text="stays"))
    (event,) = await home.core.until(1)
    attachment = event["data"]["message"]["attachments"][0]["id"]
    assert (await home.call("DELETE", f"/v1/attachments/{attachment}"))[0] == 204
    updated = (await home.core.until(2))[-1]
    (shown,) = updated["data"]["message"]["attachments"]
    assert (updated["type"], shown["state"], shown["reason"], shown["detail"]) == (
        *("attachment.updated", "failed", "gone"),
        "erased on request",
    )
    assert updated["data"]["message"]["text"] == "stays"
    assert (await home.call("POST", f"/v1/attachments/{attachment}/retry"))[0] == 409
    assert (await home.call("DELETE", "/v1/attachments/att_0_0"))[0] == 404


async def test_events_that_were_taken_are_sent_again_in_order_with_their_ids(home: House) -> None:
    for number in range(3):
        await home.send({"id": f"a{number}", "from": "ann", "text": str(number)})
    await home.send({"id": "b", "from": "bob", "text": "other"})
    first = await home.core.until(4)
    ann = [event for event in first if event["data"]["conversation"]["consumer"]["id"] == "ann"]
    await _taken(home, "a2")
    await home.send({"id": "x", "from": "ann", "takes_back": "a1"})
    await home.core.until(5)
    async with asyncio.timeout(20):
        while await home.gateway.backlog():
            await asyncio.sleep(0.01)
    order = {"since": first[0]["time"], "conversation": ann[0]["subject"]}
    status, answer = await home.call("POST", "/v1/events/replay", order)
    assert (status, answer) == (202, {"events": 4})
    again = (await home.core.until(9))[5:]
    assert [event["id"] for event in again[:3]] == [event["id"] for event in ann]
    # What was deleted meanwhile does not come back.
    texts = [event["data"]["message"].get("text") for event in again[:3]]
    assert texts == ["0", None, "2"]
    assert again[1]["data"]["message"]["deleted"] is True
    assert again[3]["type"] == "message.deleted"


@pytest.mark.parametrize("since", ["", "yesterday", "2026-01-01T00:00:00"])
async def test_a_replay_wants_a_time_with_its_zone(home: House, since: str) -> None:
    status, problem = await home.call("POST", "/v1/events/replay", {"since": since})
    # An empty time would mean all that is kept, which nobody means.
    assert status == 400
    assert "since" in problem["detail"]


@pytest.mark.parametrize(
    ("given", "others"),
    [
        ("+49 151 123-45678", {"4915112345678", "+4915112345678"}),
        ("4915112345678", {"+4915112345678"}),
        ("0049 (151) 12345678", {"4915112345678"}),
        ("notes:+4915112345678", {"4915112345678", "+4915112345678"}),
    ],
)
def test_phone_numbers_are_found_however_they_are_written(given: str, others: set[str]) -> None:
    assert others <= set(spellings(given))


@pytest.mark.parametrize("id", ["7712345678901234", "urn:mbid:AQAAY/+=", "ann", "12", ""])
def test_other_ids_are_taken_as_they_are(id: str) -> None:
    assert spellings(id) == (id,)


async def _look_up(home: House, id: str, **more: str) -> tuple[int, Any]:
    query = "&".join(f"{name}={value}" for name, value in {"platform_id": id, **more}.items())
    return await home.call("GET", f"/v1/messages?{query}")


async def _taken(home: House, id: str) -> Any:
    """Return the look-up of a message once the journal knows that the core took it."""
    async with asyncio.timeout(20):
        while True:
            _, found = await _look_up(home, id)
            if found.get("state") == "taken":
                return found
            await asyncio.sleep(0.02)


async def _export(home: House, consumer: str) -> list[Any]:
    headers = {"authorization": f"Bearer {TOKEN}"}
    url = f"{home.gateway.url}/v1/exports"
    async with home.http.get(url, params={"consumer": consumer}, headers=headers) as response:
        assert response.status == 200
        return [orjson.loads(line) for line in (await response.read()).splitlines()]


@pytest.fixture
async def home(tmp_path: Path) -> Any:
    async with house(tmp_path) as built:
        yield built
