"""Events of invented people, recorded straight in a journal."""

from datetime import UTC, datetime
from typing import Any

import orjson

from gateway.inbound.attachment_rules import admit
from gateway.journal import Batch, Reading, Recorded
from gateway.journal.stores.journal import StoredJournal
from normalizer.events import AnyEvent, Echo, Message, Party, with_content
from tests.gateway.notes import notes

ACCOUNT = "desk-1"
DAY_MS = 86_400_000


def party(id: str, *aliases: str, name: str | None = None) -> Party:
    return Party(id, name, aliases)


def message(id: str, sender: str, *aliases: str, name: str | None = None, **more: Any) -> Message:
    more = {"text": f"text of {id}", **more}
    return Message(id=id, account=ACCOUNT, party=party(sender, *aliases, name=name), **more)


def about(sender: str, *aliases: str) -> dict[str, Any]:
    """The fields that say whom an event is about."""
    return {"account": ACCOUNT, "party": party(sender, *aliases)}


async def tell(
    journal: StoredJournal,
    *events: AnyEvent,
    at: int = 1_000,
    window: int | None = DAY_MS,
    **more: Any,
) -> Recorded:
    """Record events as the parse worker does."""
    readings = []
    for event in map(with_content, events):
        sent = event.attachments if isinstance(event, Message | Echo) else ()
        attachments = admit(sent, notes().config)
        readings.append(
            Reading("desk", "notes", at, event, attachments, reply_window=window, **more)
        )
    return await journal.record(Batch((), tuple(readings)))


def events_of(recorded: Recorded) -> list[dict[str, Any]]:
    return [orjson.loads(entry.body) for entry in recorded.entries if entry.body is not None]


def types_of(recorded: Recorded) -> list[str]:
    return [event["type"] for event in events_of(recorded)]


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
