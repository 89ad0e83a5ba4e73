"""Random histories: after each event the journal equals a plain model, and so does a copy made of its events alone."""

import asyncio
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.journal import Recorded
from gateway.journal.stores.journal import StoredJournal
from normalizer.events import AnyEvent, Deletion, Edit, Identity, Notice
from tests.gateway.engines import Engine, Postgresql, Sqlite
from tests.gateway.people import about, events_of, message, tell
from tests.postgresql import Server

ADDRESSES = ("4911", "4912", "4913", "US.1", "US.2")
IDS = ("m1", "m2", "m3", "m4", "m5", "m6")

names = st.sampled_from(ADDRESSES)
targets = st.sampled_from(IDS)
several = st.lists(names, min_size=1, max_size=2, unique=True)

steps = st.one_of(
    st.tuples(st.just("message"), targets, several),
    st.tuples(st.just("move"), names, names),
    st.tuples(st.just("edit"), targets, st.sampled_from(("one", "two"))),
    st.tuples(st.just("delete"), targets, st.none()),
    st.tuples(st.just("opt"), names, st.booleans()),
    st.tuples(st.just("repeat"), st.integers(0, 20), st.none()),
    st.tuples(st.just("kill"), st.none(), st.none()),
)


@dataclass
class Person:
    """What is known of one conversation."""

    addresses: list[str]
    consumer: str
    sequence: int = 0
    opted_out: bool = False

    def view(self) -> dict[str, Any]:
        aliases = [name for name in self.addresses if name != self.consumer]
        return {"id": self.consumer, "name": None, "aliases": sorted(aliases)}


@dataclass
class Model:
    """The state that the journal should have, in lists and dictionaries."""

    people: list[Person] = field(default_factory=list)
    said: dict[str, tuple[Person, str | None]] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    author: str = ADDRESSES[0]

    def person(self, named: list[str], former: tuple[str, ...] = ()) -> Person:
        found = [p for p in self.people if {*named, *former} & set(p.addresses)]
        if not found:
            self.people.append(Person(list(named), named[0]))
            return self.people[-1]
        stays, *others = found
        for other in others:
            stays.addresses += other.addresses
            stays.opted_out = stays.opted_out or other.opted_out
            self.people.remove(other)
            self.said = {
                id: (stays if who is other else who, text) for id, (who, text) in self.said.items()
            }
        gone = set(former) - {named[0]}
        if not former or stays.consumer in gone:
            stays.consumer = named[0]
        everything = dict.fromkeys([*stays.addresses, *named])
        stays.addresses = [name for name in everything if name not in gone]
        return stays

    def apply(self, event: AnyEvent) -> None:
        if event.id in self.seen:
            return
        self.seen.add(event.id)
        assert event.party is not None
        former = event.former if isinstance(event, Identity) else ()
        person = self.person([event.party.id, *event.party.aliases], former)
        match event:
            case Edit(target=target, text=text) if self.said.get(target, (0, None))[1] is not None:
                self.said[target] = (self.said[target][0], text)
            case Deletion(target=target) if target in self.said:
                self.said[target] = (self.said[target][0], None)
            case Notice(details={"opted_out": bool(out)}):
                person.opted_out = out
        if event.type == "message":
            person.sequence += 1
            self.said[event.id] = (person, event.text)


@dataclass
class Copy:
    """A core's copy, made of events alone."""

    conversations: dict[str, Any] = field(default_factory=dict)
    merged: dict[str, str] = field(default_factory=dict)
    messages: dict[str, Any] = field(default_factory=dict)
    sequences: dict[str, int] = field(default_factory=dict)

    def take(self, recorded: Recorded) -> None:
        for event in events_of(recorded):
            data = event["data"]
            conversation = data["conversation"]
            self.conversations[conversation["id"]] = conversation
            match event["type"]:
                case "message.received":
                    found = data["message"]
                    last = self.sequences.get(conversation["id"], 0)
                    assert found["sequence"] == last + 1
                    self.sequences[conversation["id"]] = found["sequence"]
                    self.messages[found["id"]] = {**found, "conversation": conversation["id"]}
                case "conversation.merged":
                    self.conversations.pop(data["merged"])
                    self.merged[data["merged"]] = conversation["id"]
                case "message.edited":
                    if (found := self.messages.get(data["message"]["id"])) is not None:
                        found |= {name: data["message"][name] for name in ("text", "transcript")}
                case "message.deleted":
                    if (found := self.messages.get(data["message"]["id"])) is not None:
                        found |= {"text": None, "transcript": "", "deleted": True}

    def where(self, message: Any) -> str:
        id = str(message["conversation"])
        while id in self.merged:
            id = self.merged[id]
        return id


