"""Tests of order and number: a second entry is an event of its own, and entries and files keep their order.

The recordings need not contain two entries: the kit adds a copy with other ids.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from connectors.recordings import Recording
from normalizer.events import AnyEvent, Echo, Edit, Message, Unknown

from .paths import Path, changed, lists, shown
from .subject import Subject
from .trials import Trial, parse, text_of, trials

#: The two ways round.
_ORDERS = ((0, 1), (1, 0))


@dataclass(frozen=True, slots=True)
class _Pair:
    """A list with an entry and a copy of it with other ids, in an order, and what it should yield."""

    path: Path
    entries: list[Any]
    ids: tuple[str, ...]


class SequenceChecks(Subject):
    """Tests of several entries and several files in one delivery."""

    def test_a_second_entry_is_an_event_of_its_own(self, recording: Recording) -> None:
        for pair in self._pairs(recording):
            found = [event.id for event in self._parsed_with(recording, pair.path, pair.entries)]
            missing = [id for id in pair.ids if id not in found]
            assert not missing, (
                f"{shown(pair.path)}: with a second entry, the event {missing[0]!r} is lost; read every entry with"
                " read_each, and build its id from its own fields"
            )

    def test_events_come_in_the_order_of_their_entries(self, recording: Recording) -> None:
        for pair in self._pairs(recording):
            found = [event.id for event in self._parsed_with(recording, pair.path, pair.entries)]
            known = tuple(id for id in found if id in pair.ids)
            assert known == pair.ids or set(known) != set(pair.ids), (
                f"{shown(pair.path)}: the entries {', '.join(pair.ids)} yield events in another order; return them as"
                " they come, without sorting or grouping"
            )

    def test_what_a_later_element_says_is_read(self, recording: Recording) -> None:
        """Also of lists inside a message: rows of buttons, lines of a form, people beside their messages."""
        before = parse(self.connector, recording)
        if any(isinstance(event, Unknown) for event in before):
            return
        found = trials(self.connector, recording)
        for path, entries in lists(recording.content):
            outside = {one.value for one in found if one.path[: len(path)] != path}
            inside = [
                one
                for one in found
                if _is_inside(one, path, 0)
                and not any(isinstance(event, Unknown) for event in one.events)
                and (one.events != before or one.value in outside)
            ]
            said = [one for one in inside if _is_said(one, before)]
            # An element that nothing else names is found by its position, or is the only one.
            if not said or not any(one.value in outside for one in inside):
                continue
            other = _with_fresh(entries[0], path, inside)
            events = self._parsed_with(recording, path, [other, *entries])
            lost = [one for one in said if not _is_contained(one.value, _said(events))]
            assert not lost, (
                f"{shown(path)}: with another element before it, {lost[0].value!r:.60} is lost; read every element of"
                " the list, and find what belongs together by its ids"
            )

    def test_every_file_of_a_message_is_an_attachment(self, recording: Recording) -> None:
        if self.connector.capabilities.support("several_photos") == "no":
            return
        for pair in self._files(recording):
            found = self._locators(self._parsed_with(recording, pair.path, pair.entries))
            missing = [id for id in pair.ids if not any(id in one for one in found)]
            assert not missing, (
                f"{shown(pair.path)}: with a second file, {missing[0]!r} becomes no attachment; read every file"
                " with attach_each"
            )

    def test_files_keep_their_order(self, recording: Recording) -> None:
        for pair in self._files(recording):
            found = self._locators(self._parsed_with(recording, pair.path, pair.entries))
            places = [[at for at, one in enumerate(found) if id in one] for id in pair.ids]
            assert not all(places) or min(places[0]) < min(places[1]), (
                f"{shown(pair.path)}: the files come in another order than they were sent; keep their order"
            )

    # helpers ----------------------------------------------------------------------------------------

    def _pairs(self, recording: Recording) -> Iterator[_Pair]:
        """Each list whose first entry decides an event's id, with a second entry of another id."""
        before = parse(self.connector, recording)
        if any(isinstance(event, Unknown) for event in before):
            return
        for path, entries in lists(recording.content):
            inside = [one for one in trials(self.connector, recording) if _is_inside(one, path, 0)]
            deciding = [one for one in inside if _decides_an_id(one, before)]
            if not deciding:
                continue
            first, second = entries[0], _with_fresh(entries[0], path, deciding)
            alone = [_ids(self._parsed_with(recording, path, [entry])) for entry in (first, second)]
            own = [[id for id in ids if id not in other] for ids, other in (alone, alone[::-1])]
            if len(own[0]) != 1 or len(own[1]) != 1:
                continue
            for order in _ORDERS:
                pair = [(first, second)[at] for at in order]
                yield _Pair(path, pair, tuple(own[at][0] for at in order))

    def _files(self, recording: Recording) -> Iterator[_Pair]:
        """Each list whose first entry is a file, with a second file."""
        before = parse(self.connector, recording)
        for path, entries in lists(recording.content):
            inside = [one for one in trials(self.connector, recording) if _is_inside(one, path, 0)]
            deciding = [one for one in inside if self._decides_a_file(one, before)]
            if not deciding:
                continue
            first, second = entries[0], _with_fresh(entries[0], path, deciding)
            names = (str(deciding[0].value), str(deciding[0].fresh))
            if names[0] in names[1]:
                continue
            for order in _ORDERS:
                pair = [(first, second)[at] for at in order]
                yield _Pair(path, pair, tuple(names[at] for at in order))

    def _decides_a_file(self, trial: Trial, before: tuple[AnyEvent, ...]) -> bool:
        """Whether a value is where a file of one message is found: it changes a locator, and no id."""
        if _ids(trial.events) != _ids(before) or isinstance(trial.value, bool):
            return False
        return any(str(trial.fresh) in one for one in self._locators(trial.events))

    def _locators(self, events: tuple[AnyEvent, ...]) -> list[str]:
        return [
            str(dict(found.media.locator))
            for event in events
            if isinstance(event, Message | Echo | Edit)
            for found in event.attachments
            if found.media is not None
        ]

    def _parsed_with(
        self, recording: Recording, path: Path, entries: list[Any]
    ) -> tuple[AnyEvent, ...]:
        content = changed(recording.content, path, copy.deepcopy(entries))
        return parse(self.connector, replace(recording, content=content))


