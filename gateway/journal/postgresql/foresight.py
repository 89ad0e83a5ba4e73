"""Foresight: loads what recording a batch will ask for, with one question of each kind for all events."""

from collections.abc import Iterable
from typing import Any

from gateway.identifiers import Identifiers
from gateway.journal.operations.foreseen import Foreseen
from gateway.journal.operations.parties import PLACE, Place, place_of
from gateway.journal.operations.transaction import Transaction
from gateway.journal.records import Reading
from normalizer.events import Echo, Identity, Message

from .adapters import Texts

_MESSAGES = "SELECT id FROM message WHERE id = ANY (CAST(? AS text[]))"
#: The rows are locked, in the order of their keys: their sequences and the order of their lanes are this transaction's.
#: A conversation that another node erases at this moment is not found.
_BY_ID = f"""SELECT s.id, s.freed, {PLACE} FROM conversation s
    JOIN conversation c ON c.key = coalesce(s.merged_into, s.key)
    WHERE s.id = ANY (CAST(? AS text[])) ORDER BY c.key FOR NO KEY UPDATE OF s, c"""
_BY_ALIAS = f"""SELECT a.id, 0, {PLACE} FROM alias a JOIN conversation s ON s.key = a.conversation
    JOIN conversation c ON c.key = coalesce(s.merged_into, s.key)
    WHERE a.id = ANY (CAST(? AS text[])) ORDER BY c.key FOR NO KEY UPDATE OF a, s, c"""


def foresee(transaction: Transaction, ids: Identifiers, readings: Iterable[Reading]) -> Foreseen:
    """Return what is known about the messages and the addresses of these events."""
    messages, addresses = list[str](), dict[str, None]()
    for reading in readings:
        messages += _message_ids(ids, reading)
        addresses |= dict.fromkeys(_conversation_ids(ids, reading))
    wanted = (Texts(addresses),)
    # All are sent before the first is awaited.
    known = transaction.execute(_MESSAGES, (Texts(messages),))
    direct, further = transaction.execute(_BY_ID, wanted), transaction.execute(_BY_ALIAS, wanted)
    foreseen = Foreseen(dict.fromkeys(messages, False), {id: [] for id in addresses})
    foreseen.messages.update((id, True) for (id,) in known)
    places = dict[int, Place]()
    rows = direct.fetchall()
    foreseen.unused.update(addresses.keys() - {row[0] for row in rows})
    for id, freed, *row in (*rows, *further):
        place = places.setdefault(row[0], place_of(row))
        if not freed and place not in foreseen.places[id]:
            foreseen.places[id].append(place)
    return foreseen


def _message_ids(ids: Identifiers, reading: Reading) -> list[str]:
    match reading.event:
        case Message(id=id) | Echo(message_id=id):
            return [ids.message(reading.connector, id)]
    return []


def _conversation_ids(ids: Identifiers, reading: Reading) -> list[str]:
    event: Any = reading.event
    if event.account is None or event.party is None:
        return []
    named = [event.party.id, *event.party.aliases]
    if isinstance(event, Identity):
        named += event.former
    return [ids.conversation(reading.connector, event.account, name) for name in named]
