"""Who is writing: the consumer sees the agent where the channel shows it, the agent sees the consumer."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

from tests.workspace import samples
from tests.workspace.house import House

TYPING = "/v1/conversations/conv_mia/typing"


def notice(id: str, kind: str, at: float | None = None) -> dict[str, Any]:
    data = {"conversation": samples.conversation(), "notice": {"kind": kind, "text": None}}
    told = datetime.fromtimestamp(time.time() if at is None else at, UTC).isoformat()
    return {**samples.event(id, "conversation.notice", data), "time": told}


async def typing_until(house: House) -> float:
    (found,) = (await house.get("api/conversations"))["conversations"]
    return float(found["typing_until"]) / 1000


async def test_that_the_consumer_is_writing_is_told_for_a_minute_at_most(house: House) -> None:
    await house.deliver(samples.received("evt_1", samples.message()))
    assert await typing_until(house) == 0
    await house.deliver(notice("evt_2", "typing_start"))
    assert 50 < await typing_until(house) - time.time() <= 60
    await house.deliver(notice("evt_3", "typing_end"))
    assert await typing_until(house) <= time.time()


async def test_what_they_wrote_ends_it_and_it_moves_nobody_up_the_list(house: House) -> None:
    other = samples.conversation("conv_tom", consumer={"id": "2", "name": "Tom"})
    await house.deliver(
        samples.received("evt_1", samples.message()),
        samples.received("evt_2", {**samples.message(5), "id": "msg_tom"}, other),
        notice("evt_3", "typing_start"),
    )
    listed = (await house.get("api/conversations"))["conversations"]
    assert [one["name"] for one in listed] == ["Tom", "Mia"]
    await house.deliver(samples.received("evt_4", samples.message(2)))
    listed = (await house.get("api/conversations"))["conversations"]
    assert [one["typing_until"] for one in listed] == [0, 0]


async def test_who_writes_before_anything_was_said_is_nobody_yet(house: House) -> None:
    await house.deliver(notice("evt_1", "typing_start"))
    assert (await house.get("api/conversations"))["conversations"] == []


async def test_the_gateway_is_told_by_who_has_the_conversation_alone(house: House) -> None:
    await house.deliver(samples.received("evt_1", samples.message()))
    status, _ = await house.try_post("api/conversations/conv_mia/typing", {"typing": True})
    assert status == 403
    await house.opened()
    await house.post("api/conversations/conv_mia/typing", {"typing": True})
    await house.post("api/conversations/conv_mia/typing", {"typing": False})
    async with asyncio.timeout(20):
        while len(told := house.gateway.called("POST", TYPING)) < 2:
            await asyncio.sleep(0.01)
    assert {one["typing"] for one in told} == {True, False}
    status, _ = await house.try_post("api/conversations/conv_mia/typing", {"typing": "yes"})
    assert status == 400


async def test_what_a_channel_can_do_is_asked_once_and_told_with_the_conversation(
    house: House,
) -> None:
    await house.deliver(samples.received("evt_1", samples.message()))
    for _ in range(3):
        assert (await house.opened())["can"] == {"quotes": True, "typing": True}
    assert len(house.gateway.called("GET", "/v1/capabilities")) == 1


async def test_a_gateway_that_tells_nothing_leaves_a_channel_plain(house: House) -> None:
    house.gateway.refuse["/v1/capabilities"] = 503, {}
    await house.deliver(samples.received("evt_1", samples.message()))
    assert (await house.opened())["can"] == {"quotes": False, "typing": False}
