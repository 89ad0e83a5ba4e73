"""Limits that differ between accounts: length and window of texts, and the rate at which they are sent."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from connectors import Message, Party, TextLimits
from connectors.twilio import Twilio
from connectors.whatsapp import WhatsApp
from gateway.fetching import Fetcher
from gateway.inbound.parse_worker import read
from gateway.journal import Accepted, AgentText, Batch, Reading
from gateway.journal.sqlite.journal import SqliteJournal
from gateway.problems import Problem
from gateway.replies.accept import Replies, Reply
from gateway.replies.send_worker import SendWorker
from gateway.timestamps import now_ms
from simulator import PLATFORMS
from tests.connectors.accounts import twilio, whatsapp

MIA = "4915112345678"
DAY = 86_400_000


class Channels(WhatsApp):
    """A platform whose accounts have limits of their own."""

    def limits(self, account: str) -> TextLimits:
        found = super().limits(account)
        return replace(found, max_text=10, reply_window=None) if account == "sms" else found


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[SqliteJournal]:
    opened = await SqliteJournal.open(tmp_path, hold_seconds=2)
    yield opened
    await opened.close()


async def wrote(journal: SqliteJournal, account: str, ago: int = 0) -> str:
    """Record a message to an account, and return its conversation."""
    event = Message(id=f"m-{account}", account=account, party=Party(MIA), text="hi")
    reading = Reading("wa", "whatsapp", now_ms() - ago, event)
    await journal.record(Batch((), (reading,)))
    return journal.ids.conversation("wa", account, MIA)


async def test_a_text_is_split_as_its_account_needs(journal: SqliteJournal) -> None:
    connector = Channels(whatsapp().config)
    fetcher: Any = None
    replies = Replies(journal, {"wa": connector}, fetcher)
    for account, parts in (("sms", 3), ("app", 1)):
        conversation = await wrote(journal, account)
        await replies.accept(conversation, account, Reply(text="x" * 25, agent="anna"))
        found = [part for part in await journal.open_parts() if part.account == account]
        assert len(found) == parts


async def test_only_an_account_with_a_window_refuses_late_texts(journal: SqliteJournal) -> None:
    fetcher: Any = None
    replies = Replies(journal, {"wa": Channels(whatsapp().config)}, fetcher)
    text = Reply(text="hello", agent="anna")
    await replies.accept(await wrote(journal, "sms", 2 * DAY), "1", text)
    with pytest.raises(Problem) as refused:
        await replies.accept(await wrote(journal, "app", 2 * DAY), "2", text)
    assert refused.value.reason == "window_closed"


def test_twilio_relays_whatsapps_window() -> None:
    assert twilio().limits("whatsapp:+15550001111").reply_window == 86_400
    for account in ("+15550001111", "rcs:brand", "messenger:1", "MG1", ""):
        assert twilio().limits(account) == TextLimits(1600)
    assert Twilio.capabilities.max_text == 1600


@pytest.mark.parametrize(("account", "window"), [("sms", None), ("app", DAY)])
def test_a_message_opens_the_window_of_its_account(account: str, window: int | None) -> None:
    class Parsing(Channels):
        def parse(self, delivery: Any) -> Any:
            del delivery
            return [Message(id="1", account=account, party=Party(MIA), text="hi")]

    accepted = Accepted("wa", now_ms(), {}, {}, orjson.dumps({}))
    (reading,) = read(accepted, {"wa": Parsing(whatsapp().config)})
    assert reading.reply_window == window


async def test_texts_are_sent_no_faster_than_declared(journal: SqliteJournal) -> None:
    class Slow(WhatsApp):
        texts_per_second = 5.0

    platform = PLATFORMS["whatsapp"]()
    await platform.start()
    connector = Slow(Slow.Config.model_validate(platform.settings()))
    fetcher = Fetcher(allow_private_hosts=True, extra_hosts=())
    sending = SendWorker(journal, {"wa": connector}, fetcher, public_url="https://c.example")
    journal.subscribe(sending.recorded)
    task = asyncio.create_task(sending.run())
    try:
        for number in range(3):
            event = Message(
                id=f"m-{number}", account="106540352242922", party=Party(f"{MIA}{number}")
            )
            await journal.record(Batch((), (Reading("wa", "whatsapp", now_ms(), event),)))
        begin = time.monotonic()
        for number in range(3):
            conversation = journal.ids.conversation("wa", "106540352242922", f"{MIA}{number}")
            new = AgentText(f"msg_{number}", conversation, "anna", "hello", ("hello",), None)
            assert await journal.accept_text(new)
        await platform.until_sent(3)
        assert time.monotonic() - begin > 0.39
    finally:
        task.cancel()
        await asyncio.wait([task])
        await fetcher.aclose()
        await platform.close()
