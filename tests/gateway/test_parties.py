"""A person has one conversation, whatever their addresses, and answers go to the one that is theirs now."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.journal import AgentText
from gateway.journal.stores.journal import StoredJournal
from normalizer.events import Echo, Identity, Party, Receipt
from tests.gateway.engines import Engine
from tests.gateway.people import ACCOUNT, about, events_of, message, tell, types_of


@pytest.fixture
async def journal(engine: Engine, tmp_path: Path) -> AsyncIterator[StoredJournal]:
    opened = await engine.open(tmp_path)
    yield opened
    await opened.close()


async def conversation_of(journal: StoredJournal, message_id: str) -> str:
    found = await journal.message(journal.ids.message("desk", message_id))
    assert found is not None
    return str(found["conversation"]["id"])


async def recipient(journal: StoredJournal, conversation: str, key: str = "k") -> str | None:
    """The address to which an agent's text would go now."""
    new = AgentText(f"msg_{key}", conversation, "anna", "hello", ("hello",), None)
    assert await journal.accept_text(new)
    (part,) = [part for part in await journal.open_parts() if part.id == new.id]
    to = await journal.trying(part.outgoing, part.position)
    return to.consumer if to else None


def moved(sender: str, *aliases: str, former: tuple[str, ...], text: str | None = None) -> Identity:
    return Identity(
        id=f"moved:{sender}:{former}", **about(sender, *aliases), former=former, text=text
    )


async def test_answers_follow_a_changed_number(journal: StoredJournal) -> None:
    await tell(journal, message("1", "4915"))
    conversation = await conversation_of(journal, "1")

    recorded = await tell(journal, moved("4916", former=("4915",), text="changed their number"))

    updated, notice = events_of(recorded)
    assert updated["type"] == "conversation.updated"
    assert updated["data"]["conversation"]["id"] == conversation
    assert updated["data"]["conversation"]["consumer"] == {
        "id": "4916",
        "name": None,
        "aliases": [],
    }
    assert notice["data"]["notice"]["text"] == "changed their number"
    assert await recipient(journal, conversation) == "4916"


async def test_a_text_that_waits_goes_to_the_new_number(journal: StoredJournal) -> None:
    await tell(journal, message("1", "4915"))
    conversation = await conversation_of(journal, "1")
    await journal.accept_text(AgentText("msg_a", conversation, "anna", "hi", ("hi",), None))
    (part,) = await journal.open_parts()

    await tell(journal, moved("4916", former=("4915",)))

    to = await journal.trying(part.outgoing, part.position)
    assert to is not None
    assert to.consumer == "4916"


async def test_a_freed_number_belongs_to_a_stranger(journal: StoredJournal) -> None:
    await tell(journal, message("1", "4915"), moved("4916", former=("4915",)))
    recorded = await tell(journal, message("2", "4915"), message("3", "4916"))

    stranger, known = [await conversation_of(journal, id) for id in ("2", "3")]
    assert known == await conversation_of(journal, "1")
    assert stranger != known
    assert [e["data"]["message"]["sequence"] for e in events_of(recorded)] == [1, 2]


async def test_a_number_can_change_hands_again_and_again(journal: StoredJournal) -> None:
    for turn in range(3):
        await tell(journal, message(f"m{turn}", "4915"))
        await tell(journal, moved(f"new{turn}", former=("4915",)))
    owners = [await conversation_of(journal, f"m{turn}") for turn in range(3)]
    assert len(set(owners)) == 3


async def test_a_number_that_comes_back_is_found(journal: StoredJournal) -> None:
    await tell(journal, message("1", "4915"))
    await tell(journal, moved("4916", former=("4915",)), moved("4915", former=("4916",)))
    await tell(journal, message("2", "4915"))
    assert await conversation_of(journal, "1") == await conversation_of(journal, "2")


async def test_number_and_user_id_are_merged_once_named_together(journal: StoredJournal) -> None:
    await tell(journal, message("1", "4915"), message("2", "US.1"), message("3", "US.1"))
    first, second = [await conversation_of(journal, id) for id in ("1", "2")]
    assert first != second

    recorded = await tell(journal, message("4", "4915", "US.1"), message("5", "4915"))

    merged, fourth, fifth = events_of(recorded)
    assert merged["type"] == "conversation.merged"
    assert merged["data"]["merged"] == second
    assert merged["data"]["conversation"]["id"] == first
    assert [e["subject"] for e in (fourth, fifth)] == [first, first]
    assert [e["data"]["message"]["sequence"] for e in (fourth, fifth)] == [2, 3]
    assert fourth["data"]["conversation"]["consumer"]["aliases"] == ["US.1"]


async def test_the_merge_is_announced_behind_the_other_conversations_events(
    journal: StoredJournal,
) -> None:
    await tell(journal, message("1", "4915"), message("2", "US.1"))
    recorded = await tell(journal, message("3", "4915", "US.1"))
    lanes = await journal.lanes()
    (merged, _) = recorded.entries
    assert merged.behind in lanes
    assert merged.behind != merged.conversation
    (_, again, _) = await journal.next_entries(merged.conversation, 0, 10)
    assert again.behind == merged.behind


async def test_a_new_number_that_wrote_first_becomes_one_with_the_old(
    journal: StoredJournal,
) -> None:
    await tell(journal, message("1", "4915"), message("2", "4916"))
    recorded = await tell(journal, moved("4916", former=("4915",)))
    assert types_of(recorded) == ["conversation.merged"]
    conversation = await conversation_of(journal, "1")
    assert await conversation_of(journal, "2") == conversation
    assert await recipient(journal, conversation) == "4916"


