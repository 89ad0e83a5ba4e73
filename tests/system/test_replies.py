"""Agents' texts on each platform: sent once, in order, with their statuses."""

import asyncio
import io
import json
import re
import uuid
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from gateway.events.schemas import validate
from tests.journal_rows import change
from tests.system.running import CONSUMERS, TOKEN, Site, site

pytestmark = pytest.mark.system

PLATFORM_NAMES = ["whatsapp", "messenger", "instagram", "twilio", "apple"]
RECEIPTS = {
    "whatsapp": ("sent", "delivered", "read"),
    "messenger": ("delivered", "read"),
    "instagram": ("read",),
    "twilio": ("sent", "delivered"),
    "apple": (),
}
ORDER = ["sent", "delivered", "read"]
TYPING = {
    "whatsapp": ["read", "typing_on"],
    "messenger": ["typing_on", "typing_off"],
    "instagram": ["typing_on", "typing_off"],
    "twilio": [],
    "apple": ["typing_start", "typing_end"],
}
LIMITS = {"whatsapp": 4096, "messenger": 2000, "instagram": 1000, "twilio": 1600, "apple": 3000}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    async with site(tmp_path_factory.mktemp("site")) as started:
        yield started


async def conversation(running: Site, name: str) -> str:
    """Return a conversation on this platform in which the consumer has just written."""
    return str((await written(running, name))["subject"])


async def written(running: Site, name: str) -> dict[str, Any]:
    """Have the consumer write, and return the event. Other events, such as statuses, may come at any time."""
    text = f"hello {uuid.uuid4()}"
    await running.platforms[name].send(CONSUMERS[name], text)
    events = await running.until(
        lambda es: any(e["data"].get("message", {}).get("text") == text for e in es)
    )
    return next(e for e in events if e["data"].get("message", {}).get("text") == text)


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
    """Return the statuses of a text in the order in which the core received them, up to `last`."""

    def collect(events: list[dict[str, Any]]) -> list[str]:
        return [
            e["data"]["status"]
            for e in events
            if e["type"] == "message.status" and e["data"]["message"]["id"] == id
        ]

    return collect(await running.until(lambda es: last in collect(es), seconds=20))


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", PLATFORM_NAMES)
async def test_a_text_is_sent_and_its_receipts_arrive(running: Site, name: str) -> None:
    platform = running.platforms[name]
    platform.receipts = tuple(one for one in RECEIPTS[name] if one != "sent")
    expected = ["sent", *platform.receipts]
    where = await conversation(running, name)
    status, accepted = await reply(running, where, "We are on it 🚚")
    assert (status, accepted["status"]) == (202, "accepted")
    assert await statuses(running, accepted["id"], expected[-1]) == expected
    (sent,) = [s for s in platform.sent if s.text == "We are on it 🚚"]
    assert sent.to == CONSUMERS[name].id
    _, shown = await running.call("GET", f"/v1/messages/{accepted['id']}")
    assert (shown["status"], shown["platform_ids"]) == (expected[-1], [sent.id])
    for event in running.core.events:
        validate(event)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", PLATFORM_NAMES)
async def test_a_long_text_is_split_in_order(running: Site, name: str) -> None:
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
async def test_an_idempotency_key_sends_once_and_refuses_another_text(
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
async def test_concurrent_texts_under_one_key_accept_only_one(
    running: Site,
) -> None:
    where = await conversation(running, "whatsapp")
    key = str(uuid.uuid4())
    answers = await asyncio.gather(
        *(reply(running, where, f"number {number}", key) for number in range(8))
    )
    assert sorted(status for status, _ in answers) == [202] + [422] * 7
    (taken,) = [number for number, (status, _) in enumerate(answers) if status == 202]
    await statuses(running, answers[taken][1]["id"], "sent")
    sent = [text.text for text in running.platforms["whatsapp"].sent if "number " in text.text]
    assert sent == [f"number {taken}"]


@pytest.mark.asyncio(loop_scope="module")
async def test_a_body_without_declared_length_is_bounded(running: Site) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * 4000

    where = await conversation(running, "whatsapp")
    headers = {"authorization": f"Bearer {TOKEN}", "idempotency-key": "too much"}
    address = f"{running.url}/v1/conversations/{where}/messages"
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(address, data=endless()) as response,
    ):
        assert (response.status, response.content_type) == (413, "application/problem+json")


