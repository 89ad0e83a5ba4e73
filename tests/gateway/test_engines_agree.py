"""The same batches give the same events on both engines, whatever is in a batch and however it is cut."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors import Attachment, MediaRef
from gateway.identifiers import Identifiers
from gateway.journal.stores.journal import StoredJournal
from normalizer.events import AnyEvent, Deletion, Echo, Edit, Identity, Notice, Receipt
from tests.gateway.engines import Engine, Postgresql, Sqlite
from tests.gateway.people import about, events_of, message, tell
from tests.postgresql import Server

KEY = b"the same key for both of them..."
ADDRESSES = ("4911", "4912", "4913", "US.1", "US.2")
IDS = ("m1", "m2", "m3", "m4", "m5", "m6", "m7")

addresses = st.lists(st.sampled_from(ADDRESSES), min_size=1, max_size=2, unique=True)
kinds = st.sampled_from(
    ("text", "text", "text", "photo", "quote", "move", "edit", "delete", "opt", "echo", "receipt")
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
            return Receipt(
                id=f"r{number}", **about(first), status="delivered", message_ids=(f"x{other}",)
            )
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
            said.append(sorted((await journal.lanes()).values()))
            return said
        finally:
            await journal.close()


async def _answers(journal: StoredJournal, batch: Iterable[Any], at: int) -> Any:
    events = [event_of(10 * at + n, *step) for n, step in enumerate(batch)]
    recorded = await tell(journal, *events, at=1_000 + at, reports_opt_in=at % 2 == 0)
    for event in (found := events_of(recorded)):
        event.pop("time")
    held = [entry.event_id for entry in recorded.entries if entry.body is None]
    return found, held, recorded.duplicates, [(job.message, job.position) for job in recorded.jobs]


async def _both(server: Server, history: list[list[Any]]) -> None:
    assert await outcome(Postgresql(server), history) == await outcome(Sqlite(), history)


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(batches)
def test_engines_say_the_same_of_any_batches(postgresql: Server, history: list[list[Any]]) -> None:
    asyncio.run(_both(postgresql, history))