def event_of(
    number: int, step: tuple[Any, ...], model: Model, recorded: list[AnyEvent]
) -> AnyEvent | None:
    match step:
        case "message", id, (first, *more):
            return message(id, first, *more)
        case "move", now, before:
            return Identity(id=f"i{number}", **about(now), former=(before,))
        case "edit" | "delete", target, text:
            who = model.said[target][0].consumer if target in model.said else ADDRESSES[0]
            if step[0] == "edit":
                return Edit(id=f"e{number}", **about(who), target=target, text=text)
            return Deletion(id=f"d{number}", **about(who), target=target)
        case "opt", who, out:
            details = {"opted_out": out}
            return Notice(id=f"o{number}", **about(who), kind="opt", details=details)
        case "repeat", int(which), _ if recorded:
            return recorded[which % len(recorded)]
    return None


async def compare(journal: StoredJournal, model: Model, copy: Copy) -> None:
    found = await journal.conversations(limit=100)
    for one in found:
        one["consumer"]["aliases"].sort()
    assert [one["consumer"] for one in reversed(found)] == [p.view() for p in model.people]
    assert [one["opted_out"] for one in reversed(found)] == [p.opted_out for p in model.people]
    assert {one["id"] for one in found} == set(copy.conversations)
    for one in found:
        consumer = copy.conversations[one["id"]]["consumer"]
        assert {**consumer, "aliases": sorted(consumer["aliases"])} == one["consumer"]
    for id, (person, text) in model.said.items():
        shown = await journal.message(journal.ids.message("desk", id))
        assert shown is not None
        assert (shown["text"], shown["transcript"]) == (text, text or "")
        copied = copy.messages[shown["id"]]
        assert copy.where(copied) == shown.pop("conversation")["id"]
        assert {**shown} == {name: one for name, one in copied.items() if name != "conversation"}
        owner = next(one for one in found if one["consumer"]["id"] == person.consumer)
        assert owner["id"] == copy.where(copied)


async def play(engine: Engine, folder: Path, history: list[Any], at_once: int = 1) -> None:
    """Record a history, so many events in a batch."""
    journal = await engine.open(folder)
    model, copy, recorded, batch = Model(), Copy(), list[AnyEvent](), list[AnyEvent]()
    try:
        for number, step in enumerate(history):
            if step[0] == "kill":
                if engine.name == "sqlite":
                    folder = left_by_a_kill(folder, number)
                await journal.close()
                journal = await engine.open(folder)
            event = event_of(number, step, model, recorded)
            if event is not None:
                recorded.append(event)
                batch.append(event)
                model.apply(event)
            if batch and (len(batch) == at_once or number == len(history) - 1):
                copy.take(await tell(journal, *batch, reports_opt_in=True))
                batch.clear()
                await compare(journal, model, copy)
    finally:
        await journal.close()


def left_by_a_kill(folder: Path, number: int) -> Path:
    """Return a copy of what a killed process leaves: the files as they are, with the log that nobody has merged."""
    left = folder / f"after-{number}"
    left.mkdir()
    for file in folder.glob("journal.db*"):
        shutil.copy(file, left)
    return left


@pytest.mark.sqlite
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(steps, max_size=20))
def test_a_history_leaves_the_state_of_a_plain_model(history: list[Any]) -> None:
    with TemporaryDirectory() as folder:
        asyncio.run(play(Sqlite(), Path(folder), history))


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(steps, min_size=10, max_size=30), st.integers(1, 6))
def test_a_history_leaves_the_same_state_on_postgresql(
    postgresql: Server, history: list[Any], at_once: int
) -> None:
    with TemporaryDirectory() as folder:
        asyncio.run(play(Postgresql(postgresql), Path(folder), history, at_once))
