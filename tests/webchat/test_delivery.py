"""Deliveries to the gateway: in order, once, repeated until they are taken."""

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from webchat.delivery import lanes
from webchat.store import outbox

from .gateway import FakeGateway
from .running import Clock, Server, running


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    defaults = dict(lanes.Lanes.__init__.__kwdefaults__ or {})
    monkeypatch.setattr(lanes.Lanes.__init__, "__kwdefaults__", {**defaults, "first_pause": 0.01})


def texts(gateway: FakeGateway) -> list[str]:
    return [event["text"] for event in gateway.events if event["type"] == "message"]


async def until(gateway: FakeGateway, number: int) -> None:
    async with asyncio.timeout(10):
        while len(gateway.events) < number:
            await asyncio.sleep(0.005)


async def test_an_events_id_is_the_same_at_each_attempt(server: Server) -> None:
    server.gateway.answers = [503, 500, 429]
    mia = await server.consumer()
    await mia.write("Hello")
    await until(server.gateway, 1)
    tried = server.gateway.tried
    assert len(tried) == 4
    assert len({headers["webhook-id"] for headers, _ in tried}) == 1
    assert len({body for _, body in tried}) == 1


async def test_messages_of_a_consumer_arrive_in_order_after_failures(server: Server) -> None:
    server.gateway.answers = [500] * 3
    mia = await server.consumer()
    for number in range(8):
        await mia.write(str(number))
    await until(server.gateway, 8)
    assert texts(server.gateway) == [str(number) for number in range(8)]


async def test_a_backlog_goes_out_in_batches_that_never_change(
    tmp_path: Path, gateway: FakeGateway, clock: Clock
) -> None:
    await gateway.stop()
    async with running(tmp_path, gateway, clock) as server:
        mia = await server.consumer()
        await mia.write("first")
        async with asyncio.timeout(20):
            while not (await attempts(server)):
                await asyncio.sleep(0.005)
        for number in range(20):
            await mia.write(str(number))
    await gateway.start()
    clock.forward(600)
    async with running(tmp_path, gateway, clock):
        await until(gateway, 21)
    sizes = [len(json.loads(body)["events"]) for _, body in gateway.requests]
    assert sizes[0] == 1
    assert sum(sizes) == 21
    assert max(sizes) > 1
    assert len({headers["webhook-id"] for headers, _ in gateway.requests}) == len(sizes)


async def attempts(server: Server) -> int:
    return await server.chat.database.read(
        lambda db: db.execute("SELECT max(attempts) FROM outbox").fetchone()[0] or 0
    )


@pytest.mark.parametrize("status", [400, 401, 413])
async def test_a_refusal_for_good_stops_only_that_lane_loudly(
    server: Server, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    server.gateway.answers = [status]
    mia, ben = await server.consumer(), await server.consumer()
    with caplog.at_level(logging.ERROR):
        await mia.write("refused")
        async with asyncio.timeout(20):
            while not server.chat.lanes.stopped:
                await asyncio.sleep(0.005)
        await mia.write("waits behind it")
        await ben.write("goes through")
        await until(server.gateway, 1)
    assert texts(server.gateway) == ["goes through"]
    assert str(status) in caplog.text
    assert "refused" not in [record.message for record in caplog.records]
    async with asyncio.timeout(20):
        while (await server.chat.database.read(outbox.waiting))[0] > 2:
            await asyncio.sleep(0.005)
    metrics = (await server.call("GET", "/metrics")).body.decode()
    assert "webchat_lanes_stopped_total 1.0" in metrics
    assert "webchat_outbox_events 2.0" in metrics


async def test_a_stopped_lane_goes_on_after_a_restart(
    tmp_path: Path, gateway: FakeGateway, clock: Clock
) -> None:
    gateway.answers = [401]
    async with running(tmp_path, gateway, clock) as server:
        mia = await server.consumer()
        await mia.write("refused")
        async with asyncio.timeout(20):
            while not server.chat.lanes.stopped:
                await asyncio.sleep(0.005)
    async with running(tmp_path, gateway, clock):
        await until(gateway, 1)
    assert texts(gateway) == ["refused"]


async def test_after_seven_days_an_event_is_given_up_and_shown(
    server: Server, clock: Clock
) -> None:
    server.gateway.answers = [500] * 3
    mia = await server.consumer()
    await mia.write("too old")
    await server.gateway.attempts(1)
    clock.forward(8 * 86_400)
    async with asyncio.timeout(10):
        while (await mia.messages())[0]["state"] != "failed":
            await asyncio.sleep(0.01)
    assert server.gateway.events == []
    metrics = (await server.call("GET", "/metrics")).body.decode()
    assert "webchat_events_given_up_total 1.0" in metrics


async def test_deliveries_carry_a_signature_for_each_secret(
    tmp_path: Path, gateway: FakeGateway
) -> None:
    from .gateway import SECRET

    newer: Any = "whsec_YSBuZXdlciBzZWNyZXQgb2YgdGhlIHdlYg=="
    async with running(tmp_path, gateway, secrets=(newer, SECRET)) as server:
        mia = await server.consumer()
        await mia.write()
        await until(gateway, 1)
    assert len(gateway.tried[0][0]["webhook-signature"].split()) == 2


async def test_logs_hold_no_texts_tokens_or_ids_of_files(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    server.gateway.answers = [503]
    with caplog.at_level(logging.DEBUG):
        mia = await server.consumer()
        upload = await mia.upload(X_Name="secret-name.jpg")
        await mia.write("a private text", uploads=[upload])
        await until(server.gateway, 1)
    for secret in ("a private text", "secret-name", mia.token, upload):
        assert secret not in caplog.text
