"""Texts are sent again only if that cannot send one twice, and their outcome is reported."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest

from connectors import Message, Party, Receipt, Rejected
from connectors.whatsapp import WhatsApp
from gateway.fetching import Fetcher
from gateway.journal import AgentText, Batch, Reading, Recorded
from gateway.journal.sqlite.journal import SqliteJournal
from gateway.replies.send_worker import SendWorker
from gateway.timestamps import now_ms
from simulator import PLATFORMS, Platform

MIA = "4915112345678"
#: Statuses that do not show whether the text was sent.
AMBIGUOUS_STATUSES = [500, 502, 504, 599]


def note_status(reported: list[tuple[str, str | None]], recorded: Recorded) -> None:
    """Collect the statuses of texts that the core would receive."""
    for entry in recorded.entries:
        event = orjson.loads(entry.body or b"{}")
        if event.get("type") == "message.status":
            reported.append((event["data"]["status"], event["data"]["reason"]))


@dataclass
class Setup:
    """One connector, its platform, and the statuses that the core would receive."""

    journal: SqliteJournal
    platform: Platform
    connector: WhatsApp
    sending: SendWorker
    reported: list[tuple[str, str | None]]

    async def read(self, event: Any) -> None:
        reading = Reading("wa", "whatsapp", now_ms(), event)
        await self.journal.record(Batch((), (reading,)))

    async def write(self, id: str) -> None:
        new = AgentText(id, self.conversation, "anna", f"text of {id}", (f"text of {id}",), None)
        assert await self.journal.accept_text(new)

    async def until_reported(self, count: int) -> list[tuple[str, str | None]]:
        async with asyncio.timeout(20):
            while len(self.reported) < count:
                await asyncio.sleep(0.02)
        return self.reported

    @property
    def conversation(self) -> str:
        return self.journal.ids.conversation("wa", "106540352242922", MIA)


@pytest.fixture
async def setup(tmp_path: Path) -> AsyncIterator[Setup]:
    async with running_setup(tmp_path) as found:
        yield found


@asynccontextmanager
async def running_setup(folder: Path) -> AsyncIterator[Setup]:
    journal = await SqliteJournal.open(folder, hold_seconds=2)
    platform = PLATFORMS["whatsapp"]()
    await platform.start()
    connector = WhatsApp(WhatsApp.Config.model_validate(platform.settings()))
    fetcher = Fetcher(allow_private_hosts=True, extra_hosts=())
    reported: list[tuple[str, str | None]] = []
    sending = SendWorker(
        journal,
        {"wa": connector},
        fetcher,
        public_url="https://chat.example.com",
        reconcile=0.6,
    )
    journal.subscribe(sending.recorded)
    journal.subscribe(partial(note_status, reported))
    found = Setup(journal, platform, connector, sending, reported)
    task = asyncio.create_task(sending.run())
    try:
        common: dict[str, Any] = {"account": "106540352242922", "party": Party(MIA)}
        await found.read(Message(id="wamid.1", text="hello", **common))
        yield found
    finally:
        task.cancel()
        await asyncio.wait([task])
        await fetcher.aclose()
        await platform.close()
        await journal.close()


async def test_a_text_with_a_lost_response_is_reported_as_unknown(setup: Setup) -> None:
    setup.platform.lost_answers = 1
    await setup.write("msg_a")
    await setup.write("msg_b")
    assert await setup.until_reported(2) == [("failed", "unknown"), ("sent", None)]
    assert [text.text for text in setup.platform.sent] == ["text of msg_a", "text of msg_b"]


@pytest.mark.parametrize("status", AMBIGUOUS_STATUSES)
async def test_a_server_error_without_a_code_is_reported_as_unknown(
    setup: Setup, status: int
) -> None:
    setup.platform.spoilt_answers = [status]
    await setup.write("msg_a")
    assert await setup.until_reported(1) == [("failed", "unknown")]
    assert len(setup.platform.sent) == 1


async def test_a_success_without_an_id_is_reported_as_unknown(setup: Setup) -> None:
    setup.platform.refusals = [(200, {"messaging_product": "whatsapp"})]
    await setup.write("msg_a")
    assert await setup.until_reported(1) == [("failed", "unknown")]
    assert len([asked for asked in setup.platform.received if asked.method == "POST"]) == 1


@pytest.mark.parametrize(
    "refusal",
    [(503, {}), (429, {}), (500, {"error": {"code": 131016, "message": "Service unavailable"}})],
)
async def test_a_text_that_was_certainly_refused_is_sent_again(
    setup: Setup, refusal: tuple[int, Any]
) -> None:
    setup.platform.refusals = [refusal]
    await setup.write("msg_a")
    assert await setup.until_reported(1) == [("sent", None)]
    assert len(setup.platform.sent) == 1


async def test_an_absurd_retry_after_does_not_end_the_worker(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(connector: WhatsApp, text: Any) -> Any:
        raise Rejected("rate_limited", retry=True, after=float("inf"))

    monkeypatch.setattr(WhatsApp, "send_text", refused)
    await setup.write("msg_a")
    (part,) = await setup.journal.open_parts()
    async with asyncio.timeout(20):
        while part.due < now_ms() + 80_000_000:
            await asyncio.sleep(0.02)
            (part,) = await setup.journal.open_parts()
    assert part.due < now_ms() + 90_000_000


async def test_a_receipt_settles_an_open_text_at_once(setup: Setup) -> None:
    setup.platform.lost_answers = 1
    await setup.write("msg_a")
    await setup.platform.until_sent(1)
    key = str(setup.platform.sent[0].raw["biz_opaque_callback_data"])
    await setup.read(receipt("delivered", key))
    assert await setup.until_reported(1) == [("delivered", None)]
    await setup.write("msg_b")
    assert (await setup.until_reported(2))[1] == ("sent", None)


async def test_a_late_receipt_still_counts(setup: Setup) -> None:
    setup.platform.lost_answers = 1
    await setup.write("msg_a")
    await setup.until_reported(1)
    key = str(setup.platform.sent[0].raw["biz_opaque_callback_data"])
    await setup.read(receipt("read", key))
    assert await setup.until_reported(2) == [("failed", "unknown"), ("read", None)]


def receipt(status: Any, key: str) -> Receipt:
    return Receipt(
        id=f"status:{key}:{status}",
        account="106540352242922",
        party=Party(MIA),
        status=status,
        message_ids=("wamid.sent",),
        key=key,
    )


async def test_a_text_sent_before_a_crash_is_not_sent_again(
    tmp_path: Path,
) -> None:
    async with running_setup(tmp_path) as first:
        first.platform.spoilt_answers = [502]
        await first.write("msg_a")
        await first.platform.until_sent(1)
    async with running_setup(tmp_path) as second:
        assert await second.until_reported(1) == [("failed", "unknown")]
        assert second.platform.sent == []


async def test_a_bug_of_a_connector_fails_only_one_text(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = WhatsApp.send_text

    def failing_for_one(connector: WhatsApp, text: Any) -> Any:
        if text.text == "text of msg_a":
            raise ZeroDivisionError
        return original(connector, text)

    monkeypatch.setattr(WhatsApp, "send_text", failing_for_one)
    await setup.write("msg_a")
    await setup.write("msg_b")
    assert await setup.until_reported(2) == [("failed", "unknown"), ("sent", None)]
    assert [text.text for text in setup.platform.sent] == ["text of msg_b"]
