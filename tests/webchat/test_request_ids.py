"""Each answer and what is logged about it have the same id; the gateway's ids are logged as well."""

import asyncio
import logging

import pytest

from webchat.store.database import Database

from .running import Server


async def test_each_answer_has_an_id_of_its_own(server: Server) -> None:
    mia = await server.consumer()
    sent = {"X-Request-Id": "of-a-stranger"}
    answers = [
        await mia.call("GET", "/history"),
        await server.call("GET", "/v1/history", headers=sent),
        await server.call("GET", "/nothing"),
        await server.call("GET", "/healthz", headers=sent),
    ]

    assert [answer.status for answer in answers] == [200, 401, 404, 200]
    ids = [answer.headers["X-Request-Id"] for answer in answers]
    assert len(set(ids)) == 4
    assert all(id.startswith("chat-") for id in ids)


async def test_an_unexpected_error_is_logged_with_the_answers_id(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("no such table")

    mia = await server.consumer()
    monkeypatch.setattr(Database, "read", broken)

    answer = await mia.call("GET", "/history")

    assert answer.status == 500
    assert f"request {answer.headers['X-Request-Id']} failed: GET /v1/history" in caplog.text


async def test_a_delivery_that_was_not_taken_is_logged_with_the_gateways_id(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    server.gateway.answers = [401]
    mia = await server.consumer()

    with caplog.at_level(logging.ERROR):
        await mia.write("Hello")
        async with asyncio.timeout(10):
            while not server.chat.lanes.stopped:
                await asyncio.sleep(0.005)

    assert "(401, req-of-the-gateway)" in caplog.text
