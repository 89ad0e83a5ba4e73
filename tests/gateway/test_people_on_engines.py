"""Look-ups, replays and erasures of persons, in every engine."""

from pathlib import Path

import pytest

from gateway.journal import Accepted, Batch, ErasureRequest, Unreadable
from tests.gateway.engines import Engine
from tests.gateway.test_journal import bodies, delivery, note, record
from tests.gateway.test_lanes import now


async def test_taken_events_are_known_and_sent_again_with_their_ids(
    engine: Engine, tmp_path: Path
) -> None:
    journal = await engine.open(tmp_path)
    began = now() - 1000
    recorded = await record(journal, delivery(note("1"), note("2"), at=began))
    events = bodies(recorded)
    await journal.mark_delivered([(e.conversation, e.key) for e in recorded.entries])
    state = await journal.message_state(events[0]["data"]["message"]["id"])
    assert state is not None
    assert [(one["id"], one["state"]) for one in state["events"]] == [(events[0]["id"], "taken")]
    again: list[dict[str, object]] = []
    journal.subscribe(lambda one: again.extend(bodies(one)))
    assert await journal.replay(began, now() + 1000, events[0]["subject"]) == 2
    assert [event["id"] for event in again] == [event["id"] for event in events]
    assert await journal.backlog() == 2
    assert await journal.expire_taken(now() + 1000) == 0
    await journal.close()


async def test_an_erased_person_is_unknown_and_the_receipt_counts(
    engine: Engine, tmp_path: Path
) -> None:
    journal = await engine.open(tmp_path)
    await record(journal, delivery(note("1", "4915112345678"), note("2", "bob"), at=now()))
    unreadable = Unreadable(Accepted("desk", 1, {}, {}, b"From=%2B4915112345678"), "x")
    await journal.record(Batch((), (), (unreadable,)))
    await journal.request_erasure(ErasureRequest("era_1", "+49 151 12345678", None))
    await journal.intake_parsed()
    (conversation,) = await journal.conversations_of("+49 151 12345678", None)
    assert len(await journal.all_messages(conversation, 0, 10)) == 1
    assert await journal.erase_of("era_1", conversation)
    await journal.forget_traces("+49 151 12345678")
    assert await journal.to_forget() == [conversation]
    await journal.forgotten([conversation])
    await journal.finish_erasure("era_1")
    receipt = await journal.erasure("era_1")
    assert receipt is not None
    assert (receipt["state"], receipt["conversations"], receipt["messages"]) == ("done", 1, 1)
    assert await journal.conversations_of("+49 151 12345678", None) == []
    assert await journal.failures(10) == []
    assert await journal.unfinished_erasures() == []
    assert len(await journal.conversations_of("bob", None)) == 1
    await journal.close()


@pytest.mark.parametrize("written", ["4915112345678", "+49 151 12345678", "0049 151/123-45678"])
async def test_a_number_is_found_however_it_is_written(
    engine: Engine, tmp_path: Path, written: str
) -> None:
    journal = await engine.open(tmp_path)
    stored = ("4915112345678", "whatsapp:+4915112345678", "bob")
    await record(
        journal, delivery(*(note(str(at), who) for at, who in enumerate(stored)), at=now())
    )
    listed = await journal.conversations(consumer=written, limit=10)
    assert {one["consumer"]["id"] for one in listed} == set(stored[:2])
    assert [one["id"] for one in listed][::-1] == await journal.conversations_of(written, None)
    await journal.close()


async def test_views_are_listed_latest_first_with_their_kind(
    engine: Engine, tmp_path: Path
) -> None:
    journal = await engine.open(tmp_path)
    recorded = await record(journal, delivery(note("1", media=[["photo", "http://a"]]), at=now()))
    (job,) = recorded.jobs
    row = await journal.attachment(job.message, job.position)
    assert row is not None
    for number, agent in enumerate(("eve", "ann")):
        await journal.record_view(
            at=now() + number,
            agent=agent,
            attachment=row.id,
            rendition="preview",
            conversation=row.conversation_id,
            part=None,
        )
    views = await journal.views(conversation=None, agent=None, since=0, before=None, limit=10)
    assert [(one["agent"], one["kind"]) for one in views] == [("ann", "photo"), ("eve", "photo")]
    only = await journal.views(conversation=None, agent="eve", since=0, before=None, limit=10)
    assert [one["agent"] for one in only] == ["eve"]
    assert await journal.erase_attachment(job.message, job.position)
    assert not await journal.erase_attachment(job.message, 7)
    erased = await journal.attachment(job.message, job.position)
    assert erased is not None
    assert (erased.state, erased.reason) == ("failed", "gone")
    await journal.close()