@pytest.mark.asyncio(loop_scope="module")
async def test_anything_but_text_is_refused_as_only_text(running: Site) -> None:
    where = await conversation(running, "whatsapp")
    status, problem = await reply(
        running, where, "see this", attachments=[{"url": "https://example.com/a.jpg"}]
    )
    assert (status, problem["reason"]) == (422, "only_text")
    path = f"/v1/conversations/{where}/messages"
    headers = {"authorization": f"Bearer {TOKEN}", "idempotency-key": "a photo"}
    bodies: list[dict[str, Any]] = [
        {"json": {"agent": "anna", "media": "https://example.com/a.jpg"}},
        {"data": b"\xff\xd8\xff", "headers": {"content-type": "image/jpeg"}},
        {"data": aiohttp.FormData({"file": io.BytesIO(b"\xff\xd8\xff")})},
    ]
    for body in bodies:
        more = {**headers, **body.pop("headers", {})}
        async with running.http.post(running.url + path, headers=more, **body) as response:
            assert (response.status, (await response.json())["reason"]) == (422, "only_text")
    assert (await reply(running, where, ""))[0] == 400
    assert (await reply(running, where, "   "))[0] == 422
    assert (await reply(running, "conv_none", "hello"))[0] == 404


@pytest.mark.asyncio(loop_scope="module")
async def test_a_permanent_refusal_is_reported_with_its_reason(running: Site) -> None:
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
    await conversation(running, "twilio")  # their words alone do not take it back
    assert (await reply(running, where, "and now?"))[0] == 409
    seen = len(running.core.events)
    await platform.send(CONSUMERS["twilio"], "START")
    await running.until(partial(was_noticed, "START", seen=seen))
    assert (await reply(running, where, "welcome back"))[0] == 202


def was_noticed(word: str, events: list[dict[str, Any]], *, seen: int) -> bool:
    """Whether a notice with this word came after the first `seen` events."""
    notices = [e["data"]["notice"] for e in events[seen:] if e["type"] == "conversation.notice"]
    return any(notice["text"] == word for notice in notices)


@pytest.mark.asyncio(loop_scope="module")
async def test_opt_out_keywords_take_effect_at_once(running: Site) -> None:
    platform: Any = running.platforms["twilio"]
    platform.receipts, platform.tells_opt_outs = (), True  # allow-word
    cleo = CONSUMERS["twilio"]
    where = await conversation(running, "twilio")
    for word, expected in (("STOP", 409), ("START", 202)):
        seen = len(running.core.events)
        await platform.send(cleo, word)
        await running.until(partial(was_noticed, word, seen=seen))
        status, answer = await reply(running, where, f"after {word}")
        assert status == expected, answer
    platform.tells_opt_outs = False  # allow-word


@pytest.mark.asyncio(loop_scope="module")
async def test_a_temporary_refusal_is_retried(running: Site) -> None:
    platform = running.platforms["whatsapp"]
    platform.receipts = ()
    where = await conversation(running, "whatsapp")
    platform.refusals.append(
        (500, {"error": {"message": "try again", "code": 2, "type": "OAuthException"}})
    )
    _, accepted = await reply(running, where, "second try")
    assert await statuses(running, accepted["id"], "sent") == ["sent"]


@pytest.mark.asyncio(loop_scope="module")
async def test_read_messages_are_reported_to_the_platform(running: Site) -> None:
    message = (await written(running, "whatsapp"))["data"]["message"]["id"]
    assert await running.call("POST", f"/v1/messages/{message}/read") == (
        200,
        {"told": True},  # allow-word
    )  # allow-word
    message = (await written(running, "apple"))["data"]["message"]["id"]
    assert await running.call("POST", f"/v1/messages/{message}/read") == (
        200,
        {"told": False},  # allow-word
    )  # allow-word


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", PLATFORM_NAMES)
async def test_receipts_before_the_platforms_response_are_matched(running: Site, name: str) -> None:
    platform = running.platforms[name]
    platform.receipts = RECEIPTS[name]
    platform.receipts_first = True
    try:
        where = await conversation(running, name)
        _, accepted = await reply(running, where, "quick as a flash")
        last = platform.receipts[-1] if platform.receipts else "sent"
        seen = await statuses(running, accepted["id"], last)
    finally:
        platform.receipts_first = False
    assert seen[-1] == last
    assert sorted(seen, key=ORDER.index) == seen
    assert len([s for s in platform.sent if s.text == "quick as a flash"]) == 1


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("receipts", [("read",), ("read", "delivered"), ("read", "read")])
async def test_an_early_read_timestamp_applies_to_its_text(
    running: Site, receipts: tuple[str, ...]
) -> None:
    platform = running.platforms["messenger"]
    platform.receipts, platform.receipts_first = receipts, True
    try:
        where = await conversation(running, "messenger")
        _, accepted = await reply(running, where, f"read at once {receipts}")
        assert (await statuses(running, accepted["id"], "read"))[-1] == "read"
    finally:
        platform.receipts_first = False


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("name", "code", "reason"),
    [("whatsapp", 131026, "undeliverable"), ("twilio", 30003, "undeliverable")],
)
async def test_an_accepted_text_may_fail_later(
    running: Site, name: str, code: int, reason: str
) -> None:
    platform: Any = running.platforms[name]
    platform.receipts = ()
    where = await conversation(running, name)
    _, accepted = await reply(running, where, "too late")
    assert await statuses(running, accepted["id"], "sent") == ["sent"]
    await platform.fail(next(one for one in platform.sent if one.text == "too late"), code)
    assert await statuses(running, accepted["id"], "failed") == ["sent", "failed"]
    _, shown = await running.call("GET", f"/v1/messages/{accepted['id']}")
    assert (shown["status"], shown["reason"]) == ("failed", reason)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("status", [502, 504])