async def test_a_merged_conversation_goes_on_to_work(journal: StoredJournal) -> None:
    await tell(journal, message("1", "4915"), message("2", "US.1"))
    stays, goes = [await conversation_of(journal, id) for id in ("1", "2")]
    await journal.assign(stays, ("anna",))
    await journal.assign(goes, ("ben", "anna"))

    await tell(journal, message("3", "4915", "US.1"))

    assert await journal.agents_of(goes) == ("anna", "ben")
    assert await recipient(journal, goes) == "4915"
    assert await journal.quotable(goes, journal.ids.message("desk", "1")) == "1"
    assert await journal.quotable(stays, journal.ids.message("desk", "2")) == "2"
    found = await journal.conversation(goes)
    assert found is not None
    assert found["merged_into"] == stays
    assert [one["platform_id"] for one in await journal.messages(goes, 0, 9) or ()] == ["2"]
    assert [one["platform_id"] for one in await journal.messages(stays, 0, 9) or ()] == ["1", "3"]


async def test_a_text_of_a_merged_conversation_reports_in_the_one_that_stays(
    journal: StoredJournal,
) -> None:
    await tell(journal, message("1", "4915"), message("2", "US.1"))
    stays, goes = [await conversation_of(journal, id) for id in ("1", "2")]
    await journal.accept_text(AgentText("msg_a", goes, "anna", "hi", ("hi",), None))
    (part,) = await journal.open_parts()
    await journal.trying(part.outgoing, part.position)
    await tell(journal, message("3", "4915", "US.1"))

    seen: list[Any] = []
    journal.subscribe(seen.append)
    await journal.settle_part(part.outgoing, part.position, "sent", platform_id="p1")

    (status,) = [event for recorded in seen for event in events_of(recorded)]
    assert status["subject"] == stays


async def test_three_conversations_merge_into_the_oldest(journal: StoredJournal) -> None:
    await tell(journal, message("1", "a"), message("2", "b"), message("3", "c"))
    await tell(journal, message("4", "b", "c"))
    await tell(journal, message("5", "a", "b"))
    assert len({await conversation_of(journal, id) for id in "12345"}) == 1
    (only,) = await journal.conversations(limit=10)
    assert only["consumer"] == {"id": "a", "name": None, "aliases": ["b", "c"]}


async def test_erasing_one_of_the_merged_erases_all(journal: StoredJournal) -> None:
    await tell(journal, message("1", "4915"), message("2", "US.1"))
    goes = await conversation_of(journal, "2")
    await tell(journal, message("3", "4915", "US.1"))

    assert await journal.erase(goes)

    for id in "123":
        found = await journal.message(journal.ids.message("desk", id))
        assert found is None or not found.get("text")
    assert await journal.conversations(limit=10) == []


async def test_a_merge_after_an_erasure_is_another_event(journal: StoredJournal) -> None:
    seen = []
    for turn in "ab":
        await tell(journal, message(f"1{turn}", "4915"), message(f"2{turn}", "US.1"))
        recorded = await tell(journal, message(f"3{turn}", "4915", "US.1"))
        seen.append(events_of(recorded)[0])
        assert await journal.erase(seen[-1]["subject"])
    assert [event["type"] for event in seen] == ["conversation.merged"] * 2
    assert seen[0]["id"] != seen[1]["id"]


@pytest.mark.parametrize("address", ["4915", "US.1"])
async def test_a_person_is_found_by_any_address(journal: StoredJournal, address: str) -> None:
    await tell(journal, message("1", "4915", "US.1", name="Mia"), message("2", "other"))
    (found,) = await journal.conversations(consumer=address, limit=10)
    assert found["consumer"] == {"id": "4915", "name": "Mia", "aliases": ["US.1"]}


async def test_a_new_name_is_announced(journal: StoredJournal) -> None:
    await tell(journal, message("1", "4915", name="Mia"))
    recorded = await tell(journal, message("2", "4915", name="Mia B."), message("3", "4915"))
    assert types_of(recorded) == ["conversation.updated", "message.received", "message.received"]
    assert events_of(recorded)[2]["data"]["conversation"]["consumer"]["name"] == "Mia B."


async def test_a_profile_names_a_person_without_a_name(journal: StoredJournal) -> None:
    await tell(journal, message("1", "4915"))
    conversation = await conversation_of(journal, "1")
    seen: list[Any] = []
    journal.subscribe(seen.append)
    await journal.name_consumer(conversation, "Mia")
    await journal.name_consumer(conversation, "Someone else")
    events = [event for recorded in seen for event in events_of(recorded)]
    assert [e["data"]["conversation"]["consumer"]["name"] for e in events] == ["Mia"]


@pytest.mark.parametrize(
    "event",
    [
        Receipt(id="r", **about("US.1", "4915"), status="read", message_ids=("x",)),
        Echo(id="e", **about("US.1", "4915"), message_id="x", text="from the app"),
        message("h", "US.1", "4915", history=True),
    ],
    ids=["receipt", "echo", "history"],
)
async def test_what_is_not_said_now_moves_no_address(journal: StoredJournal, event: Any) -> None:
    await tell(journal, message("1", "4915"))
    await tell(journal, event)
    (found,) = await journal.conversations(limit=10)
    assert found["consumer"] == {"id": "4915", "name": None, "aliases": ["US.1"]}


async def test_an_echo_names_a_person_without_a_name(journal: StoredJournal) -> None:
    echo = Echo(
        id="e", account=ACCOUNT, party=Party("4915", "Mia"), message_id="x", text="from the app"
    )
    recorded = await tell(journal, echo)
    (event,) = events_of(recorded)
    assert event["data"]["conversation"]["consumer"]["name"] == "Mia"
