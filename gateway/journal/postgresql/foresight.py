"""Foresight: loads what recording a batch will ask for, with one question of each kind for all events.

The first questions are sent together. What follows from the conversations of the events is asked after that.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.identifiers import Identifiers
from gateway.journal.operations.foreseen import Foreseen, OpenTexts, SentPart
from gateway.journal.operations.known import repeat_of
from gateway.journal.operations.parties import PLACE, Place, place_of
from gateway.journal.operations.receipts import text_of_key
from gateway.journal.operations.transaction import Rows, Transaction
from gateway.journal.records import Reading
from normalizer.events import Deletion, Echo, Edit, Identity, Message, Reaction, Receipt

from .adapters import Bigints, Texts, stored

_MESSAGES = "SELECT id FROM message WHERE id = ANY (CAST(? AS text[]))"
_FACTS = "SELECT id, seen_at FROM fact WHERE id = ANY (CAST(? AS text[]))"
_TEXTS = "SELECT id, key FROM outgoing WHERE id = ANY (CAST(? AS text[]))"
#: The rows are locked, in the order of their keys: their sequences and the order of their lanes are this transaction's.
#: A conversation that another node erases at this moment is not found.
_BY_ID = f"""SELECT s.id, s.freed, {PLACE} FROM conversation s
    JOIN conversation c ON c.key = coalesce(s.merged_into, s.key)
    WHERE s.id = ANY (CAST(? AS text[])) ORDER BY c.key FOR NO KEY UPDATE OF s, c"""
_BY_ALIAS = f"""SELECT a.id, 0, {PLACE} FROM alias a JOIN conversation s ON s.key = a.conversation
    JOIN conversation c ON c.key = coalesce(s.merged_into, s.key)
    WHERE a.id = ANY (CAST(? AS text[])) ORDER BY c.key FOR NO KEY UPDATE OF a, s, c"""
#: After the locks: texts are settled under the same lock.
_PARTS = """SELECT p.platform_id, p.outgoing, p.position, o.id
    FROM unnest(CAST(? AS text[])) AS wanted (id) JOIN part p ON p.platform_id = wanted.id
    JOIN outgoing o ON o.key = p.outgoing"""
_OPEN_TEXTS = """SELECT o.conversation, bool_or(p.state = 'trying'), bool_or(p.state IN ('sent', 'delivered'))
    FROM unnest(CAST(? AS bigint[])) AS wanted (key) JOIN outgoing o ON o.conversation = wanted.key
    JOIN part p ON p.outgoing = o.key GROUP BY o.conversation"""
_KEYS = "SELECT nextval(pg_get_serial_sequence('conversation', 'key')) FROM generate_series(1, CAST(? AS bigint))"

#: Ids in their order, each once.
_Ids = dict[str, None]


@dataclass(slots=True)
class _Wanted:
    """The ids that the events of a batch name."""

    ids: Identifiers
    messages: _Ids = field(default_factory=dict)
    facts: _Ids = field(default_factory=dict)
    texts: _Ids = field(default_factory=dict)
    #: Messages and texts that events are about, as their platform calls them.
    targets: _Ids = field(default_factory=dict)
    #: The ids that the addresses of each event give.
    addresses: list[Sequence[str]] = field(default_factory=list)
    #: The same of receipts.
    receipts: list[Sequence[str]] = field(default_factory=list)

    def add(self, reading: Reading) -> None:
        event: Any = reading.event
        self.addresses.append(_conversation_ids(self.ids, reading))
        match event:
            case Message():
                self._message(reading, event.id, event.reply_to)
                if event.repeat_key is not None:
                    self._fact(reading, repeat_of(event.repeat_key))
            case Echo():
                self._message(reading, event.message_id, event.reply_to)
                self._fact(reading, event.id)
                self.targets[event.message_id] = None
            case _:
                self._fact(reading, event.id)
        match event:
            case Echo(key=str(key)) | Receipt(key=str(key)):
                self.texts[text_of_key(key)[0]] = None
        match event:
            case Receipt():
                self.receipts.append(self.addresses[-1])
                self.targets |= dict.fromkeys(event.message_ids)
            case Reaction(target=target) | Edit(target=target) | Deletion(target=target):
                self.targets[target] = None

    def _message(self, reading: Reading, id: str, quoted: str | None) -> None:
        self.messages[self.ids.message(reading.connector, id)] = None
        if quoted is not None:
            self.messages[self.ids.message(reading.connector, quoted)] = None
            self.targets[quoted] = None

    def _fact(self, reading: Reading, id: str) -> None:
        self.facts[self.ids.fact(reading.connector, id)] = None


def foresee(transaction: Transaction, ids: Identifiers, readings: Iterable[Reading]) -> Foreseen:
    """Return what is known about all that these events name."""
    wanted = _Wanted(ids)
    for reading in readings:
        wanted.add(reading)
    addresses = dict.fromkeys(id for named in wanted.addresses for id in named)
    # All are sent before the first is awaited.
    messages = _ask(transaction, _MESSAGES, wanted.messages)
    facts = _ask(transaction, _FACTS, wanted.facts)
    direct = _ask(transaction, _BY_ID, addresses)
    further = _ask(transaction, _BY_ALIAS, addresses)
    texts = _ask(transaction, _TEXTS, wanted.texts)
    parts = _ask(transaction, _PARTS, {stored(id): None for id in wanted.targets})
    foreseen = Foreseen(
        messages=dict.fromkeys(wanted.messages, False) | {id: True for (id,) in messages},
        facts={**wanted.facts, **dict(facts)},
        texts={**wanted.texts, **dict(texts)},
        places={id: [] for id in addresses},
    )
    _find_places(foreseen, list(direct), list(further))
    sent = {platform_id: SentPart(*part) for platform_id, *part in parts}
    foreseen.parts = {id: sent.get(stored(id)) for id in wanted.targets}
    _look_further(transaction, foreseen, wanted)
    return foreseen


def _ask(transaction: Transaction, question: str, ids: _Ids) -> Rows | tuple[()]:
    return transaction.execute(question, (Texts(ids),)) if ids else ()


def _find_places(foreseen: Foreseen, direct: list[Any], further: list[Any]) -> None:
    places = dict[int, Place]()
    foreseen.unused.update(foreseen.places.keys() - {row[0] for row in direct})
    for id, freed, *row in (*direct, *further):
        place = places.setdefault(row[0], place_of(row))
        if not freed and place not in foreseen.places[id]:
            foreseen.places[id].append(place)


def _look_further(transaction: Transaction, foreseen: Foreseen, wanted: _Wanted) -> None:
    """Load what depends on the conversations: their texts on the way, and keys for those that are new."""
    of_receipts = {
        place.key for named in wanted.receipts for id in named for place in foreseen.places[id]
    }
    unknown = {
        named[0]
        for named in wanted.addresses
        if named and not any(foreseen.places[id] for id in named)
    }
    texts: Iterable[Any] = ()
    if of_receipts:
        texts = transaction.execute(_OPEN_TEXTS, (Bigints(of_receipts),))
    if unknown:
        keys = transaction.execute(_KEYS, (len(unknown),))
        foreseen.keys = sorted((key for (key,) in keys), reverse=True)
    none = OpenTexts(in_flight=False, sent=False)
    foreseen.open_texts = dict.fromkeys(of_receipts, none)
    foreseen.open_texts |= {key: OpenTexts(*is_open) for key, *is_open in texts}


def _conversation_ids(ids: Identifiers, reading: Reading) -> list[str]:
    event: Any = reading.event
    if event.account is None or event.party is None:
        return []
    named = [event.party.id, *event.party.aliases]
    if isinstance(event, Identity):
        named += event.former
    return [ids.conversation(reading.connector, event.account, name) for name in named]