@pytest.mark.parametrize("name", ["whatsapp", "messenger", "twilio"])
async def test_a_text_that_may_have_been_sent_is_not_repeated(
    running: Site, name: str, status: int
) -> None:
    platform = running.platforms[name]
    platform.receipts = RECEIPTS[name]
    platform.spoilt_answers = [status]
    where = await conversation(running, name)
    text = f"perhaps {status}"
    _, accepted = await reply(running, where, text)
    if name == "messenger":
        # A read timestamp could belong to an earlier text; the echo names this one.
        async with asyncio.timeout(20):
            while not (sent := [s for s in platform.sent if s.text == text]):
                await asyncio.sleep(0.05)
        await platform.tell(sent[0], "echo")
    seen = await statuses(running, accepted["id"], RECEIPTS[name][-1])
    assert "failed" not in seen
    assert len([s for s in platform.sent if s.text == text]) == 1


@pytest.mark.asyncio(loop_scope="module")
async def test_apple_detects_duplicates_so_the_text_is_retried(running: Site) -> None:
    platform = running.platforms["apple"]
    where = await conversation(running, "apple")
    platform.spoilt_answers = [502]
    _, accepted = await reply(running, where, "once more")
    assert await statuses(running, accepted["id"], "sent") == ["sent"]
    assert len({s.id for s in platform.sent if s.text == "once more"}) == 1


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", PLATFORM_NAMES)
async def test_typing_is_shown_where_the_platform_supports_it(running: Site, name: str) -> None:
    platform = running.platforms[name]
    where = await conversation(running, name)
    path = f"/v1/conversations/{where}/typing"
    before = len(platform.actions)
    shown = name != "twilio"
    assert await running.call("POST", path) == (200, {"told": shown})  # allow-word
    assert await running.call("POST", path, {"typing": False}) == (
        200,
        {"told": shown},  # allow-word
    )  # allow-word
    kinds = [action.kind for action in platform.actions[before:]]
    assert kinds == TYPING[name]
    assert (await running.call("POST", "/v1/conversations/conv_none/typing"))[0] == 404
    assert (await running.call("POST", path, {"typing": "perhaps"}))[0] == 400


@pytest.mark.asyncio(loop_scope="module")
async def test_a_closed_conversation_accepts_no_typing_or_texts(running: Site) -> None:
    platform: Any = running.platforms["apple"]
    where = await conversation(running, "apple")
    await platform.deliver(CONSUMERS["apple"], "close")
    await running.until(
        lambda es: any(e["type"] == "conversation.closed" and e["subject"] == where for e in es)
    )
    assert await running.call("POST", f"/v1/conversations/{where}/typing") == (
        200,
        {"told": False},  # allow-word
    )  # allow-word
    status, problem = await reply(running, where, "still there?")
    assert (status, problem["reason"]) == (409, "closed")


