"""Notes for the next agent, giving back, presence of other agents, and retries in the audit log."""

from contextlib import closing
from typing import Any

import orjson
import pytest

from tests.workspace import samples
from tests.workspace.running import RunningWorkspace
from tests.workspace.test_reading import read_until
from workspace.store.database import connect

AGENTS = "api/conversations/conv_mia/agents"


@pytest.fixture
async def mia(running: RunningWorkspace) -> RunningWorkspace:
    await running.deliver(samples.received("evt_1", samples.message(text="hello")))
    await running.open_conversation()
    return running


async def test_note_is_kept_audited_and_only_for_agents(mia: RunningWorkspace) -> None:
    note = "  Wants the blue one.\nCall after 5.  "
    await mia.post(AGENTS, {"do": "hand_over", "to": "sam", "note": note})
    *_, notice = (await mia.get("api/conversations/conv_mia/lines"))["lines"]
    assert notice["text"] == "agent handed the conversation over to sam"
    assert notice["note"] == "Wants the blue one.\nCall after 5."
    entry = (await mia.get("api/audit"))["entries"][0]
    assert (entry["did"], entry["detail"]) == ("handed over with a note", "sam")
    assert "blue" not in str(mia.gateway.calls)
    await mia.post("api/conversations/conv_mia/erase")
    assert "blue" not in str(await mia.get("api/audit"))


async def test_giving_back_with_a_note_frees_the_conversation(mia: RunningWorkspace) -> None:
    await mia.post(AGENTS, {"do": "leave", "note": "I am off"})
    opened = await mia.get("api/conversations?show=free")
    assert [entry["id"] for entry in opened["conversations"]] == ["conv_mia"]
    assert (await mia.get("api/audit"))["entries"][0]["did"] == "left with a note"


@pytest.mark.parametrize(("note", "status"), [("x" * 2001, 400), (7, 400), (None, 204)])
async def test_note_is_checked(mia: RunningWorkspace, note: Any, status: int) -> None:
    done, _ = await mia.try_post(AGENTS, {"do": "leave", "note": note})
    assert done == status


async def test_others_see_who_reads_and_types(mia: RunningWorkspace) -> None:
    sam = mia.new_browser()
    path = "api/conversations/conv_mia/presence"
    async with sam.session:
        await sam.sign_in("sam")
        async with sam.session.get(sam.url("updates?since=99")) as stream:
            for doing in ("reading", "typing", "away"):
                await mia.post(path, {"doing": doing})
                seen = await read_until(stream, b"\n\n", after=b"event: presence")
                found = orjson.loads(seen.rpartition(b"data: ")[2])
                assert found == ({} if doing == "away" else {"conv_mia": {"agent": doing}})
        status, _ = await sam.try_post(path, {"doing": "dancing"})
        assert status == 400


async def test_presence_does_not_keep_a_session_alive(mia: RunningWorkspace) -> None:
    with closing(connect(mia.database)) as db:
        db.execute("UPDATE sessions SET seen_at = seen_at - 3600000")
        (before,) = db.execute("SELECT seen_at FROM sessions").fetchone()
        await mia.post("api/conversations/conv_mia/presence", {"doing": "reading"})
        assert db.execute("SELECT seen_at FROM sessions").fetchone()[0] == before
        await mia.get("api/me")
        assert db.execute("SELECT seen_at FROM sessions").fetchone()[0] > before


async def test_retry_is_in_the_audit_log(mia: RunningWorkspace) -> None:
    failed = samples.photo("att_f", "failed", reason="gone", name="lid.jpg")
    await mia.deliver(samples.received("evt_2", samples.message(2, attachments=[failed])))
    await mia.post("attachments/att_f/retry")
    entry = (await mia.get("api/audit"))["entries"][0]
    assert (entry["did"], entry["kind"], entry["name"]) == ("retried", "photo", "lid.jpg")
