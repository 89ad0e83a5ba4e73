"""Two conversations of one person become one: lines, reading, assignments, replies, links and erasure."""

import asyncio
import itertools
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.workspace import samples
from tests.workspace.running import RunningWorkspace, run_workspace
from workspace.auth import accounts
from workspace.gateway.client import GatewayClient

NUMBER = {"id": "4915550000001", "name": "Mia"}
USER = {"id": "US.77", "name": "Mia B."}
BOTH = {"id": "4915550000001", "name": "Mia", "aliases": ["US.77"]}
KEY = "key-of-the-answer-1"
NOTICE = "Two conversations with the same person were joined. The messages of both are shown here."

_numbers = itertools.count()


def kept(**more: Any) -> dict[str, Any]:
    return samples.conversation("conv_mia", consumer=NUMBER, **more)


def gone(**more: Any) -> dict[str, Any]:
    return samples.conversation("conv_user", consumer=USER, **more)


async def say(
    running: RunningWorkspace, where: dict[str, Any], sequence: int, minute: int, **more: Any
) -> None:
    """Deliver message `sequence` of a conversation, sent at a minute, with both in its text."""
    at = samples.stamp(minute)
    id = f"{where['id']}_{sequence}"
    message = samples.message(
        sequence, id=f"msg_{id}", platform_id=f"wamid.{id}", text=f"{id} at {minute}"
    )
    message |= {"transcript": message["text"], "sent_at": at, "received_at": at, **more}
    await running.deliver(samples.received(f"evt_{id}", message, where))


def merged(
    into: dict[str, Any] | None = None, other: str = "conv_user", minute: int = 30
) -> dict[str, Any]:
    conversation = into or {**kept(), "consumer": BOTH}
    event = samples.event(
        f"evt_m{next(_numbers)}",
        "conversation.merged",
        {"conversation": conversation, "merged": other},
    )
    return {**event, "time": samples.stamp(minute)}


async def texts(running: RunningWorkspace, conversation: str = "conv_mia") -> list[str]:
    return [line["text"] for line in (await running.open_conversation(conversation))["lines"]]


async def listed(running: RunningWorkspace, query: str = "") -> Any:
    return (await running.get(f"api/conversations?{query}"))["conversations"]


