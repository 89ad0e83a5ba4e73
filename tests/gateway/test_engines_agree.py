"""The same batches give the same events on both engines, whatever is in a batch and however it is cut."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors import Attachment, MediaRef
from gateway.identifiers import Identifiers
from gateway.journal import AgentText
from gateway.journal.stores.journal import StoredJournal
from normalizer.events import AnyEvent, Deletion, Echo, Edit, Identity, Notice, Receipt
from tests.gateway.engines import Engine, Postgresql, Sqlite
from tests.gateway.people import about, events_of, message, moment, tell
from tests.postgresql import Server

KEY = b"the same key for both of them..."
ADDRESSES = ("4911", "4912", "4913", "US.1", "US.2")
IDS = ("m1", "m2", "m3", "m4", "m5", "m6", "m7")

addresses = st.lists(st.sampled_from(ADDRESSES), min_size=1, max_size=2, unique=True)
kinds = st.sampled_from(
    (
        "text",
        "text",
        "text",
        "photo",
        "quote",
        "choice",
        "move",
        "edit",
        "delete",
        "opt",
        "echo",
        "receipt",
        "seen",
    )
)
steps = st.tuples(kinds, st.sampled_from(IDS), addresses, st.sampled_from(IDS))
batches = st.lists(st.lists(steps, min_size=1, max_size=8), min_size=1, max_size=6)


def event_of(number: int, kind: str, id: str, names: list[str], other: str) -> AnyEvent:
    first, *more = names
    photo = Attachment("photo", MediaRef({"url": "http://a/1"}))
    match kind:
        case "photo":
            return message(id, first, *more, text=None, attachments=(photo,))
        case "quote":
            return message(id, first, *more, reply_to=other, name=f"Name {number % 3}")
        case "choice":
            return message(id, first, *more, repeat_key=other)
        case "move":
            return Identity(id=f"i{number}", **about(first), former=tuple(more))
        case "edit":
            return Edit(id=f"e{number}", **about(first), target=id, text=f"edited {number}")
        case "delete":
            return Deletion(id=f"d{number}", **about(first), target=id)
        case "opt":
            details = {"opted_out": number % 2 == 0}
            return Notice(id=f"o{number}", **about(first, *more), kind="opt", details=details)
        case "echo":
            return Echo(id=f"x{id}", **about(first, *more), message_id=f"x{id}", text="from us")
        case "receipt":
            of: Any = {
                "message_ids": (f"x{other}",),
                "key": f"msg_{number % 9}-0" if more else None,
            }
            return Receipt(id=f"r{id}", **about(first), status="delivered", **of)
        case "seen":
            until = moment(4_000_000_000)
            return Receipt(id=f"r{number}", **about(first), status="read", watermark=until)
    return message(id, first, *more)


async def outcome(engine: Engine, history: list[list[Any]]) -> list[Any]:
    """Return all that a journal says about a history."""
    with TemporaryDirectory() as folder:
        journal = await engine.open(Path(folder))
        try:
            journal.ids = Identifiers(KEY)
            said = [await _answers(journal, batch, at) for at, batch in enumerate(history)]
            said.append(await journal.conversations(limit=100))
            said += [await journal.message(journal.ids.message("desk", id)) for id in IDS]
            said += [await _text(journal, at) for at in range(len(history))]
            said.append(sorted((await journal.lanes()).values()))
            return said
        finally:
            await journal.close()


async def _answers(journal: StoredJournal, batch: Iterable[Any], at: int) -> Any:
    events = [event_of(10 * at + n, *step) for n, step in enumerate(batch)]
    recorded = await tell(journal, *events, at=1_000 + at, reports_opt_in=at % 2 == 0)
    for event in (found := events_of(recorded)):
        event.pop("time")
    await _answer(journal, at)
    held = [entry.event_id for entry in recorded.entries if entry.body is None]
    # Keys are each engine's own: PostgreSQL sets some aside for a batch, and may not use them.
    return found, held, recorded.duplicates, [job.position for job in recorded.jobs]


async def _answer(journal: StoredJournal, at: int) -> None:
    """Let an agent answer the first person. Every other time, the platform's response is lost."""
    *_, first = await journal.conversations(limit=100)
    text = AgentText(f"msg_{at}", first["id"], "anna", "from us", ("from us",), None)
    await journal.accept_text(text)
    for part in await journal.open_parts():
        if part.state == "waiting":
            await journal.trying(part.outgoing, part.position)
            if at % 2 == 0:
                sent_as = f"x{IDS[at]}"
                await journal.settle_part(part.outgoing, 0, "sent", platform_id=sent_as)


async def _text(journal: StoredJournal, at: int) -> Any:
    found = await journal.agent_text(f"msg_{at}")
    assert found is not None
    return {name: value for name, value in found.items() if name != "accepted_at"}


async def _both(server: Server, history: list[list[Any]]) -> None:
    assert await outcome(Postgresql(server), history) == await outcome(Sqlite(), history)


@pytest.mark.sqlite
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(batches)
def test_engines_say_the_same_of_any_batches(postgresql: Server, history: list[list[Any]]) -> None:
    asyncio.run(_both(postgresql, history))
