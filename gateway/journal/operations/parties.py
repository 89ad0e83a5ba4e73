"""Parties: which conversation an event belongs to, and where the consumer can be reached.

A consumer is known by addresses: phone numbers, user ids, and whatever else the platform uses. A conversation is
found by any of them. An event that names addresses of two conversations proves that they are one person's: the
older conversation stays, and the other is merged into it. An address that the consumer gave up finds nobody any
more, because it may belong to a stranger tomorrow.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from gateway.events.types import Conversation
from gateway.identifiers import Identifiers
from gateway.journal.records import Reading
from gateway.timestamps import rfc3339
from normalizer.events import Echo, Identity, Message, Party, Receipt

from .announcer import Announcer
from .foreseen import Foreseen
from .transaction import Transaction
from .views import CONVERSATION, conversation_of

# What every new consumer writes; an engine may write many of each with one statement.
INSERT_CONVERSATION = (
    "INSERT INTO conversation (key, id, connector, platform, account, consumer, name, aliases) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
REMEMBER_ADDRESS = (
    "INSERT INTO alias (id, conversation, address) VALUES (?, ?, ?) ON CONFLICT (id) "
    "DO UPDATE SET conversation = excluded.conversation, address = excluded.address"
)

#: The columns of a `Place`.
PLACE = f"c.key, c.sequence, c.route, {CONVERSATION}"


@dataclass(slots=True)
class Place:
    """The conversation of an event, as it is after the event. `view` is how events show it."""

    key: int
    sequence: int
    route: str | None
    view: Conversation

    @property
    def addresses(self) -> list[str]:
        """All addresses of the consumer, the one for answers first."""
        return [self.view["consumer"]["id"], *self.view["consumer"]["aliases"]]


@dataclass(frozen=True, slots=True)
class Parties:
    """Finds, creates, changes and merges conversations within one transaction."""

    connection: Transaction
    ids: Identifiers
    announcer: Announcer
    foreseen: Foreseen = field(default_factory=Foreseen)

    def place(self, reading: Reading, account: str, party: Party, event: Any) -> Place:
        """Return the conversation of an event; announce what the event changes about its consumer."""
        former = event.former if isinstance(event, Identity) else ()
        named = [party.id, *party.aliases]
        found = self._find(reading.connector, account, [*named, *former])
        if not found:
            place = self._create(reading, account, party)
            if isinstance(event, Identity):
                # Nothing else may be said about this person yet.
                self._announce_update(reading, place, event.id)
            return place
        place, *others = found
        before = orjson.dumps(place.view)
        self._change(place, others, party, event, former)
        if others or former or orjson.dumps(place.view) != before:
            self._store(place, former, named)
        for other in others:
            self._merge(place, other)
        if others:
            for other in others:
                self._announce_merge(reading, place, other, str(event.id))
        elif orjson.dumps(place.view) != before:
            self._announce_update(reading, place, str(event.id))
        return place

    def _find(self, connector: str, account: str, addresses: Iterable[str]) -> list[Place]:
        """Return the conversations with any of these addresses, the oldest first."""
        found: dict[int, Place] = {}
        for address in addresses:
            id = self.ids.conversation(connector, account, address)
            places = self.foreseen.places.get(id)
            found |= {place.key: place for place in (self._asked(id) if places is None else places)}
        return [found[key] for key in sorted(found)]

    def _asked(self, id: str) -> list[Place]:
        """Return the conversations with the address that gives this id."""
        rows = self.connection.execute(
            f"SELECT {PLACE} FROM conversation s JOIN conversation c "
            "ON c.key = coalesce(s.merged_into, s.key) WHERE (s.id = ? AND s.freed = 0) "
            # Another node may erase the conversation at this moment; then it is not found.
            "OR s.key = (SELECT conversation FROM alias WHERE id = ?) /* lock s, c */",
            (id, id),
        ).fetchall()
        return [place_of(row) for row in rows]

    def _create(self, reading: Reading, account: str, party: Party) -> Place:
        base = self.ids.conversation(reading.connector, account, party.id)
        id = self._unused(reading.connector, account, party.id)
        aliases = list(dict.fromkeys(name for name in party.aliases if name != party.id))
        key = self._insert(
            *(id, reading.connector, reading.platform, account, party.id, party.name),
            orjson.dumps(aliases).decode(),
        )
        place = place_of(
            (
                *(key, 0, None, id, reading.connector, reading.platform, account),
                *(party.id, party.name, orjson.dumps(aliases), None),
            )
        )
        # None of these addresses found anybody before.
        self.foreseen.created(id, (self._id(place, name) for name in place.addresses), place)
        if aliases or id != base:
            self._remember(place)
        return place

    def _insert(self, *values: Any) -> int:
        """Store a new conversation; return its key."""
        if self.foreseen.keys:
            key = self.foreseen.keys.pop()
            self.connection.execute(INSERT_CONVERSATION, (key, *values))
            return key
        row = self.connection.execute(
            "INSERT INTO conversation (id, connector, platform, account, consumer, name, aliases) "
            "VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING key",
            values,
        ).fetchone()
        return int(row[0])

    def _unused(self, connector: str, account: str, address: str) -> str:
        """Return the conversation's id: of the address, and of whose turn it is to have the address."""
        generation = 1
        while True:
            id = self.ids.conversation(connector, account, address, generation)
            if id in self.foreseen.unused:
                return id
            taken = self.connection.execute("SELECT 1 FROM conversation WHERE id = ?", (id,))
            if taken.fetchone() is None:
                return id
            generation += 1

    def _change(
        self, place: Place, others: Sequence[Place], party: Party, event: Any, former: Sequence[str]
    ) -> None:
        """Bring the consumer in `place.view` up to date."""
        consumer = place.view["consumer"]
        known = [*place.addresses, *(name for other in others for name in other.addresses)]
        known += [party.id, *party.aliases]
        gone = set(former) - {party.id}
        # A change of another address says nothing about the one to which answers go.
        is_change = isinstance(event, Identity)
        if consumer["id"] in gone or (_shows_address(event) and not is_change):
            consumer["id"] = party.id
        consumer["aliases"] = [
            name for name in dict.fromkeys(known) if name not in gone and name != consumer["id"]
        ]
        names = (
            party.name,
            consumer["name"],
            *(other.view["consumer"]["name"] for other in others),
        )
        if not (_shows_address(event) or consumer["name"] is None):
            names = (consumer["name"],)
        consumer["name"] = next((name for name in names if name is not None), None)

    def _store(self, place: Place, former: Sequence[str], named: Iterable[str]) -> None:
        """Store the consumer of `place`, who has the addresses `named` from now on, and not `former`."""
        consumer = place.view["consumer"]
        if former:
            self.foreseen.addresses_changed()
        else:
            # Those who had one of these addresses were found, and are merged.
            self.foreseen.found_under((self._id(place, name) for name in named), place)
        self.connection.execute(
            "UPDATE conversation SET consumer = ?, name = ?, aliases = ? WHERE key = ?",
            (
                *(consumer["id"], consumer["name"]),
                *(orjson.dumps(consumer["aliases"]).decode(), place.key),
            ),
        )
        for address in set(former) - {consumer["id"]}:
            id = self._id(place, address)
            self.connection.execute("DELETE FROM alias WHERE id = ?", (id,))
            self.connection.execute("UPDATE conversation SET freed = 1 WHERE id = ?", (id,))
        if former or consumer["aliases"]:
            self._remember(place)

    def _remember(self, place: Place) -> None:
        """Let all addresses of the consumer find the conversation."""
        self.connection.executemany(
            REMEMBER_ADDRESS,
            [(self._id(place, name), place.key, name) for name in place.addresses],
        )

    def _id(self, place: Place, address: str) -> str:
        return self.ids.conversation(place.view["connector"], place.view["account"], address)

    def _merge(self, place: Place, other: Place) -> None:
        """Make `other` a part of `place`: its addresses, its agents, and the agents' texts that are being sent."""
        self.foreseen.addresses_changed()
        keys = (place.key, other.key)
        merged = "UPDATE conversation SET merged_into = ? WHERE key = ? OR merged_into = ?"
        self.connection.execute(merged, (*keys, other.key))
        self.connection.execute("UPDATE alias SET conversation = ? WHERE conversation = ?", keys)
        self.connection.execute("UPDATE outgoing SET conversation = ? WHERE conversation = ?", keys)
        rows = self.connection.execute(
            "SELECT agents, closed, opted_out, heard_at, reply_until FROM conversation "
            "WHERE key IN (?, ?) ORDER BY key = ? DESC",
            (*keys, place.key),
        ).fetchall()
        agents, closed, opted_out, heard_at, reply_until = zip(*rows, strict=True)
        together = dict.fromkeys(agent for found in agents for agent in orjson.loads(found))
        until = _latest(reply_until)
        self.connection.execute(
            "UPDATE conversation SET agents = ?, closed = ?, opted_out = ?, heard_at = ?, "
            "reply_until = ? WHERE key = ?",
            (
                *(orjson.dumps(list(together)).decode(), min(closed), max(opted_out)),
                *(_latest(heard_at), until, place.key),
            ),
        )
        place.view["reply_until"] = rfc3339(until) if until else None

    def _announce_merge(self, reading: Reading, place: Place, other: Place, cause: str) -> None:
        # The core has to know all that was said in the other conversation before it learns of the merge.
        self.announcer.announce(
            place.key,
            # The ids of erased conversations are given out again, so the cause is a part of the id.
            self.ids.event("conversation.merged", other.view["id"], cause),
            "conversation.merged",
            reading.received_at,
            {"conversation": place.view, "merged": other.view["id"]},
            behind=other.key,
        )

    def _announce_update(self, reading: Reading, place: Place, cause: str) -> None:
        self.announcer.announce(
            place.key,
            self.ids.event("conversation.updated", place.view["id"], cause),
            "conversation.updated",
            reading.received_at,
            {"conversation": place.view},
        )


def _shows_address(event: Any) -> bool:
    """Whether the consumer acted, so that the event shows where an answer goes now, and the present name."""
    is_old = isinstance(event, Message) and event.history
    return not (is_old or isinstance(event, Receipt | Echo))


def place_of(row: Sequence[Any]) -> Place:
    return Place(row[0], row[1], row[2], conversation_of(row[3:]))


def _latest(times: Iterable[int | None]) -> int | None:
    return max((time for time in times if time is not None), default=None)