def _decides_an_id(trial: Trial, before: tuple[AnyEvent, ...]) -> bool:
    known, after = set(_ids(before)), set(_ids(trial.events))
    if len(after) != len(known) or any(isinstance(event, Unknown) for event in trial.events):
        return False
    gone, come = known - after, after - known
    replaced = {id.replace(str(trial.value), str(trial.fresh)) for id in gone}
    return bool(gone) and replaced == come


def _with_fresh(entry: Any, path: Path, deciding: list[Trial]) -> Any:
    """A copy of an entry in which the deciding values are fresh."""
    found = entry
    for trial in deciding:
        inner = trial.path[len(path) + 1 :]
        found = changed(found, inner, trial.fresh) if inner else trial.fresh
    return found


def _is_inside(trial: Trial, path: Path, at: int) -> bool:
    return trial.path[: len(path) + 1] == (*path, at)


def _ids(events: tuple[AnyEvent, ...]) -> list[str]:
    return [event.id for event in events]


def _is_said(trial: Trial, before: tuple[AnyEvent, ...]) -> bool:
    return (
        isinstance(trial.value, str)
        and _is_contained(trial.value, _said(before))
        and _is_contained(str(trial.fresh), _said(trial.events))
    )


def _said(events: tuple[AnyEvent, ...]) -> list[str]:
    """What events say to people, and who says it."""
    texts = [text_of(event) for event in events]
    names = [event.party.name for event in events if event.party and event.party.name]
    return [*texts, *names]


def _is_contained(value: str, said: list[str]) -> bool:
    return any(value in one for one in said)
