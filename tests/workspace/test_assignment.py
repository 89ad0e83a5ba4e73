"""Taking, handing over, leaving, closing and reopening: permissions, lines in the transcript, calls to the gateway."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.workspace import samples
from tests.workspace.running import RunningWorkspace, run_workspace
from workspace.auth import accounts

PASSWORD = "correct horse battery"
GATEWAY = "/v1/conversations/conv_mia"
AGENTS = "api/conversations/conv_mia/agents"


@pytest.fixture(scope="module")
def accounts_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the accounts. Made once, because hashing is slow on purpose."""
    database = Path(tmp_path_factory.mktemp("accounts_file") / "workspace.sqlite3")
    for name, role in (("anna", "supervisor"), ("bob", "agent"), ("cleo", "agent")):
        accounts.add(database, name, PASSWORD, [role])
    accounts.add(database, "oda", PASSWORD, ["operator"])
    return database


@pytest.fixture
async def staff(tmp_path: Path, accounts_file: Path) -> AsyncIterator[dict[str, RunningWorkspace]]:
    """Bob and Cleo (agents) and Anna (supervisor), each signed in with a browser of their own."""
    shutil.copy(accounts_file, tmp_path / "workspace.sqlite3")
    async with run_workspace(tmp_path, demo=False) as running, AsyncExitStack() as stack:
        await running.deliver(samples.received("evt_1", samples.message()))
        people = {}
        for name in ("anna", "bob", "cleo"):
            people[name] = running.new_browser()
            await stack.enter_async_context(people[name].session)
            assert (await people[name].sign_in(name, PASSWORD)).status == 303
        yield people


async def act(running: RunningWorkspace, action: str, to: str | None = None) -> int:
    status, _ = await running.try_post(AGENTS, {"do": action, "to": to})
    return status


async def assignment(running: RunningWorkspace) -> tuple[list[str], bool]:
    (listed,) = (await running.get("api/conversations?show=all"))["conversations"]
    return listed["agents"], listed["open"]


async def test_opening_a_conversation_does_not_take_it(staff: dict[str, RunningWorkspace]) -> None:
    assert (await staff["bob"].open_conversation())["conversation"]["assigned"] is False
    assert staff["bob"].gateway.assigned == {}


async def test_taking_a_free_conversation_assigns_it_at_the_gateway(
    staff: dict[str, RunningWorkspace],
) -> None:
    assert await act(staff["bob"], "take") == 204
    assert staff["bob"].gateway.assigned == {"conv_mia": ["bob"]}
    lines = (await staff["cleo"].open_conversation())["lines"]
    assert lines[-1]["text"] == "bob took the conversation"


async def test_other_agents_cannot_change_an_assigned_conversation(
    staff: dict[str, RunningWorkspace],
) -> None:
    await act(staff["bob"], "take")
    for action, to in (("take", None), ("hand_over", "cleo"), ("close", None), ("leave", None)):
        assert await act(staff["cleo"], action, to) == 403
    assert await assignment(staff["cleo"]) == (["bob"], True)


async def test_supervisor_may_join_and_hand_over_an_assigned_conversation(
    staff: dict[str, RunningWorkspace],
) -> None:
    await act(staff["bob"], "take")
    assert await act(staff["anna"], "take") == 204
    assert await assignment(staff["anna"]) == (["bob", "anna"], True)
    assert await act(staff["anna"], "hand_over", "cleo") == 204
    assert staff["anna"].gateway.assigned == {"conv_mia": ["cleo"]}


async def test_hand_over_needs_an_agent_who_may_talk(
    staff: dict[str, RunningWorkspace],
) -> None:
    await act(staff["bob"], "take")
    for name in ("", "nobody", "oda", None):
        assert await act(staff["bob"], "hand_over", name) == 400
    assert sorted((await staff["bob"].get("api/me"))["agents"]) == ["anna", "bob", "cleo"]


async def test_conversation_is_free_after_its_agent_leaves(
    staff: dict[str, RunningWorkspace],
) -> None:
    await act(staff["bob"], "take")
    assert await act(staff["bob"], "leave") == 204
    assert await assignment(staff["bob"]) == ([], True)
    assert await act(staff["cleo"], "take") == 204


async def test_closed_conversation_keeps_its_agents_and_can_be_reopened(
    staff: dict[str, RunningWorkspace],
) -> None:
    await act(staff["bob"], "take")
    assert await act(staff["bob"], "close") == 204
    assert await assignment(staff["bob"]) == (["bob"], False)
    assert len(staff["bob"].gateway.calls_to("POST", f"{GATEWAY}/close")) == 1
    assert (await staff["bob"].get("api/conversations?show=open"))["conversations"] == []
    assert len((await staff["bob"].get("api/conversations?show=closed"))["conversations"]) == 1
    assert len((await staff["bob"].get("api/conversations?show=mine"))["conversations"]) == 1
    assert await act(staff["cleo"], "reopen") == 403
    assert await act(staff["bob"], "reopen") == 204
    assert await assignment(staff["bob"]) == (["bob"], True)
    assert len(staff["bob"].gateway.calls_to("POST", f"{GATEWAY}/reopen")) == 1


