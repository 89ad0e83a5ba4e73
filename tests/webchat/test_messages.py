"""Texts both ways, their ticks, and what clients learn of them."""

import asyncio
import json
from pathlib import Path

from .gateway import FakeGateway
from .running import Clock, Server, new_id, running


async def test_a_text_reaches_the_gateway_once_and_signed(server: Server) -> None:
    mia, id = await server.consumer(), new_id()
    first = await mia.write("Hello", id)
    again = await mia.write("Hello", id)
    assert (first.status, again.status) == (201, 200)
    event = await server.gateway.of_type("message")
    assert event["id"] == id
    assert event["consumer"] == {"id": mia.id, "verified": False}
    assert (event["text"], event["attachments"]) == ("Hello", [])
    (headers, body), *more = server.gateway.tried
    assert more == []
    assert headers["webhook-id"] == f"shop:{mia.id}:{id}"
    assert json.loads(body)["site"] == "shop"


async def test_another_text_under_the_same_id_is_refused(server: Server) -> None:
    mia, id = await server.consumer(), new_id()
    await mia.write("Hello", id)
    other = await mia.write("Goodbye", id)
    assert (other.status, other.code) == (409, "other_content")


async def test_a_message_is_received_once_the_gateway_has_it(server: Server) -> None:
    mia = await server.consumer()
    assert (await mia.write()).json["state"] == "sent"
    await server.gateway.of_type("message")
    async with asyncio.timeout(20):
        while (await mia.messages())[0]["state"] != "received":
            await asyncio.sleep(0.01)


async def test_an_agents_text_is_stored_once_for_each_key(server: Server) -> None:
    mia = await server.consumer()
    content = {"site": "shop", "to": mia.id, "key": "msg_1", "text": "Good morning"}
    answers = [await server.platform("POST", "/messages", content) for _ in range(2)]
    assert [answer.json for answer in answers] == [{"id": "msg_1"}] * 2
    (message,) = await mia.messages()
    assert (message["direction"], message["text"], message["state"]) == (
        "out",
        "Good morning",
        "sent",
    )


async def test_agents_calls_need_the_access_token(server: Server) -> None:
    mia = await server.consumer()
    content = {"site": "shop", "to": mia.id, "key": "msg_1", "text": "Good morning"}
    for token in (None, "wrong", mia.token):
        answer = await server.call("POST", "/platform/v1/messages", token=token, json=content)
        assert (answer.status, answer.code) == (401, "session_required")


async def test_a_text_to_an_unknown_consumer_or_site_is_not_found(server: Server) -> None:
    mia = await server.consumer()
    for to, site in (("con_unknown", "shop"), (mia.id, "outlet")):
        content = {"site": site, "to": to, "key": "msg_1", "text": "Good morning"}
        assert (await server.platform("POST", "/messages", content)).status == 404


async def test_receipts_move_states_and_reach_the_gateway(server: Server) -> None:
    mia = await server.consumer()
    keys = [await server.agent_writes(mia, text) for text in ("one", "two", "three")]
    await mia.call("POST", "/receipts", json={"delivered_to": keys[2], "read_to": keys[1]})
    states = [message["state"] for message in await mia.messages()]
    assert states == ["read", "read", "delivered"]
    delivered = await server.gateway.event(lambda event: event.get("status") == "delivered")
    read = await server.gateway.event(lambda event: event.get("status") == "read")
    assert (delivered["message_ids"], read["message_ids"]) == (keys, keys[:2])
    # The same again says nothing new.
    await mia.call("POST", "/receipts", json={"read_to": keys[1]})
    assert sum(event["type"] == "receipt" for event in server.gateway.events) == 2


async def test_the_agents_reading_moves_earlier_messages_too(server: Server) -> None:
    mia, ids = await server.consumer(), [new_id() for _ in range(3)]
    for id in ids:
        await mia.write("Hello", id)
    read = {"to": mia.id, "message_id": ids[1]}
    assert (await server.platform("POST", "/read", read)).status == 204
    states = [message["state"] for message in await mia.messages()]
    assert states[:2] == ["read", "read"]
    assert states[2] in {"sent", "received"}


async def test_typing_is_reported_at_most_every_four_seconds(server: Server, clock: Clock) -> None:
    mia = await server.consumer()
    for _ in range(3):
        await mia.call("POST", "/typing", json={"on": True})
    await server.gateway.of_type("typing")
    await server.settled()
    clock.forward(5)
    await mia.call("POST", "/typing", json={"on": True})
    await mia.call("POST", "/typing", json={"on": False})
    await mia.call("POST", "/typing", json={"on": False})
    await server.gateway.event(lambda event: event.get("on") is False)
    assert [event["on"] for event in server.gateway.events] == [True, True, False]


async def test_toggling_typing_reports_it_no_more_often(server: Server, clock: Clock) -> None:
    mia = await server.consumer()
    # Twenty requests may take a busy machine longer than the pause between two reports.
    clock.stop()
    for on in (True, False) * 10:
        await mia.call("POST", "/typing", json={"on": on})
    await server.settled()
    assert [event["on"] for event in server.gateway.events] == [True, False]


async def test_closing_shows_and_writing_opens_again(server: Server) -> None:
    mia = await server.consumer()
    await server.agent_writes(mia)
    assert (await server.platform("POST", "/closed", {"to": mia.id})).status == 204
    assert (await mia.history())["conversation"]["state"] == "closed"
    await mia.write()
    assert (await mia.history())["conversation"]["state"] == "open"


async def test_history_comes_in_pages_with_the_newest_first(server: Server) -> None:
    mia = await server.consumer()
    for number in range(5):
        await mia.write(f"text {number}")
    first = (await mia.call("GET", "/history?limit=3")).json
    rest = (await mia.call("GET", f"/history?limit=3&before={first['before']}")).json
    texts = [message["text"] for message in (*first["messages"], *rest["messages"])]
    assert texts == [f"text {number}" for number in (4, 3, 2, 1, 0)]
    assert rest["before"] is None


async def test_a_consumer_sees_only_their_own_conversation(server: Server) -> None:
    mia, ben = await server.consumer(), await server.consumer()
    await mia.write("only for the shop", id := new_id())
    assert (await ben.history())["messages"] == []
    assert (await ben.write("mine", id)).status == 201
    assert [message["text"] for message in await mia.messages()] == ["only for the shop"]


async def test_texts_survive_a_restart(tmp_path: Path, gateway: FakeGateway) -> None:
    await gateway.stop()
    async with running(tmp_path, gateway) as server:
        mia = await server.consumer()
        await mia.write("while the gateway was away")
    await gateway.start()
    async with running(tmp_path, gateway) as server:
        event = await gateway.of_type("message")
        assert event["text"] == "while the gateway was away"
        mia.server = server
        assert len(await mia.messages()) == 1


async def test_damaged_bodies_are_refused_with_problem_details(server: Server) -> None:
    mia = await server.consumer()
    path, headers = f"/messages/{new_id()}", {"Content-Type": "application/json"}
    for body in (b"", b"{", b"[]", b'{"text": 1}', b'{"text": "\\ud83d"}', b'{"uploads": ["x"]}'):
        answer = await mia.call("PUT", path, data=body, headers=headers)
        assert (answer.status, answer.code) == (400, "bad_request"), body
    for text in (None, "", "  \n"):
        assert (await mia.write(text)).status == 400
    long = await mia.write("x" * 4001)
    assert (long.status, long.code) == (413, "text_too_long")
    huge = await mia.call("PUT", path, data=b" " * 70_000, headers=headers)
    assert (huge.status, huge.code) == (413, "too_large")