@pytest.fixture
async def both(running: RunningWorkspace) -> RunningWorkspace:
    """Two conversations of Mia, in which she wrote in turn."""
    for sequence, (where, minute) in enumerate(
        [(kept(), 1), (gone(), 2), (kept(), 3), (gone(), 4)], start=2
    ):
        await say(running, where, sequence // 2, minute)
    return running


async def test_lines_of_both_are_in_the_order_of_time(both: RunningWorkspace) -> None:
    await both.deliver(merged())
    assert await texts(both) == [
        "conv_mia_1 at 1",
        "conv_user_1 at 2",
        "conv_mia_2 at 3",
        "conv_user_2 at 4",
        NOTICE,
    ]
    await say(both, {**kept(), "consumer": BOTH}, 3, 31)
    assert (await texts(both))[-1] == "conv_mia_3 at 31"


async def test_merged_conversation_leaves_the_list(both: RunningWorkspace) -> None:
    await both.deliver(merged())
    (entry,) = await listed(both)
    assert (entry["id"], entry["name"]) == ("conv_mia", "Mia")
    assert entry["last"]["line"] == "conv_user_2 at 4", "the notice does not hide it"
    for show in ("open", "closed", "mine", "all"):
        assert "conv_user" not in [found["id"] for found in await listed(both, f"show={show}")]


@pytest.mark.parametrize("words", ["conv_user_2", "conv_mia_1", "us.77", "4915550000001", "Mia"])
async def test_search_finds_what_either_contained(both: RunningWorkspace, words: str) -> None:
    await both.deliver(merged())
    assert [entry["id"] for entry in await listed(both, f"q={words}")] == ["conv_mia"]


async def test_open_page_learns_of_the_merge(both: RunningWorkspace) -> None:
    revision = (await both.get("api/conversations"))["revision"]
    await both.deliver(merged())
    async with (
        asyncio.timeout(20),
        both.session.get(both.url(f"updates?since={revision}")) as response,
    ):
        while not (line := await response.content.readline()).startswith(b"data: "):
            pass
    assert b'"merged_into":"conv_mia"' in line


async def test_moved_lines_reach_a_page_in_portions(both: RunningWorkspace) -> None:
    for sequence in range(3, 153):
        await say(both, gone(), sequence, sequence)
    revision = (await both.get("api/conversations"))["revision"]
    await both.deliver(merged(minute=200))
    found: list[Any] = []
    while lines := (await both.get(f"api/conversations/conv_mia/lines?since={revision}"))["lines"]:
        found += lines
        revision = lines[-1]["revision"]
    assert len({line["id"] for line in found if line["direction"] == "in"}) == 152


async def test_pages_of_merged_lines_have_no_gaps(both: RunningWorkspace) -> None:
    for sequence in range(3, 83):
        await say(both, gone(), sequence, 2 * sequence)
        await say(both, kept(), sequence, 2 * sequence)
    await both.deliver(merged(minute=900))
    found = (await both.open_conversation())["lines"]
    while True:
        first = found[0]
        cursor = f"{first['placed_at']}.{first['sequence']}.{first['position']}"
        earlier = await both.get(f"api/conversations/conv_mia/lines?before={cursor}")
        if not earlier["lines"]:
            break
        found = earlier["lines"] + found
    assert [line["at"] for line in found] == sorted(line["at"] for line in found)
    assert len({line["id"] for line in found}) == len(found) == 165


# reading -----------------------------------------------------------------------------------------


async def unread(running: RunningWorkspace) -> list[str]:
    opened = await running.open_conversation()
    found = [line["text"] for line in opened["lines"] if line.get("unread")]
    assert opened["conversation"]["unread"] == len(found)
    return found


async def test_unread_messages_stay_unread_and_read_ones_read(both: RunningWorkspace) -> None:
    await both.post("api/conversations/conv_mia/read", {"sequence": 2})
    await both.post("api/conversations/conv_user/read", {"sequence": 1})
    await both.deliver(merged())
    assert await unread(both) == ["conv_user_2 at 4"]
    await say(both, {**kept(), "consumer": BOTH}, 3, 31)
    assert await unread(both) == ["conv_user_2 at 4", "conv_mia_3 at 31"]


async def test_reading_all_that_is_shown_reads_both(both: RunningWorkspace) -> None:
    await both.deliver(merged())
    opened = await both.open_conversation()
    content = {"sequence": opened["conversation"]["sequence"], "revision": opened["revision"]}
    await both.post("api/conversations/conv_mia/read", content)
    assert await unread(both) == []


@pytest.mark.parametrize(
    ("page", "other"),
    [
        ("conv_mia", ["conv_user_1 at 2", "conv_user_2 at 4"]),
        ("conv_user", ["conv_mia_1 at 1", "conv_mia_2 at 3"]),
    ],
)
async def test_page_that_lags_reads_only_what_it_shows(
    both: RunningWorkspace, page: str, other: list[str]
) -> None:
    opened = await both.open_conversation(page)
    await both.deliver(merged())
    content = {"sequence": opened["conversation"]["sequence"], "revision": opened["revision"]}
    await both.post(f"api/conversations/{page}/read", content)
    assert await unread(both) == other


async def test_read_receipts_go_out_for_both(both: RunningWorkspace) -> None:
    await both.deliver(merged())
    opened = await both.open_conversation()
    content = {"sequence": opened["conversation"]["sequence"], "revision": opened["revision"]}
    await both.post("api/conversations/conv_mia/read", content)
    async with asyncio.timeout(20):
        while len(receipts(both)) < 2:
            await asyncio.sleep(0.01)
    assert receipts(both) == {
        "/v1/messages/msg_conv_mia_2/read",
        "/v1/messages/msg_conv_user_2/read",
    }


def receipts(running: RunningWorkspace) -> set[str]:
    return {path for _, path, _ in running.gateway.calls if path.endswith("/read")}


# agents and replies ------------------------------------------------------------------------------


async def test_assignments_are_united(tmp_path: Path) -> None:
    async with run_workspace(tmp_path, demo=False) as running:
        for name in ("anna", "bob"):
            accounts.add(running.database, name, "a long password", ["agent"])
        await say(running, kept(), 1, 1)
        await say(running, gone(), 1, 2)
        await running.sign_in("anna", "a long password")
        await running.post("api/conversations/conv_mia/agents", {"do": "take"})
        bob = running.new_browser()
        async with bob.session:
            await bob.sign_in("bob", "a long password")
            await bob.post("api/conversations/conv_user/agents", {"do": "take"})
            await running.deliver(merged())
            opened = await bob.open_conversation("conv_user")
    assert opened["conversation"]["agents"] == ["anna", "bob"]
    assert opened["conversation"]["assigned"]


async def test_leaving_during_a_merge_keeps_the_other_agent(
    both: RunningWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    assign = GatewayClient.assign

    async def merge_meanwhile(self: GatewayClient, conversation: str, agents: list[str]) -> None:
        await assign(self, conversation, agents)
        await both.deliver(merged())

    sam = both.new_browser()
    async with sam.session:
        await sam.sign_in("sam")
        await sam.open_conversation("conv_mia")
        await both.open_conversation("conv_user")
        monkeypatch.setattr(GatewayClient, "assign", merge_meanwhile)
        await both.post("api/conversations/conv_user/agents", {"do": "leave"})
    (entry,) = await listed(both)
    assert entry["agents"] == ["sam"]
    assert (await texts(both))[-1] == "agent left the conversation"


async def test_open_one_keeps_a_closed_one_open(both: RunningWorkspace) -> None:
    await both.open_conversation()
    await both.post("api/conversations/conv_mia/agents", {"do": "close"})
    await both.deliver(merged())
    (entry,) = await listed(both)
    assert entry["open"]


async def test_reply_in_flight_follows_the_merge(both: RunningWorkspace) -> None:
    await both.open_conversation("conv_user")
    both.gateway.send_gate = asyncio.Event()
    path = "api/conversations/conv_user/messages"
    sending = asyncio.create_task(both.post(path, {"text": "good day", "key": KEY}))
    async with asyncio.timeout(20):
        while not both.gateway.calls_to("POST", "/v1/conversations/conv_user/messages"):
            await asyncio.sleep(0.01)
    await both.deliver(merged())
    both.gateway.send_gate.set()
    await sending
    lines = (await both.open_conversation())["lines"]
    (reply,) = [line for line in lines if line["direction"] == "out"]
    assert (reply["text"], reply["status"]) == ("good day", "accepted")


async def test_repeated_reply_goes_where_it_went_first(both: RunningWorkspace) -> None:
    """The gateway recognises the key of a text within the conversation that it was sent to."""
    await both.open_conversation("conv_user")
    first = "/v1/conversations/conv_user/messages"
    both.gateway.refuse[first] = 503, {}
    content = {"text": "good day", "key": KEY}
    assert (await both.try_post("api/conversations/conv_user/messages", content))[0] == 502
    both.gateway.refuse.clear()
    await both.deliver(merged())
    await both.post("api/conversations/conv_mia/messages", content)
    assert len(both.gateway.calls_to("POST", first)) == 2
    assert both.gateway.calls_to("POST", "/v1/conversations/conv_mia/messages") == []


async def test_page_of_the_merged_one_still_works(both: RunningWorkspace) -> None:
    await both.open_conversation("conv_user")
    await both.deliver(merged())
    old = "api/conversations/conv_user"
    await both.post(f"{old}/messages", {"text": "hi", "key": KEY, "reply_to": "msg_conv_mia_1"})
    await both.post(f"{old}/typing", {"typing": True})
    await both.post(f"{old}/agents", {"do": "close"})
    calls = [path for _, path, _ in both.gateway.calls]
    assert "/v1/conversations/conv_mia/messages" in calls
    assert "/v1/conversations/conv_mia/typing" in calls
    assert (await texts(both))[-2:] == ["hi", "agent closed the conversation"]
    assert len((await both.get(f"{old}/lines?since=0"))["lines"]) == 7


# links, chains and erasure -----------------------------------------------------------------------


async def test_old_link_and_audit_entry_lead_on(both: RunningWorkspace) -> None:
    await both.open_conversation("conv_user")
    await both.deliver(merged())
    opened = await both.open_conversation("conv_user")
    assert opened["conversation"]["id"] == "conv_mia"
    entries = (await both.get("api/audit"))["entries"]
    (took,) = [entry for entry in entries if entry["did"] == "took"]
    assert (took["conversation"], took["consumer"], took["gone"]) == ("conv_mia", "Mia", False)


async def test_chain_of_merges_leads_to_the_last(both: RunningWorkspace) -> None:
    oldest = samples.conversation("conv_old", consumer={"id": "4916", "name": "Mia"})
    await say(both, oldest, 1, 0)
    await both.deliver(merged(), merged(oldest, "conv_mia", minute=31))
    for id in ("conv_user", "conv_mia", "conv_old"):
        assert (await both.open_conversation(id))["conversation"]["id"] == "conv_old"
    assert len(await texts(both, "conv_old")) == 7
    await both.post("api/conversations/conv_old/read", {"sequence": 1, "revision": 10**9})
    assert (await listed(both))[0]["unread"] == 0


async def test_late_event_of_the_merged_one_follows(both: RunningWorkspace) -> None:
    await both.deliver(merged())
    await say(both, gone(), 3, 5)
    assert (await texts(both))[:5][-1] == "conv_user_3 at 5"
    (entry,) = await listed(both)
    assert (entry["name"], entry["consumer"], entry["unread"]) == ("Mia", "+4915550000001", 5)


@pytest.mark.parametrize("known", [(), ("conv_mia",), ("conv_user",)])
async def test_merge_with_an_unknown_conversation_breaks_nothing(
    running: RunningWorkspace, known: tuple[str, ...]
) -> None:
    for where in (kept(), gone()):
        if where["id"] in known:
            await say(running, where, 1, 1)
    await running.deliver(merged(), merged())
    found = await listed(running)
    assert [entry["id"] for entry in found] == ["conv_mia"] * len(known)
    if known:
        assert await texts(running, "conv_user") == [f"{known[0]}_1 at 1"]
    with closing(sqlite3.connect(running.database)) as other:
        assert other.execute("SELECT 1 FROM events WHERE body IS NOT NULL").fetchall() == []


@pytest.mark.parametrize("address", ["conv_mia", "conv_user"])
async def test_erasure_erases_the_lines_of_both(tmp_path: Path, address: str) -> None:
    async with run_workspace(tmp_path) as running:
        await say(running, kept(), 1, 1)
        await say(running, gone(), 1, 2, attachments=[samples.photo(name="at-home.jpg")])
        await running.open_conversation("conv_user")
        await running.post("api/conversations/conv_user/read", {"sequence": 1})
        await running.deliver(merged())
        await running.post(f"api/conversations/{address}/erase")
        assert running.gateway.calls_to("DELETE", "/v1/conversations/conv_mia") == [None]
        for id in ("conv_mia", "conv_user"):
            assert (await running.try_post(f"api/conversations/{id}/opened"))[0] == 404
        # The gateway may use the id again for the next conversation with the same address.
        await say(running, gone(), 2, 40)
        assert await texts(running, "conv_user") == ["conv_user_2 at 40"]
    content = b"".join(file.read_bytes() for file in tmp_path.glob("workspace.sqlite3*"))
    for secret in (b"conv_user_1 at", b"conv_mia_1 at", b"at-home.jpg"):
        assert secret not in content, secret
