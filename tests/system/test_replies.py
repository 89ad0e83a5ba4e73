"""Agents' texts: through each platform's own API, once, in order, and what became of them."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway.event_schemas import validate
from tests.system.running import CONSUMERS, Site, site

pytestmark = pytest.mark.system

PLATFORM_NAMES = ["whatsapp", "messenger", "twilio", "apple"]
LIMITS = {"whatsapp": 4096, "messenger": 2000, "twilio": 1600, "apple": 3000}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    async with site(tmp_path_factory.mktemp("site")) as started:
        yield started


async def conversation(running: Site, name: str) -> str:
    """A conversation on this platform in which the consumer has just written."""
    text = f"hello {uuid.uuid4()}"
    await running.platforms[name].send(CONSUMERS[name], text)
    events = await running.until(
        lambda es: any(e["data"].get("message", {}).get("text") == text for e in es)
    )
    return next(
        str(e["subject"]) for e in events if e["data"].get("message", {}).get("text") == text
    )


async def reply(
    running: Site, conversation: str, text: str, key: str | None = None, **more: Any
) -> tuple[int, Any]:
    async with running.http.post(
        f"{running.url}/v1/conversations/{conversation}/messages",
        json={"text": text, "agent": "anna", **more},
        headers={
            "authorization": "Bearer a-token-for-system-tests",
            "idempotency-key": key or str(uuid.uuid4()),
        },
    ) as response:
        return response.status, await response.json(content_type=None)


async def statuses(running: Site, id: str, last: str) -> list[str]:
    """The statuses of a text in the order in which the core heard of them, until `last`."""

    def told(events: list[dict[str, Any]]) -> list[str]:
        return [
            e["data"]["status"]
            for e in events
            if e["type"] == "message.status" and e["data"]["message"]["id"] == id
        ]

    return told(await running.until(lambda es: last in told(es), seconds=20))


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", PLATFORM_NAMES)
async def test_a_text_goes_out_and_its_receipts_come_back(running: Site, name: str) -> None:
    platform = running.platforms[name]
    platform.receipts = (
        () if name == "apple" else ("delivered",) if name == "twilio" else ("delivered", "read")
    )
    where = await conversation(running, name)
    status, accepted = await reply(running, where, "We are on it 🚚")
    assert (status, accepted["status"]) == (202, "accepted")
    last = {"apple": "sent", "twilio": "delivered"}.get(name, "read")
    told = await statuses(running, accepted["id"], last)
    assert told == ["sent", "delivered", "read"][: len(told)]
    (sent,) = [s for s in platform.sent if s.text == "We are on it 🚚"]
    assert sent.to == CONSUMERS[name].id
    _, shown = await running.call("GET", f"/v1/messages/{accepted['id']}")
    assert (shown["status"], shown["platform_ids"]) == (last, [sent.id])
    for event in running.core.events:
        validate(event)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", PLATFORM_NAMES)
async def test_a_long_text_is_split_at_the_platforms_limit_and_stays_in_order(
    running: Site, name: str
) -> None:
    platform = running.platforms[name]
    platform.receipts = ()
    where = await conversation(running, name)
    text = " ".join(f"sentence-{n}." for n in range(600))
    before = len(platform.sent)
    _, accepted = await reply(running, where, text)
    assert await statuses(running, accepted["id"], "sent") == ["sent"]
    parts = [s.text for s in platform.sent[before:]]
    assert len(parts) > 1
    assert all(len(part) <= LIMITS[name] for part in parts)
    assert " ".join(parts) == text


@pytest.mark.asyncio(loop_scope="module")
async def test_a_repeated_request_sends_once_and_another_text_under_its_key_is_refused(
    running: Site,
) -> None:
    where = await conversation(running, "whatsapp")
    answers = [await reply(running, where, "only once", "the same key") for _ in range(3)]
    assert len({answer[1]["id"] for answer in answers}) == 1
    assert (await reply(running, where, "something else", "the same key"))[0] == 422
    await statuses(running, answers[0][1]["id"], "sent")
    await asyncio.sleep(0.3)
    assert len([s for s in running.platforms["whatsapp"].sent if s.text == "only once"]) == 1


@pytest.mark.asyncio(loop_scope="module")
async def test_anything_but_text_is_refused_with_that_reason(running: Site) -> None:
    where = await conversation(running, "whatsapp")
    status, problem = await reply(
        running, where, "see this", attachments=[{"url": "https://example.com/a.jpg"}]
    )
    assert (status, problem["reason"]) == (422, "only_text")
    assert (await reply(running, where, ""))[0] == 400
    assert (await reply(running, where, "   "))[0] == 422
    assert (await reply(running, "conv_none", "hello"))[0] == 404


@pytest.mark.asyncio(loop_scope="module")
async def test_what_the_platform_refuses_for_good_is_told_with_its_reason(running: Site) -> None:
    platform = running.platforms["twilio"]
    platform.receipts = ()
    where = await conversation(running, "twilio")
    platform.refusals.append((400, {"code": 21610, "message": "unsubscribed", "status": 400}))
    _, accepted = await reply(running, where, "are you there?")
    assert await statuses(running, accepted["id"], "failed") == ["failed"]
    _, shown = await running.call("GET", f"/v1/messages/{accepted['id']}")
    assert shown["reason"] == "opted_out"
    status, problem = await reply(running, where, "and now?")
    assert (status, problem["reason"]) == (409, "opted_out")
    assert (await reply(running, await conversation(running, "twilio"), "welcome back"))[0] == 202


@pytest.mark.asyncio(loop_scope="module")
async def test_what_the_platform_refuses_for_now_is_sent_again(running: Site) -> None:
    platform = running.platforms["whatsapp"]
    platform.receipts = ()
    where = await conversation(running, "whatsapp")
    platform.refusals.append(
        (500, {"error": {"message": "try again", "code": 2, "type": "OAuthException"}})
    )
    _, accepted = await reply(running, where, "second try")
    assert await statuses(running, accepted["id"], "sent") == ["sent"]


@pytest.mark.asyncio(loop_scope="module")
async def test_an_agent_who_has_seen_a_message_is_told_to_the_platform(running: Site) -> None:
    await conversation(running, "whatsapp")
    message = running.core.events[-1]["data"]["message"]["id"]
    assert await running.call("POST", f"/v1/messages/{message}/read") == (200, {"told": True})
    await conversation(running, "apple")
    message = running.core.events[-1]["data"]["message"]["id"]
    assert await running.call("POST", f"/v1/messages/{message}/read") == (200, {"told": False})


async def test_a_text_whose_answer_was_lost_is_found_by_its_receipt_and_not_sent_twice(
    tmp_path: Path,
) -> None:
    async with site(tmp_path) as running:
        platform = running.platforms["whatsapp"]
        platform.receipts = ("delivered",)
        where = await conversation(running, "whatsapp")
        platform.lost_answers = 1
        _, accepted = await reply(running, where, "did you get this?")
        assert (await statuses(running, accepted["id"], "delivered"))[-1] == "delivered"
        assert len(platform.sent) == 1


async def test_a_text_accepted_before_a_crash_goes_out_after_it(tmp_path: Path) -> None:
    async with site(tmp_path) as running:
        platform = running.platforms["apple"]
        where = await conversation(running, "apple")
        platform.refusals += [(503, {})] * 3
        _, accepted = await reply(running, where, "survives")
        await running.kill()
        await running.start()
        assert (await statuses(running, accepted["id"], "sent")) == ["sent"]
        assert [s.text for s in platform.sent] == ["survives"]