@pytest.mark.parametrize(("status", "answer", "stays_open"), [(503, 502, True), (404, 204, False)])
async def test_closing_follows_what_the_gateway_answers(
    staff: dict[str, RunningWorkspace], status: int, answer: int, *, stays_open: bool
) -> None:
    await act(staff["bob"], "take")
    staff["bob"].gateway.refuse[f"{GATEWAY}/close"] = status, {"detail": "the journal is away"}
    assert await act(staff["bob"], "close") == answer
    assert await assignment(staff["bob"]) == (["bob"], stays_open)
    staff["bob"].gateway.refuse.clear()
    assert await act(staff["bob"], "close") == 204
    assert await assignment(staff["bob"]) == (["bob"], False)


async def test_conversation_that_the_consumer_closed_opens_here_alone(
    staff: dict[str, RunningWorkspace],
) -> None:
    await act(staff["bob"], "take")
    await act(staff["bob"], "close")
    staff["bob"].gateway.refuse[f"{GATEWAY}/reopen"] = 409, {"reason": "closed"}
    assert await act(staff["bob"], "reopen") == 204
    assert await assignment(staff["bob"]) == (["bob"], True)


async def test_only_one_of_two_agents_can_take_a_conversation(
    staff: dict[str, RunningWorkspace],
) -> None:
    both = [act(staff["bob"], "take"), act(staff["cleo"], "take")]
    assert sorted(await asyncio.gather(*both)) == [204, 403]
    agents, _ = await assignment(staff["bob"])
    assert staff["bob"].gateway.assigned["conv_mia"] == agents
    assert len(agents) == 1


async def test_action_refused_by_the_gateway_changes_nothing(
    staff: dict[str, RunningWorkspace],
) -> None:
    path = "/v1/conversations/conv_mia/agents"
    staff["bob"].gateway.refuse[path] = 503, {"detail": "the journal is away"}
    status, answer = await staff["bob"].try_post(AGENTS, {"do": "take"})
    assert (status, answer["error"]) == (502, "the journal is away")
    assert await assignment(staff["bob"]) == ([], True)


async def test_unknown_action_is_refused(staff: dict[str, RunningWorkspace]) -> None:
    for action in ("", "steal", None, ["take"], 7):
        status, _ = await staff["bob"].try_post(AGENTS, {"do": action})
        assert status == 400
    nowhere = "api/conversations/conv_none/agents"
    assert (await staff["bob"].try_post(nowhere, {"do": "take"}))[0] == 404


async def test_audit_log_records_taking_and_handing_over(
    staff: dict[str, RunningWorkspace],
) -> None:
    await act(staff["bob"], "take")
    await act(staff["bob"], "hand_over", "cleo")
    entries = (await staff["anna"].get("api/audit"))["entries"]
    assert [(e["agent"], e["did"], e["detail"]) for e in entries[:2]] == [
        ("bob", "handed over", "cleo"),
        ("bob", "took", None),
    ]


async def test_only_assigned_agents_cause_read_receipts(
    staff: dict[str, RunningWorkspace],
) -> None:
    gateway = staff["bob"].gateway
    await staff["cleo"].post("api/conversations/conv_mia/read", {"sequence": 1})
    await act(staff["bob"], "take")
    await staff["bob"].post("api/conversations/conv_mia/read", {"sequence": 1})
    async with asyncio.timeout(10):
        while not gateway.calls_to("POST", "/v1/messages/msg_1/read"):
            await asyncio.sleep(0.01)
    assert len(gateway.calls_to("POST", "/v1/messages/msg_1/read")) == 1


async def test_taking_a_conversation_sends_receipts_for_earlier_reading(
    staff: dict[str, RunningWorkspace],
) -> None:
    """An agent who reads first and then takes the conversation has read it. The receipt is sent once."""
    bob = staff["bob"]
    await bob.post("api/conversations/conv_mia/read", {"sequence": 1})
    assert not bob.gateway.calls_to("POST", "/v1/messages/msg_1/read")
    await act(bob, "take")
    async with asyncio.timeout(10):
        while not bob.gateway.calls_to("POST", "/v1/messages/msg_1/read"):
            await asyncio.sleep(0.01)
    await act(bob, "leave")
    await act(bob, "take")
    await bob.deliver(samples.received("evt_2", samples.message(2)))
    await bob.post("api/conversations/conv_mia/read", {"sequence": 2})
    async with asyncio.timeout(10):
        while not bob.gateway.calls_to("POST", "/v1/messages/msg_2/read"):
            await asyncio.sleep(0.01)
    assert len(bob.gateway.calls_to("POST", "/v1/messages/msg_1/read")) == 1


@pytest.mark.parametrize("sequence", [2**63, 2**64 - 1, -(2**64), 1.5, True, None, "x"])
async def test_invalid_sequence_is_refused(
    staff: dict[str, RunningWorkspace], sequence: object
) -> None:
    path = "api/conversations/conv_mia/read"
    status, _ = await staff["bob"].try_post(path, {"sequence": sequence})
    assert status == 400
