"""Taking, handing over, leaving, closing and opening again: who may, what it shows, what the gateway hears."""

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
AGENTS = "api/conversations/conv_mia/agents"


@pytest.fixture(scope="module")
def accounts_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The accounts, made once: hashing is slow on purpose."""
    database = Path(tmp_path_factory.mktemp("accounts_file") / "workspace.sqlite3")
    for name, role in (("anna", "supervisor"), ("bob", "agent"), ("cleo", "agent")):
        accounts.add(database, name, PASSWORD, [role])
    accounts.add(database, "oda", PASSWORD, ["operator"])
    return database


@pytest.fixture
async def staff(tmp_path: Path, accounts_file: Path) -> AsyncIterator[dict[str, RunningWorkspace]]:
    """Bob and Cleo, agents, and Anna, supervisor, each with a browser of their own."""
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


async def test_opening_alone_takes_nothing(staff: dict[str, RunningWorkspace]) -> None:
    assert (await staff["bob"].open_conversation())["conversation"]["assigned"] is False
    assert staff["bob"].gateway.assigned == {}


async def test_a_free_conversation_is_taken_and_the_gateway_told(
    staff: dict[str, RunningWorkspace],
) -> None:
    assert await act(staff["bob"], "take") == 204
    assert staff["bob"].gateway.assigned == {"conv_mia": ["bob"]}
    lines = (await staff["cleo"].open_conversation())["lines"]
    assert lines[-1]["text"] == "bob took the conversation"


async def test_what_somebody_has_is_not_taken_away(staff: dict[str, RunningWorkspace]) -> None:
    await act(staff["bob"], "take")
    for action, to in (("take", None), ("hand_over", "cleo"), ("close", None), ("leave", None)):
        assert await act(staff["cleo"], action, to) == 403
    assert await assignment(staff["cleo"]) == (["bob"], True)


async def test_a_supervisor_may_join_and_hand_over_what_others_have(
    staff: dict[str, RunningWorkspace],
) -> None:
    await act(staff["bob"], "take")
    assert await act(staff["anna"], "take") == 204
    assert await assignment(staff["anna"]) == (["bob", "anna"], True)
    assert await act(staff["anna"], "hand_over", "cleo") == 204
    assert staff["anna"].gateway.assigned == {"conv_mia": ["cleo"]}


async def test_a_hand_over_goes_to_people_who_talk_to_customers_only(
    staff: dict[str, RunningWorkspace],
) -> None:
    await act(staff["bob"], "take")
    for name in ("", "nobody", "oda", None):
        assert await act(staff["bob"], "hand_over", name) == 400
    assert sorted((await staff["bob"].get("api/me"))["agents"]) == ["anna", "bob", "cleo"]


async def test_who_leaves_leaves_it_to_everybody(staff: dict[str, RunningWorkspace]) -> None:
    await act(staff["bob"], "take")
    assert await act(staff["bob"], "leave") == 204
    assert await assignment(staff["bob"]) == ([], True)
    assert await act(staff["cleo"], "take") == 204


async def test_a_closed_conversation_stays_with_its_agents_and_opens_again(
    staff: dict[str, RunningWorkspace],
) -> None:
    await act(staff["bob"], "take")
    assert await act(staff["bob"], "close") == 204
    assert await assignment(staff["bob"]) == (["bob"], False)
    assert (await staff["bob"].get("api/conversations?show=open"))["conversations"] == []
    assert len((await staff["bob"].get("api/conversations?show=closed"))["conversations"]) == 1
    assert len((await staff["bob"].get("api/conversations?show=mine"))["conversations"]) == 1
    assert await act(staff["cleo"], "reopen") == 403
    assert await act(staff["bob"], "reopen") == 204
    assert await assignment(staff["bob"]) == (["bob"], True)


async def test_only_one_of_two_gets_what_both_want(staff: dict[str, RunningWorkspace]) -> None:
    both = [act(staff["bob"], "take"), act(staff["cleo"], "take")]
    assert sorted(await asyncio.gather(*both)) == [204, 403]
    agents, _ = await assignment(staff["bob"])
    assert staff["bob"].gateway.assigned["conv_mia"] == agents
    assert len(agents) == 1


async def test_what_the_gateway_does_not_take_is_not_done(
    staff: dict[str, RunningWorkspace],
) -> None:
    path = "/v1/conversations/conv_mia/agents"
    staff["bob"].gateway.refuse[path] = 503, {"detail": "the journal is away"}
    status, answer = await staff["bob"].try_post(AGENTS, {"do": "take"})
    assert (status, answer["error"]) == (502, "the journal is away")
    assert await assignment(staff["bob"]) == ([], True)


async def test_deeds_that_are_none_are_refused(staff: dict[str, RunningWorkspace]) -> None:
    for action in ("", "steal", None, ["take"], 7):
        status, _ = await staff["bob"].try_post(AGENTS, {"do": action})
        assert status == 400
    nowhere = "api/conversations/conv_none/agents"
    assert (await staff["bob"].try_post(nowhere, {"do": "take"}))[0] == 404


async def test_the_audit_trail_knows_who_took_and_handed_over(
    staff: dict[str, RunningWorkspace],
) -> None:
    await act(staff["bob"], "take")
    await act(staff["bob"], "hand_over", "cleo")
    entries = (await staff["anna"].get("api/audit"))["entries"]
    assert [(e["agent"], e["did"], e["detail"]) for e in entries[:2]] == [
        ("bob", "handed over", "cleo"),
        ("bob", "took", None),
    ]


async def test_only_who_works_on_it_tells_the_platform_that_it_was_read(
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


async def test_what_was_read_before_it_was_taken_is_told_when_it_is(
    staff: dict[str, RunningWorkspace],
) -> None:
    """Whoever looks in first and takes the conversation then has read it all the same; told once."""
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
async def test_a_sequence_that_is_none_is_refused(
    staff: dict[str, RunningWorkspace], sequence: object
) -> None:
    path = "api/conversations/conv_mia/read"
    status, _ = await staff["bob"].try_post(path, {"sequence": sequence})
    assert status == 400
