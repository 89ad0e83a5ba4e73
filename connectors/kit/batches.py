"""Tests of batches: each entry is read, independently of the others, and a bad entry affects no other.

The kit finds out by trial which lists of a delivery are batches: a list is a batch if its entries can be removed,
or its only entry replaced by a bad one, without changing what the rest of the delivery yields.
"""

import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import orjson

from connectors.recordings import Recording
from normalizer.events import AnyEvent, Unknown

from .paths import Path, changed, lists, shown
from .subject import Subject

BAD_ENTRIES: tuple[Any, ...] = (None, 5, "poison", [], {"poison": True}, [[{"poison": []}]])


class BatchChecks(Subject):
    """Tests of `parse` for deliveries with several entries."""

    def test_a_bad_entry_does_not_affect_its_neighbours(self, recording: Recording) -> None:
        whole = self._facts(recording.content, recording)
        for path, entries in self._batches(recording):
            for bad in BAD_ENTRIES:
                for at in {0, len(entries)}:
                    changed_entries = [*entries[:at], bad, *entries[at:]]
                    found = self._facts_with(recording, path, changed_entries)
                    assert _contains_in_order(found, whole), (
                        f"{shown(path)}: a bad entry loses a good one; use read_each"
                    )
                    assert len(found) > len(whole), (
                        f"{shown(path)}: a bad entry is dropped; it must become an Unknown"
                    )

    def test_a_batch_yields_the_events_of_its_entries(self, recording: Recording) -> None:
        whole = self._facts(recording.content, recording)
        for path, entries in self._batches(recording):
            alone = [self._facts_with(recording, path, [entry]) for entry in entries]
            for found in alone:
                assert _contains_in_order(
                    whole, _minus(found, self._facts_with(recording, path, []))
                ), f"{shown(path)}: an entry yields other events, or none, in a batch"
            if len(entries) > 1:
                expected = sum((Counter(found) for found in alone), Counter())
                envelope = Counter(self._facts_with(recording, path, []))
                for _ in entries[1:]:
                    expected -= envelope
                assert set(expected) == set(whole), (
                    f"{shown(path)}: the batch lacks events of its entries, or has others"
                )

    def test_event_ids_do_not_depend_on_the_batch_order(self, recording: Recording) -> None:
        whole = self._facts(recording.content, recording)
        for path, entries in self._batches(recording):
            for order in (entries[::-1], [*entries, *entries]):
                found = self._facts_with(recording, path, order)
                assert set(found) == set(whole), (
                    f"{shown(path)}: in another order, the events differ"
                )

    def test_a_bad_attachment_does_not_lose_the_text(self, recording: Recording) -> None:
        for path, entries in lists(recording.content):
            if not self._are_files(recording, path, entries):
                continue
            whole = _texts(self._events(recording.content, recording))
            for bad in BAD_ENTRIES:
                changed_entries = changed(recording.content, path, [*entries, bad])
                assert _texts(self._events(changed_entries, recording)) == whole, (
                    f"{shown(path)}: a file that cannot be read loses the text of the message; use attach_each"
                )

    # helpers ----------------------------------------------------------------------------------------

    def _batches(self, recording: Recording) -> Iterator[tuple[Path, list[Any]]]:
        for path, entries in lists(recording.content):
            if self._is_batch(recording, path, entries):
                yield path, entries

    def _is_batch(self, recording: Recording, path: Path, entries: list[Any]) -> bool:
        whole = Counter(_ids(self._events(recording.content, recording)))
        for fewer in ([], entries[1:]):
            left = self._events(changed(recording.content, path, fewer), recording)
            if Counter(_ids(left)) < whole:
                return True
        events = self._events(changed(recording.content, path, [BAD_ENTRIES[-1]]), recording)
        return any(isinstance(event, Unknown) and event.raw == BAD_ENTRIES[-1] for event in events)

    def _are_files(self, recording: Recording, path: Path, entries: list[Any]) -> bool:
        whole = self._events(recording.content, recording)
        fewer = self._events(changed(recording.content, path, entries[1:]), recording)
        return _ids(fewer) == _ids(whole) and _files(fewer) < _files(whole)

    def _facts_with(self, recording: Recording, path: Path, entries: list[Any]) -> list[bytes]:
        return self._facts(changed(recording.content, path, entries), recording)

    def _facts(self, content: Any, recording: Recording) -> list[bytes]:
        return [orjson.dumps(event) for event in self._events(content, recording)]

    def _events(self, content: Any, recording: Recording) -> list[AnyEvent]:
        return self.parsed(replace(recording, content=copy.deepcopy(content)))


def _texts(events: list[AnyEvent]) -> list[tuple[str, str, str | None]]:
    return [(event.type, event.id, getattr(event, "text", None)) for event in events]


def _files(events: list[AnyEvent]) -> int:
    return sum(len(getattr(event, "attachments", ())) for event in events)


def _ids(events: list[AnyEvent]) -> list[tuple[str, str]]:
    return [(event.type, event.id) for event in events]


def _contains_in_order(found: list[bytes], wanted: list[bytes]) -> bool:
    """Whether `found` contains everything in `wanted`, in the same order."""
    left = iter(found)
    return all(fact in left for fact in wanted)


def _minus(found: list[bytes], removed: list[bytes]) -> list[bytes]:
    left = Counter(removed)
    kept = []
    for fact in found:
        if left[fact]:
            left[fact] -= 1
        else:
            kept.append(fact)
    return kept
