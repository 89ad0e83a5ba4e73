"""Tests that nothing of a delivery is lost by oversight, and that two facts never count as one.

The other tests know what the names of fields mean. These do not: they ask of every value whether it matters.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from connectors.recordings import Recording
from normalizer.events import AnyEvent, Closed, Message, Notice, Receipt, Unknown

from .meaning import MeaningChecks
from .paths import Path, changed, lists, shown
from .trials import NO_TYPE, fresh_value, leaves, parse, parse_with, shape, trials
from .verification import refused

#: Fields that are listed in one failure.
_LISTED = 25
#: What two events have in common that say the same.
_SAID = ("account", "party", "kind", "text", "choice")
_TIME = re.compile(r"(\d{3})(\d)(-\d\d-\d\d[T ]\d\d:\d\d)")
#: The name of a type or a state.
_WORD = re.compile(r"[A-Za-z][A-Za-z_.-]*")
#: Shorter texts of the settings match by chance.
_SHORTEST = 4


class CompletenessChecks(MeaningChecks):
    """Tests that every value of a delivery matters, and that different facts have different ids."""

    def test_every_value_of_a_delivery_is_used(self) -> None:
        unused: dict[str, str] = {}
        for (name, _), (used, recording) in self._fields().items():
            if not used:
                unused.setdefault(name, recording)
        first = next(iter(unused), "")
        paste = ", ".join(f'"{name}": "…"' for name in list(unused)[:_LISTED])
        assert not unused, (
            f"nothing changes with {first} (in {unused.get(first)}), whatever its value is; use it, or say in `unread`"
            f" of the test class why it does not matter: {{{paste}}}"
        )

    def test_a_delivery_for_another_account_is_not_read_as_ours(self, recording: Recording) -> None:
        ours = self._settings()
        before = parse(self.connector, recording)
        if all(isinstance(event, Unknown) for event in before):
            return
        used = {str(one.value) for one in trials(self.connector, recording) if one.events != before}
        for path, value in leaves(recording.content):
            other = fresh_value(value)
            if str(value) not in ours - used or other is None or self.leaves_unread(path):
                continue
            assert parse_with(self.connector, recording, path, other) != before or (
                self._is_refused(recording, path, other)
            ), (
                f"{shown(path)} is our own {value!r} of the settings; if it is {other!r}, the delivery is for another"
                " account, but it is read as ours: raise Forbidden in verify, or make it the events' account"
            )

    def test_each_state_of_a_text_has_an_id_of_its_own(self) -> None:
        receipts = list(self._receipts())
        texts: dict[str, set[Any]] = {}
        for recording, _ in receipts:
            for path, value in leaves(recording.content):
                texts.setdefault(shape(path), set()).add(value if isinstance(value, str) else None)
        for recording, event in receipts:
            if self._has_an_id_of_its_own(recording, event):
                continue
            for path, value in leaves(recording.content):
                for other in texts[shape(path)] - {value, None} if value else ():
                    for found in parse_with(self.connector, recording, path, other):
                        same = isinstance(found, Receipt) and found.id == event.id
                        status = found.status if isinstance(found, Receipt) else ""
                        assert not same or status == event.status, (
                            f"{recording.name}: the states {event.status} and {status} of one text have the same id"
                            f" {event.id!r}, so the second one is dropped as a repeat; put the status into the id"
                        )
                        side = (event.account, event.party)
                        alike = not same or found == event or (found.account, found.party) != side
                        is_distinct = alike or not self._decides(recording, path, value)
                        assert is_distinct, (
                            f"{recording.name}: {value!r} and {other!r} at {shown(path)} both mean {status} with the id"
                            f" {event.id!r}, so the second one is dropped as a repeat; return what each of them means,"
                            " or put the platform's word into the id"
                        )

    def test_a_second_notice_has_another_id(self, recording: Recording) -> None:
        """A consumer can type, block and subscribe more than once, and say or tap the same again."""
        before = parse(self.connector, recording)
        again = [found for found in self._all_once_more(recording) if len(found) == len(before)]
        for at, event in enumerate(before):
            if not isinstance(event, Notice | Closed | Message):
                continue
            others = [found[at] for found in again if _is_alike(found[at], event)]
            assert not others or any(one.id != event.id for one in others), (
                f"every such {event.type} has the id {event.id!r}, so a second one is dropped as a"
                " repeat; build the id from the platform's id or the time of the event, or use fingerprint"
            )

    # helpers ----------------------------------------------------------------------------------------

    def _fields(self) -> dict[tuple[str, tuple[str, ...]], tuple[bool, str]]:
        """Whether a field is used in any delivery of a kind, and a recording that has it.

        A field may matter only where another one is missing. Therefore, a field is judged in all deliveries that lead
        to the same types of events with the same kinds of attachments.
        """
        found: dict[tuple[str, tuple[str, ...]], tuple[bool, str]] = {}
        for recording in self.recorded:
            kind = _kind(parse(self.connector, recording))
            # Of what cannot be read, nobody knows what matters.
            for path, used in self._uses(recording) if kind and "unknown" not in kind else ():
                by_type = any(f"{one}:{shape(path)}" in self.unread for one in kind)
                if not by_type and not self.leaves_unread(path):
                    before, name = found.get((shape(path), kind), (False, recording.name))
                    found[shape(path), kind] = (before or used, name)
        return found

    def _uses(self, recording: Recording) -> Iterator[tuple[Path, bool]]:
        """Whether another value in the place of each one leads to other events.

        A value may stand in a delivery twice, and our own account is known.
        """
        before = parse(self.connector, recording)
        found = trials(self.connector, recording)
        used = {str(one.value) for one in found if one.events != before} | self._settings()
        odd = _odd_ones(recording.content)
        for trial in found:
            if trial.path not in odd:
                yield trial.path, trial.events != before or str(trial.value) in used
        for path, value in leaves(recording.content):
            other = _another(value)
            if other is not None:
                yield path, parse_with(self.connector, recording, path, other) != before

    def _settings(self) -> frozenset[str]:
        """The plain texts and numbers in the settings, such as the id of our account."""
        dumped = self.connector.config.model_dump(mode="json")
        ours = {str(value) for _, value in leaves(dumped) if isinstance(value, str | int)}
        names = {part for path, _ in leaves(dumped) for part in path[1:] if isinstance(part, str)}
        return frozenset(one for one in ours | names if len(one) >= _SHORTEST and "*" not in one)

    def _is_refused(self, recording: Recording, path: Path, other: Any) -> bool:
        content = changed(recording.content, path, other)
        request = self.sign(replace(recording, content=content).request(self.connector))
        return refused(self.connector, request) is not None

    def _has_an_id_of_its_own(self, recording: Recording, event: Receipt) -> bool:
        """Whether the id of a receipt is made from another id than that of the text."""
        return any(
            str(trial.fresh) in found.id and str(trial.value) not in event.message_ids
            for trial in trials(self.connector, recording)
            for found in trial.events
            if found.id != event.id and not isinstance(found, Unknown)
        )

    def _receipts(self) -> Iterator[tuple[Recording, Receipt]]:
        """The recordings of a single receipt."""
        for recording in self.recorded:
            events = parse(self.connector, recording)
            if len(events) == 1 and isinstance(events[0], Receipt):
                yield recording, events[0]

    def _decides(self, recording: Recording, path: Path, value: str) -> bool:
        """Whether a value chooses what comes of a delivery: another word does not lead to a receipt."""
        found = parse_with(self.connector, recording, path, NO_TYPE)
        is_word = _WORD.fullmatch(value) is not None
        return is_word and not any(isinstance(event, Receipt) for event in found)

    def _all_once_more(self, recording: Recording) -> Iterator[tuple[AnyEvent, ...]]:
        """The events of the delivery with each value in turn another one, times included."""
        for trial in trials(self.connector, recording):
            yield trial.events
        for path, value in leaves(recording.content):
            other = _another(value) if isinstance(value, str) else None
            if other is not None:
                yield parse_with(self.connector, recording, path, other)


def _odd_ones(content: Any) -> frozenset[Path]:
    """The values among objects in a list: they are damage."""
    return frozenset(
        (*path, at)
        for path, entries in lists(content)
        if any(isinstance(one, dict) for one in entries)
        for at, one in enumerate(entries)
        if not isinstance(one, dict | list)
    )


def _kind(events: tuple[AnyEvent, ...]) -> tuple[str, ...]:
    """The types of events, and the kinds of attachments, that a delivery leads to."""
    kinds = {one.kind for event in events for one in getattr(event, "attachments", ())}
    return tuple(sorted({event.type for event in events})) + tuple(sorted(kinds))


def _another(value: Any) -> Any:
    """Another value in place of those that trials leave alone: False for True, and a later time."""
    if value is True:
        return False
    if isinstance(value, str) and (found := _TIME.match(value)):
        later = (int(found[2]) + 1) % 10
        return f"{found[1]}{later}{value[found.end(2) :]}"
    return None


def _is_alike(found: AnyEvent, event: Notice | Closed | Message) -> bool:
    """Whether an event says the same of the same consumer at another time, or with other details."""
    if type(found) is not type(event) or found == event:
        return False
    kinds = [[one.kind for one in getattr(e, "attachments", ())] for e in (found, event)]
    same = all(getattr(found, name, None) == getattr(event, name, None) for name in _SAID)
    return same and kinds[0] == kinds[1]
