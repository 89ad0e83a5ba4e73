"""The verdict: checks all promises after everything has drained, and lists complaints."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg

from tests.journal_rows import ON_POSTGRESQL, rows

from .core import Event, UnreliableCore
from .ledger import AcceptedMessage, Ledger

#: Queries that must return no rows.
_EMPTY = {
    "deliveries that were not parsed": "SELECT id FROM intake",
    "events that the core did not accept": "SELECT key, event_id FROM outbox",
    "pending attachments": (
        "SELECT connector, consumer, message, position, attempts, due, details FROM attachment"
        " LEFT JOIN conversation ON conversation.key = message >> 32 WHERE state = 'pending'"
    ),
    "files that were not deleted": "SELECT attachment FROM doomed",
    "unreadable deliveries": "SELECT connector, reason FROM unreadable",
}


def missing(ledger: Ledger, core: UnreliableCore) -> list[str]:
    """Return what the core has not received yet: messages, and outcomes of attachments."""
    found = _messages(core.events)
    states = final_states(core.events)
    complaints = []
    for accepted in ledger:
        events = found.get((accepted.connector, accepted.platform_id))
        if not events:
            complaints.append(f"lost: {accepted}")
            continue
        complaints += [
            f"unfinished: {attachment['id']} of {accepted}"
            for attachment in events[0]["data"]["message"]["attachments"]
            if states[attachment["id"]]["state"] == "pending"
        ]
    return complaints


def complaints(
    ledger: Ledger,
    core: UnreliableCore,
    data: Path,
    *,
    more_is_fine: bool = False,
    journal: str = "sqlite",
) -> list[str]:
    """Return all complaints, after the gateway has ended.

    With `more_is_fine`, the core may have messages that the ledger does not list as accepted.
    """
    return [
        *broken_promises(ledger, core, more_is_fine=more_is_fine),
        *stored_amiss(core.events, data / "media", [data]),
        *(left_over(data) if journal == "sqlite" else left_in_database(journal)),
    ]


def broken_promises(
    ledger: Ledger, core: UnreliableCore, *, more_is_fine: bool = False
) -> list[str]:
    """Return complaints about what the core received."""
    return [
        *missing(ledger, core),
        *core.complaints,
        *_doubled(core.events),
        *_disordered(ledger, core, more_is_fine=more_is_fine),
        *_differing(ledger, core.events),
    ]


def final_states(events: list[Event]) -> dict[str, dict[str, Any]]:
    """Return the latest state of each attachment in the events, by id."""
    return {
        attachment["id"]: attachment
        for event in events
        for attachment in event["data"].get("message", {}).get("attachments", ())
    }


def _messages(events: list[Event]) -> dict[tuple[str, str], list[Event]]:
    found: dict[tuple[str, str], list[Event]] = defaultdict(list)
    for event in events:
        if event["type"] == "message.received":
            found[event["source"], event["data"]["message"]["platform_id"]].append(event)
    return found


def _doubled(events: list[Event]) -> list[str]:
    return [
        f"{source} {platform_id} came as {[event['id'] for event in found]}"
        for (source, platform_id), found in _messages(events).items()
        if len(found) > 1
    ] + [f"unrecognised: {event}" for event in events if event["type"] == "event.unrecognised"]


def _disordered(ledger: Ledger, core: UnreliableCore, *, more_is_fine: bool) -> list[str]:
    wrong = []
    received: dict[tuple[str, str], list[Event]] = defaultdict(list)
    for event in core.events:
        if event["type"] == "message.received":
            consumer = event["source"], event["data"]["conversation"]["consumer"]["id"]
            received[consumer].append(event["data"]["message"])
    for consumer, accepted in ledger.messages.items():
        got = received.get(consumer, [])
        if [m["sequence"] for m in got] != list(range(1, len(got) + 1)):
            wrong.append(f"{consumer}: sequences {[m['sequence'] for m in got]}")
        wanted = [message.platform_id for message in accepted]
        ids = [m["platform_id"] for m in got]
        if [id for id in ids if id in wanted or not more_is_fine] != wanted:
            wrong.append(f"{consumer}: another order than accepted")
    return wrong


def _differing(ledger: Ledger, events: list[Event]) -> list[str]:
    found, states = _messages(events), final_states(events)
    wrong = []
    for accepted in ledger:
        for event in found.get((accepted.connector, accepted.platform_id), ())[:1]:
            message = event["data"]["message"]
            ends = tuple(
                (states[a["id"]]["state"], states[a["id"]]["reason"])
                for a in message["attachments"]
            )
            wrong += _difference(accepted, message["text"], ends)
    return wrong


def _difference(
    accepted: AcceptedMessage, text: str | None, ends: tuple[tuple[str, str | None], ...]
) -> list[str]:
    same = (accepted.text, accepted.ends) == (text, ends)
    return [] if same else [f"{accepted} was delivered as {text!r} with {ends}"]


def stored_amiss(events: list[Event], media: Path, folders: Sequence[Path]) -> list[str]:
    """Return complaints about stored files: different from the events, or orphaned; also in these data folders."""
    stored = {file: file.read_bytes() for file in media.rglob("*") if file.is_file()}
    wrong = []
    for id, attachment in final_states(events).items():
        for name, view in attachment["renditions"].items():
            stem = id.removeprefix("att_")
            path = next((f for f in stored if f.parent.name == stem and f.stem == name), None)
            content = stored.pop(path) if path is not None else b""
            if hashlib.sha256(content).hexdigest() != view["sha256"]:
                wrong.append(f"{id} {name} is not what was announced ({len(content)} bytes)")
    wrong += [f"an orphaned file: {file.relative_to(media)}" for file in stored]
    return wrong + [
        f"left in {name}: {file}"
        for name in ("scratch", "quarantine")
        for data in folders
        for file in (data / name).iterdir()
    ]


def left_over(data: Path) -> list[str]:
    """Return complaints about unfinished work in the journal."""
    left = {what: rows(data, query) for what, query in _EMPTY.items()}
    wrong = [f"{what} left in the journal: {found}" for what, found in left.items() if found]
    if ON_POSTGRESQL:
        return wrong
    ((sound,),) = rows(data, "PRAGMA integrity_check")
    return wrong if sound == "ok" else [*wrong, f"the journal is damaged: {sound}"]


def left_in_database(url: str) -> list[str]:
    """Return complaints about unfinished work in a journal in PostgreSQL."""
    with psycopg.connect(url, autocommit=True) as journal:
        left = {what: journal.execute(query.encode()).fetchall() for what, query in _EMPTY.items()}
    return [f"{what} left in the journal: {rows}" for what, rows in left.items() if rows]