@pytest.mark.asyncio(loop_scope="module")
async def test_replies_may_quote_any_message_of_the_same_conversation(running: Site) -> None:
    platform = running.platforms["whatsapp"]
    platform.receipts = ()
    event = await written(running, "whatsapp")
    where, theirs = event["subject"], event["data"]["message"]
    _, ours = await reply(running, where, "first", reply_to=theirs["id"])
    await statuses(running, ours["id"], "sent")
    (first,) = [one for one in platform.sent if one.text == "first"]
    assert first.raw["context"] == {"message_id": theirs["platform_id"]}
    _, again = await reply(running, where, "second", reply_to=ours["id"])
    await statuses(running, again["id"], "sent")
    (second,) = [one for one in platform.sent if one.text == "second"]
    assert second.raw["context"] == {"message_id": first.id}
    elsewhere = await conversation(running, "twilio")
    assert (await reply(running, elsewhere, "third", reply_to=theirs["id"]))[0] == 422


@pytest.mark.asyncio(loop_scope="module")
async def test_each_connector_reports_its_health_and_account(running: Site) -> None:
    async with asyncio.timeout(20):
        while True:
            _, found = await running.call("GET", "/v1/capabilities")
            healths = {one["connector"]: one["health"] for one in found["connectors"]}
            if all(health["state"] == "ok" for health in healths.values()):
                break
            await asyncio.sleep(0.1)
    assert "Example Appliances" in healths["messenger"]["account"]
    assert all(health["account"] and health["checked_at"] for health in healths.values())


@pytest.mark.asyncio(loop_scope="module")
async def test_message_latency_is_in_the_metrics(running: Site) -> None:
    await conversation(running, "whatsapp")
    # The core has a message just before it is counted.
    async with asyncio.timeout(20):
        while not re.search(
            r'airlock_message_seconds_count{connector="whatsapp"} [1-9]',
            text := await metrics(running),
        ):
            await asyncio.sleep(0.02)
    assert 'airlock_connector_healthy{connector="whatsapp"} 1.0' in text


async def metrics(running: Site) -> str:
    async with running.http.get(f"{running.url}/metrics") as response:
        return await response.text()


async def test_refused_credentials_are_reported_as_needing_action(tmp_path: Path) -> None:
    async with site(tmp_path) as running:
        platform: Any = running.platforms["whatsapp"]
        platform.token = "another token"
        await running.stop()
        await running.start()
        async with asyncio.timeout(20):
            while True:
                _, found = await running.call("GET", "/v1/capabilities")
                (health,) = [
                    c["health"] for c in found["connectors"] if c["connector"] == "whatsapp"
                ]
                if health["checked_at"]:
                    break
                await asyncio.sleep(0.1)
        assert health["state"] == "needs action"
        assert "unauthorized" in health["detail"]
        assert "emulated-whatsapp-access-token" not in str(found)


async def test_human_agent_extends_the_reply_window_to_seven_days(tmp_path: Path) -> None:
    """Uses an older message in the journal, because the gateway's clock cannot be set."""
    async with site(tmp_path) as running:
        platform = running.platforms["messenger"]
        platform.receipts = ()
        where = await conversation(running, "messenger")
        await running.stop()
        aged(running, hours=30)
        await running.start()
        status, problem = await reply(running, where, "too late")
        assert (status, problem["reason"]) == (409, "window_closed")
        assert "24 hours" in problem["detail"]
        await running.stop()
        settings = json.loads((tmp_path / "connectors.yaml").read_text())
        settings["connectors"]["messenger"]["human_agent"] = True
        (tmp_path / "connectors.yaml").write_text(json.dumps(settings))
        await running.start()
        _, accepted = await reply(running, where, "a person writes")
        await statuses(running, accepted["id"], "sent")
        assert platform.sent[-1].raw["tag"] == "HUMAN_AGENT"
        await running.stop()
        aged(running, hours=7 * 24)
        await running.start()
        status, problem = await reply(running, where, "much too late")
        assert (status, problem["reason"]) == (409, "window_closed")
        assert "7 days" in problem["detail"]


def aged(running: Site, *, hours: float) -> None:
    earlier = f"UPDATE conversation SET heard_at = heard_at - {hours * 3_600_000}"
    change(running.folder / "data", earlier)


async def test_a_lost_response_is_resolved_by_the_receipt(
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


async def test_a_text_accepted_before_a_crash_is_sent_afterwards(tmp_path: Path) -> None:
    async with site(tmp_path) as running:
        platform = running.platforms["apple"]
        where = await conversation(running, "apple")
        platform.refusals += [(503, {})] * 3
        _, accepted = await reply(running, where, "survives")
        await running.kill()
        await running.start()
        assert (await statuses(running, accepted["id"], "sent")) == ["sent"]
        assert [s.text for s in platform.sent] == ["survives"]
