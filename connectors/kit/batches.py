"""Promises about batches: every entry counts, in its order, by itself, and a bad one costs nobody else.

Which lists of a delivery are batches is found out by trying: those whose entries can be taken out, or whose
only entry can be spoiled, without the rest of the delivery becoming something else.
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

POISONS: tuple[Any, ...] = (None, 5, "poison", [], {"poison": True}, [[{"poison": []}]])


class BatchChecks(Subject):
    """What `parse` promises about entries that come together."""

    def test_a_bad_entry_does_not_affect_its_neighbours(self, recording: Recording) -> None:
        whole = self._facts(recording.content, recording)
        for path, entries in self._batches(recording):
            for poison in POISONS:
                for at in {0, len(entries)}:
                    spoiled = [*entries[:at], poison, *entries[at:]]
                    found = self._with(recording, path, spoiled)
                    assert _holds(found, whole), f"{shown(path)}: a bad entry costs a good one"
                    assert len(found) > len(whole), f"{shown(path)}: a bad entry leaves no trace"

    def test_a_batch_yields_the_events_of_its_entries(self, recording: Recording) -> None:
        whole = self._facts(recording.content, recording)
        for path, entries in self._batches(recording):
            alone = [self._with(recording, path, [entry]) for entry in entries]
            for found in alone:
                assert _holds(whole, _without(found, self._with(recording, path, []))), (
                    f"{shown(path)}: an entry means something else, or nothing, in a batch"
                )
            if len(entries) > 1:
                expected = sum((Counter(found) for found in alone), Counter())
                around = Counter(self._with(recording, path, []))
                for _ in entries[1:]:
                    expected -= around
                assert set(expected) == set(whole), f"{shown(path)}: entries are lost or made up"

    def test_event_ids_do_not_depend_on_the_batch_order(self, recording: Recording) -> None:
        whole = self._facts(recording.content, recording)
        for path, entries in self._batches(recording):
            for order in (entries[::-1], [*entries, *entries]):
                found = self._with(recording, path, order)
                assert set(found) == set(whole), f"{shown(path)}: another order, other facts"

    def test_a_bad_attachment_does_not_lose_the_text(self, recording: Recording) -> None:
        for path, entries in lists(recording.content):
            if not self._are_files(recording, path, entries):
                continue
            whole = _said(self._events(recording.content, recording))
            for poison in POISONS:
                spoiled = changed(recording.content, path, [*entries, poison])
                assert _said(self._events(spoiled, recording)) == whole, (
                    f"{shown(path)}: a file that cannot be read costs the message its words; attach_each"
                )

    # how it is done -------------------------------------------------------------------------------

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
        events = self._events(changed(recording.content, path, [POISONS[-1]]), recording)
        return any(isinstance(event, Unknown) and event.raw == POISONS[-1] for event in events)

    def _are_files(self, recording: Recording, path: Path, entries: list[Any]) -> bool:
        whole = self._events(recording.content, recording)
        fewer = self._events(changed(recording.content, path, entries[1:]), recording)
        return _ids(fewer) == _ids(whole) and _files(fewer) < _files(whole)

    def _with(self, recording: Recording, path: Path, entries: list[Any]) -> list[bytes]:
        return self._facts(changed(recording.content, path, entries), recording)

    def _facts(self, content: Any, recording: Recording) -> list[bytes]:
        return [orjson.dumps(event) for event in self._events(content, recording)]

    def _events(self, content: Any, recording: Recording) -> list[AnyEvent]:
        return self.parsed(replace(recording, content=copy.deepcopy(content)))


def _said(events: list[AnyEvent]) -> list[tuple[str, str, str | None]]:
    return [(event.type, event.id, getattr(event, "text", None)) for event in events]


def _files(events: list[AnyEvent]) -> int:
    return sum(len(getattr(event, "attachments", ())) for event in events)


def _ids(events: list[AnyEvent]) -> list[tuple[str, str]]:
    return [(event.type, event.id) for event in events]


def _holds(found: list[bytes], wanted: list[bytes]) -> bool:
    """Whether all that is wanted was found, in the same order."""
    left = iter(found)
    return all(one in left for one in wanted)


def _without(found: list[bytes], others: list[bytes]) -> list[bytes]:
    left = Counter(others)
    kept = []
    for one in found:
        if left[one]:
            left[one] -= 1
        else:
            kept.append(one)
    return kept
