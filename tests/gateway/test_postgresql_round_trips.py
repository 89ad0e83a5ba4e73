"""Recording a batch in PostgreSQL asks and waits as often as recording one event, whatever is in it."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from gateway.journal import AgentText
from gateway.journal.postgresql.journal import PostgresqlJournal
from gateway.journal.postgresql.transaction import PostgresqlTransaction, Result
from normalizer.events import AnyEvent, Echo, Reaction, Receipt
from tests.gateway.engines import Postgresql
from tests.gateway.people import about, message, moment, tell
from tests.gateway.test_nodes import until

#: Whether a session waits for what another one has.
_WAITING = "SELECT 1 FROM pg_locks WHERE NOT granted"


@pytest.fixture
async def journal(on_postgresql: Postgresql, tmp_path: Path) -> PostgresqlJournal:
    return await on_postgresql.open(tmp_path)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How many statements transactions have sent, and for how many results they have waited."""
    found = {"sent": 0, "awaited": 0}
    send, load = PostgresqlTransaction._send, Result._load

    def sending(self: PostgresqlTransaction, statement: str, parameters: Any) -> Any:
        found["sent"] += 1
        return send(self, statement, parameters)

    def loading(self: Result) -> Any:
        found["awaited"] += self._rows is None
        return load(self)

    monkeypatch.setattr(PostgresqlTransaction, "_send", sending)
    monkeypatch.setattr(Result, "_load", loading)
    return found


def status(n: str, who: str, *aliases: str) -> AnyEvent:
    return Receipt(
        id=f"r{n}", **about(who, *aliases), status="read", message_ids=(f"t{n}",), key=f"k{n}-0"
    )


EVENTS: dict[str, Callable[[str, str], AnyEvent]] = {
    "statuses": status,
    "statuses of people with two addresses": lambda n, who: status(n, who, f"US.{who}"),
    "statuses up to a time": lambda n, who: Receipt(
        id=f"r{n}", **about(who), status="read", watermark=moment(10)
    ),
    "reactions": lambda n, who: Reaction(id=f"r{n}", **about(who), target=f"t{n}", emoji="+"),
    "quotes": lambda n, who: message(n, who, f"US.{who}", reply_to=f"t{n}"),
    "choices": lambda n, who: message(n, who, repeat_key=f"choice {n}"),
}


@pytest.mark.parametrize("kind", EVENTS)
@pytest.mark.parametrize("known", [True, False], ids=["known people", "strangers"])
async def test_a_batch_waits_no_more_often_than_an_event(
    journal: PostgresqlJournal, asked: dict[str, int], kind: str, known: bool
) -> None:
    of, counts = EVENTS[kind], []
    for size in (1, 40):
        people = [f"{size}.{n}" for n in range(size)]
        if known:
            await tell(journal, *(message(f"first {one}", one, f"US.{one}") for one in people))
        asked.update(sent=0, awaited=0)
        recorded = await tell(journal, *(of(one, one) for one in people))
        assert len(recorded.entries) == size
        counts.append(dict(asked))
    assert counts[0] == counts[1]
    assert counts[0]["awaited"] <= 9


async def test_facts_of_one_batch_are_recognised_in_it_and_later(
    journal: PostgresqlJournal,
) -> None:
    twice = [status("1", "ann"), message("a", "ann", repeat_key="yes"), status("1", "ann")]
    recorded = await tell(journal, *twice, message("b", "ann", repeat_key="yes"))
    assert (len(recorded.entries), recorded.duplicates) == (2, 2)
    recorded = await tell(journal, *twice, status("2", "ann"))
    assert (len(recorded.entries), recorded.duplicates) == (1, 3)


async def test_a_text_settled_by_an_echo_is_known_to_the_rest_of_its_batch(
    journal: PostgresqlJournal,
) -> None:
    await _send(journal, "msg_1")
    echo = Echo(id="e", **about("ann"), message_id="p1", text="hello", key="msg_1-0")
    read = Receipt(id="r", **about("ann"), status="read", message_ids=("p1",))
    await tell(journal, read, echo)
    assert await _status(journal, "msg_1") == "read"
    await _send(journal, "msg_2")
    echo = Echo(id="e2", **about("ann"), message_id="p2", text="hello")
    unknown = Receipt(id="r2", **about("ann"), status="delivered", message_ids=("p3",))
    read = Receipt(id="r3", **about("ann"), status="read", message_ids=("p2",))
    recorded = await tell(journal, echo, unknown, read)
    assert len(recorded.entries) == 3
    assert await _status(journal, "msg_2") == "read"


async def test_a_receipt_recorded_while_its_text_is_settled_is_not_lost(
    journal: PostgresqlJournal, on_postgresql: Postgresql, tmp_path: Path
) -> None:
    part = await _send(journal, "msg_1")
    url = on_postgresql.url(tmp_path)
    with psycopg.connect(url) as other, psycopg.connect(url, autocommit=True) as watcher:
        other.execute("SELECT 1 FROM conversation FOR NO KEY UPDATE")
        settling = asyncio.create_task(journal.settle_part(part, 0, "sent", platform_id="p1"))
        await until(lambda: watcher.execute(_WAITING).fetchone())
        other.execute("INSERT INTO early (platform_id, status, seen_at) VALUES ('p1', 'read', 0)")
        other.commit()
        await settling
    assert await _status(journal, "msg_1") == "read"


async def _send(journal: PostgresqlJournal, id: str) -> int:
    """Let an agent answer ann, and return the key of the text, whose response has not come yet."""
    await tell(journal, message(f"before {id}", "ann"))
    conversation = journal.ids.conversation("desk", "desk-1", "ann")
    await journal.accept_text(AgentText(id, conversation, "anna", "hello", ("hello",), None))
    *_, part = await journal.open_parts()
    assert await journal.trying(part.outgoing, part.position) is not None
    return part.outgoing


async def _status(journal: PostgresqlJournal, id: str) -> str | None:
    found = await journal.agent_text(id)
    return None if found is None else str(found["status"])
