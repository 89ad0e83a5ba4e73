"""The core of the tests accepts only events that are signed as the public specification defines."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from simulator import Core
from simulator.core_judges import (
    CUT,
    Judge,
    accepts,
    always,
    refuses_conversation,
    refuses_every,
    refuses_first,
    refuses_for,
)

SECRET = "whsec_" + base64.b64encode(b"the secret of these tests, long enough").decode()
OTHER = "whsec_" + base64.b64encode(b"another secret").decode()


@asynccontextmanager
async def running(*secrets: str, judge: Judge = accepts) -> AsyncIterator[Core]:
    core = Core(secrets or (SECRET,), judge)
    await core.start()
    try:
        yield core
    finally:
        await core.close()


def event(id: str = "evt_1", subject: str = "conv_1") -> dict[str, Any]:
    return {"specversion": "1.0", "id": id, "type": "message.received", "subject": subject}


async def posted(
    core: Core,
    content: Any = None,
    *,
    secret: str = SECRET,
    age: float = 0,
    changes: dict[str, str] | None = None,
    tampered: bytes | None = None,
) -> int:
    content = content or event()
    body = json.dumps(content)
    at = datetime.now(UTC) - timedelta(seconds=age)
    headers = {
        "content-type": "application/cloudevents+json",
        "webhook-id": content["id"],
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(content["id"], at, body),
        **(changes or {}),
    }
    async with httpx.AsyncClient(verify=False) as http:
        answer = await http.post(core.url, content=tampered or body.encode(), headers=headers)
    return answer.status_code


async def test_an_event_signed_by_another_library_is_accepted() -> None:
    async with running() as core:
        assert await posted(core) == 204
        assert core.events == [event()]
        assert core.bad_signatures == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"secret": OTHER},
        {"age": 600},
        {"age": -600},
        {"tampered": json.dumps(event("evt_2")).encode()},
        {"tampered": json.dumps(event()).encode() + b" "},
        {"changes": {"webhook-id": "evt_9"}},
        {"changes": {"webhook-id": ""}},
        {"changes": {"webhook-signature": ""}},
        {"changes": {"webhook-signature": "v1,"}},
        {"changes": {"webhook-signature": "v2,AAAA"}},
        {"changes": {"webhook-timestamp": "soon"}},
        {"changes": {"webhook-timestamp": str(int(time.time()) - 100)}},
        {"changes": {"content-type": "application/json"}},
    ],
    ids="-".join,
)
async def test_an_event_without_a_valid_signature_is_refused(wrong: dict[str, Any]) -> None:
    async with running() as core:
        assert await posted(core, **wrong) == 401
        assert core.events == []
        assert core.bad_signatures == len(core.reasons) == 1


async def test_an_event_id_other_than_the_signed_one_is_refused() -> None:
    async with running() as core:
        body = json.dumps(event("evt_2"))
        now = datetime.now(UTC)
        headers = {
            "content-type": "application/cloudevents+json",
            "webhook-id": "evt_1",
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(SECRET).sign("evt_1", now, body),
        }
        async with httpx.AsyncClient(verify=False) as http:
            assert (await http.post(core.url, content=body, headers=headers)).status_code == 401
        assert core.reasons == ["the event's id is not the webhook-id"]


async def test_one_valid_signature_among_several_is_enough() -> None:
    async with running() as core:
        now = datetime.now(UTC)
        valid = Webhook(SECRET).sign("evt_1", now, json.dumps(event()))
        assert await posted(core, changes={"webhook-signature": f"v1,AAAA {valid}"}) == 204


@pytest.mark.parametrize("secret", [SECRET, OTHER])
async def test_both_secrets_are_valid_during_a_rotation(secret: str) -> None:
    async with running(SECRET, OTHER) as core:
        assert await posted(core, secret=secret) == 204


async def test_events_are_kept_in_order_with_repeats() -> None:
    async with running() as core:
        for id in ("evt_1", "evt_2", "evt_1", "evt_3"):
            await posted(core, event(id))
        assert [e["id"] for e in core.events] == ["evt_1", "evt_2", "evt_1", "evt_3"]
        assert [e["id"] for e in core.distinct] == ["evt_1", "evt_2", "evt_3"]
        times = [received.at for received in core.taken]
        assert times == sorted(times)


async def test_refuses_every_refuses_each_third_event() -> None:
    async with running(judge=refuses_every(3)) as core:
        assert [await posted(core, event(f"evt_{n}")) for n in range(4)] == [204, 204, 503, 204]
        assert [e["id"] for e in core.events] == ["evt_0", "evt_1", "evt_3"]
        assert core.refused == 1


async def test_refuses_first_refuses_the_first_attempts() -> None:
    async with running(judge=refuses_first(2, 500)) as core:
        assert [await posted(core) for _ in range(3)] == [500, 500, 204]


async def test_refuses_for_refuses_everything_for_a_while() -> None:
    async with running(judge=refuses_for(0.3)) as core:
        assert await posted(core) == 503
        await asyncio.sleep(0.35)
        assert await posted(core) == 204


async def test_always_refuses_every_event() -> None:
    async with running(judge=always(410)) as core:
        assert await posted(core) == 410
        assert core.events == []


async def test_refuses_conversation_refuses_only_that_conversation() -> None:
    async with running(judge=refuses_conversation("conv_1")) as core:
        assert await posted(core, event("evt_1", "conv_1")) == 503
        assert await posted(core, event("evt_2", "conv_2")) == 204


async def test_throttle_answers_429_with_retry_after() -> None:
    async with running() as core:
        core.throttle(7)
        assert await posted(core) == 429
        assert core.headers_of_refusal == {"retry-after": "7"}
        assert await posted(core) == 204


async def test_cut_closes_the_connection_without_an_answer() -> None:
    async with running(judge=always(CUT)) as core:
        with pytest.raises(httpx.RemoteProtocolError):
            await posted(core)
        assert core.refused == 1


async def test_waiting_ends_when_enough_events_arrived() -> None:
    async with running() as core:
        waiting = asyncio.create_task(core.until_count(2))
        await posted(core, event("evt_1"))
        assert not waiting.done()
        await posted(core, event("evt_2"))
        assert [e["id"] for e in await waiting] == ["evt_1", "evt_2"]


async def test_waiting_times_out() -> None:
    async with running() as core:
        with pytest.raises(TimeoutError):
            await core.until_count(1, seconds=0.05)


async def batch(core: Core, *events: dict[str, Any], content: Any = None) -> tuple[int, Any]:
    body = json.dumps(content or list(events))
    now = datetime.now(UTC)
    headers = {
        "content-type": "application/cloudevents-batch+json",
        "webhook-id": "batch_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(SECRET).sign("batch_1", now, body),
    }
    async with httpx.AsyncClient(verify=False) as http:
        answer = await http.post(core.url, content=body.encode(), headers=headers)
    return answer.status_code, answer.json() if answer.content else None


async def test_a_batch_is_taken_up_to_the_first_refusal() -> None:
    three = [event(f"evt_{n}", f"conv_{n}") for n in range(3)]
    async with running() as core:
        assert await batch(core, *three) == (204, None)
        assert core.events == three
        assert core.batches == [3]
        core.judge = refuses_conversation("conv_1")
        assert await batch(core, *three) == (207, {"taken": 1})
        assert core.events == [*three, three[0]]
        core.judge = accepts
        assert (await batch(core, content={"id": "evt_1"}))[0] == 401
        assert (await batch(core, content=[{"type": "x"}]))[0] == 401
