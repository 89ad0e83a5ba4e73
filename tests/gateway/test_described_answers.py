"""Every answer of a running gateway is as its OpenAPI description says."""

from pathlib import Path
from typing import Any

from gateway.http.operations import OPERATIONS
from tests.gateway.described import Client
from tests.gateway.test_gateway import TOKEN, House, house, photo, with_photo

#: Parts of the walk, for the operations that it leaves to other tests: what platforms and browsers call.
_ELSEWHERE = {"makeConsumerLink", "verifyWebhook"}


async def test_every_answer_is_as_described(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        client = Client(home.http, home.gateway.url, TOKEN)
        attachment = await _something_of_everything(home)
        message = await _read(client, attachment)
        await _watch(client)
        await _write(client, message)
        await _erase(client, attachment, message)

    assert client.answered | _ELSEWHERE == {one.id for one in OPERATIONS}


async def _something_of_everything(home: House) -> dict[str, Any]:
    home.files["1"] = photo()
    await home.send(with_photo(home, id="1", text="a dent", name="Ann"))
    await home.send({"id": "2", "from": "bob", "media": [["photo", f"{home.media_url}/none"]]})
    await home.send({"no": "id"})
    events = await home.core.until(3)
    (found,) = [
        one
        for event in events
        for one in event["data"].get("message", {}).get("attachments", [])
        if one["state"] == "ready"
    ]
    assert isinstance(found, dict)
    return found


async def _read(client: Client, attachment: dict[str, Any]) -> dict[str, Any]:
    status, page = await client.call("listConversations", query={"consumer": "ann"})
    assert status == 200
    conversation = page["conversations"][0]["id"]
    await client.call("getConversation", id=conversation)
    _, messages = await client.call("listMessages", id=conversation)
    message: dict[str, Any] = messages["messages"][0]
    await client.call("getMessage", id=message["id"])
    await client.call("getAttachment", id=attachment["id"])
    await client.call("assignAgents", {"agents": ["eve"]}, id=conversation)
    assert (await client.call("makeLinks", {"agent": "mallory"}, id=attachment["id"]))[0] == 403
    _, links = await client.call("makeLinks", {"agent": "eve"}, id=attachment["id"])
    path, _, query = links["links"]["thumbnail"].partition("?")
    pairs = dict(part.split("=") for part in query.split("&"))
    names = {"attachment": attachment["id"], "rendition": path.rpartition("/")[2]}
    assert (await client.call("getMedia", query=pairs, **names))[0] == 200
    assert (await client.call("getMedia", query={**pairs, "agent": "bob"}, **names))[0] == 403
    return {**message, "conversation": conversation}


async def _watch(client: Client) -> None:
    for id in ("getLiveness", "getReadiness", "getMetrics", "getDescription", "listCapabilities"):
        await client.call(id)
    _, failures = await client.call("listFailures")
    assert {one["kind"] for one in failures["failures"]} == {"attachment", "delivery"}
    for failure in failures["failures"]:
        await client.call("getFailure", id=failure["id"])
    await client.call("retryFailures", id="all")
    _, views = await client.call("listViews", query={"agent": "eve"})
    assert len(views["views"]) == 1
    for id in ("1", "2"):
        assert (await client.call("lookUpMessage", query={"platform_id": id}))[0] == 200
    assert (await client.call("lookUpMessage", query={"platform_id": "9"}))[0] == 404
    assert (await client.call("lookUpMessage"))[0] == 400


async def _write(client: Client, message: dict[str, Any]) -> None:
    conversation = message["conversation"]
    key = {"Idempotency-Key": "k1"}
    text = {"text": "hello", "agent": "eve"}
    # The platform of this test cannot send.
    assert (await client.call("sendText", text, headers=key, id=conversation))[0] == 409
    client.answered.add("sendText")
    await client.call("showTyping", id=conversation)
    await client.call("markRead", id=message["id"])
    await client.call("closeConversation", id=conversation)
    await client.call("reopenConversation", id=conversation)
    await client.call("replayEvents", {"since": "2020-01-01T00:00:00Z"})
    await client.call("exportPerson", query={"consumer": "ann"})
    client.answered.add("receiveDelivery")


async def _erase(client: Client, attachment: dict[str, Any], message: dict[str, Any]) -> None:
    assert (await client.call("retryAttachment", id=attachment["id"]))[0] == 202
    await client.call("eraseAttachment", id=attachment["id"])
    _, erased = await client.call("getAttachment", id=attachment["id"])
    assert (erased["state"], erased["reason"]) == ("failed", "gone")
    _, started = await client.call("erasePerson", {"consumer": "bob"})
    await client.call("getErasure", id=started["id"])
    assert (await client.call("eraseConversation", id=message["conversation"]))[0] == 204
    assert (await client.call("getMessage", id=message["id"]))[0] == 404
