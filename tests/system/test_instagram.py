"""Instagram through a real gateway: stories, shares, reactions; and several accounts in one section."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from gateway.events.schemas import validate
from simulator import Instagram, Messenger, photo, video
from simulator.inbox import Inbox
from simulator.instagram import messages
from simulator.messenger import messages as messenger_messages
from tests.system.running import CONSUMERS, Site, attachments, site
from tests.system.test_commands import airlock
from tests.system.test_replies import reply, statuses

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="module")]

SECOND = {"instagram": "17841400000000002", "messenger": "2234567890"}
TOKENS = {name: {id: f"the-second-token-of-{name}"} for name, id in SECOND.items()}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    async with site(tmp_path_factory.mktemp("site"), further_accounts=TOKENS) as started:
        yield started


def instagram(running: Site) -> Instagram:
    found = running.platforms["instagram"]
    assert isinstance(found, Instagram)
    return found


async def received(running: Site, id: str, type: str = "message.received") -> dict[str, Any]:
    """Return the event of a message, once its attachments have ended."""

    def found(events: list[dict[str, Any]]) -> dict[str, Any] | None:
        mine = (e for e in events if e["type"] == type)
        return next((e for e in mine if e["data"]["message"]["platform_id"] == id), None)

    def is_over(events: list[dict[str, Any]]) -> bool:
        event = found(events)
        files = event["data"]["message"]["attachments"] if event else []
        states = [attachments(events)[file["id"]]["state"] for file in files]
        return event is not None and "pending" not in states

    event = found(await running.until(is_over))
    assert event is not None
    validate(event)
    return event


def files_of(running: Site, event: dict[str, Any]) -> list[tuple[str, str]]:
    latest = attachments(running.core.events)
    files = [latest[file["id"]] for file in event["data"]["message"]["attachments"]]
    return [(file["kind"], file["state"]) for file in files]


async def test_a_reply_to_a_story_brings_the_story(running: Site) -> None:
    platform = instagram(running)
    story = platform.link_to(photo("car", 360, 640, seed=71))
    said = messages.story_reply("Which colour is this?", story)
    (id,) = (await platform.say(CONSUMERS["instagram"], said)).ids
    event = await received(running, id)
    assert event["data"]["message"]["text"] == "Which colour is this?"
    assert files_of(running, event) == [("photo", "ready")]
    (notice,) = [e for e in running.core.events if e["type"] == "conversation.notice"]
    assert notice["data"]["notice"]["text"] == "The customer replied to your story"
    assert running.core.events.index(notice) < running.core.events.index(event)


async def test_a_story_and_a_reel_are_shown_with_words(running: Site) -> None:
    platform = instagram(running)
    story = platform.link_to(video("bicycle", 1.0, 180, 320, seed=72))
    reel = platform.link_to(video("washer", 1.0, 180, 320, seed=73))
    for said, words in (
        (messages.story_mention(story), "Mentioned you in a story"),
        (messages.shared_reel(reel, "Quiet at last"), "Shared a reel\nQuiet at last"),
    ):
        (id,) = (await platform.say(CONSUMERS["instagram"], said)).ids
        event = await received(running, id)
        assert event["data"]["message"]["text"] == words
        assert files_of(running, event) == [("video", "ready")]
        assert "signature=" not in json.dumps(event)


async def test_a_quick_reply_arrives_with_its_choice(running: Site) -> None:
    said = messages.quick_reply("Yes", "yes-1")
    (id,) = (await instagram(running).say(CONSUMERS["instagram"], said)).ids
    message = (await received(running, id))["data"]["message"]
    assert (message["text"], message["choice"]) == ("Yes", "yes-1")


async def test_an_unsent_message_is_deleted(running: Site) -> None:
    platform = instagram(running)
    (answer,) = await platform.send(CONSUMERS["instagram"], "Never mind")
    event = await received(running, answer.ids[0])
    await platform.say(CONSUMERS["instagram"], messages.unsend(answer.ids[0]))
    id = event["data"]["message"]["id"]
    await running.until(
        lambda es: any(
            e["type"] == "message.deleted" and e["data"]["message"]["id"] == id for e in es
        )
    )


async def test_what_the_business_wrote_in_the_app_arrives(running: Site) -> None:
    platform = instagram(running)
    await platform.echo(CONSUMERS["instagram"].id, "From the app", mid="mid-of-the-app")
    event = await received(running, "mid-of-the-app", "message.echoed")
    assert event["data"]["message"]["text"] == "From the app"


@pytest.mark.parametrize("name", SECOND)
@pytest.mark.parametrize("number", [0, 1])
async def test_an_answer_goes_out_from_the_account_that_was_written_to(
    running: Site, name: str, number: int
) -> None:
    platform = running.platforms[name]
    assert isinstance(platform, Inbox)
    account = list(platform.tokens)[number]
    said = (messages if name == "instagram" else messenger_messages).quick_reply("Hello", account)
    (id,) = (await platform.say(CONSUMERS[name], said, account=account)).ids
    event = await received(running, id)
    platform.receipts = ("read",)
    _, accepted = await reply(running, str(event["subject"]), f"from {account}")
    assert "sent" in await statuses(running, accepted["id"], "sent")
    (sent,) = [sent for sent in platform.sent if sent.text == f"from {account}"]
    assert platform.sent_from[sent.id] == account


async def test_a_read_receipt_names_the_text(running: Site) -> None:
    platform = instagram(running)
    platform.receipts = ("read",)
    (answer,) = await platform.send(CONSUMERS["instagram"], "Hello again")
    event = await received(running, answer.ids[0])
    _, accepted = await reply(running, str(event["subject"]), "Read this")
    assert (await statuses(running, accepted["id"], "read"))[-1] == "read"


async def test_an_echo_before_the_answer_makes_no_second_line(running: Site) -> None:
    platform = instagram(running)
    platform.receipts, platform.receipts_first = ("echo", "read"), True
    try:
        (answer,) = await platform.send(CONSUMERS["instagram"], "Hello once more")
        event = await received(running, answer.ids[0])
        _, accepted = await reply(running, str(event["subject"]), "Said once")
        assert (await statuses(running, accepted["id"], "read"))[-1] == "read"
    finally:
        platform.receipts_first = False
    echoed = [e for e in running.core.events if e["type"] == "message.echoed"]
    assert "Said once" not in [e["data"]["message"]["text"] for e in echoed]


async def test_a_text_is_split_by_its_bytes(running: Site) -> None:
    platform = instagram(running)
    platform.receipts = ()
    (answer,) = await platform.send(CONSUMERS["instagram"], "Здравствуйте")
    event = await received(running, answer.ids[0])
    before = len(platform.sent)
    text = "Посылка уже в пути. " * 40
    _, accepted = await reply(running, str(event["subject"]), text)
    assert await statuses(running, accepted["id"], "sent") == ["sent"]
    parts = [sent.text for sent in platform.sent[before:]]
    assert len(parts) == 2
    assert all(len(part.encode()) <= 1000 for part in parts)


async def test_each_account_is_checked_and_a_bad_token_named(running: Site) -> None:
    file = running.folder / "connectors.yaml"
    _, out, _ = await airlock("check", "-c", file)
    assert "instagram (Instagram): ok, @example.appliances, @example.appliances.2" in out
    assert "messenger (Facebook Messenger): ok, Example Appliances, Example Appliances 2" in out
    settings = json.loads(file.read_text())
    settings["connectors"]["instagram"]["accounts"][SECOND["instagram"]] = "an-expired-token"
    settings["connectors"]["messenger"]["pages"][SECOND["messenger"]] = "an-expired-token"
    changed = running.folder / "changed.yaml"
    changed.write_text(json.dumps(settings))
    status, out, _ = await airlock("check", "-c", changed)
    assert status == 1
    assert f"unauthorized: account {SECOND['instagram']}: " in out
    assert f"unauthorized: Page {SECOND['messenger']}: " in out
    for name in (Instagram.account_id, Messenger.page_id, "an-expired-token"):
        assert name not in out


async def test_no_token_reached_the_files_hosts_or_the_log(running: Site) -> None:
    log = (running.folder / "gateway.log").read_text()
    for name in SECOND:
        platform = running.platforms[name]
        assert isinstance(platform, Inbox)
        assert platform.leaks == []
        assert not [token for token in platform.tokens.values() if token in log]
