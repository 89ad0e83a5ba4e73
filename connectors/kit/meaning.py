"""Tests of what events say: no word is lost or changed, and nothing unknown is swallowed.

They change the recordings and compare, so they also find a mistake that was recorded as if it were right.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from connectors.recordings import Recording
from normalizer.events import AnyEvent, Echo, Message, Notice, Receipt, Unknown, dump

from .paths import Path, lists, shown
from .subject import Subject
from .trials import (
    NO_TYPE,
    WORD,
    WORDS,
    Trial,
    is_blank,
    leaves,
    parse,
    parse_with,
    shape,
    text_of,
    trials,
    words_in,
)

#: Texts that careless trimming, cutting, decoding or normalization would change.
TEXTS = (
    "0",
    "👩\u200d🔧",
    "two\nlines\n\nand a gap",
    "e\u0301 is not é, \u212b is not Å",
    "<b>1 &lt; 2</b> &amp; %41 \\n {x} *y* _z_ @all #1",
    "ﷺ \u05e9\u05dc\u05d5\u05dd \u200f\u05d0\u200e 日本語 🇪🇺",
    "UPPER lower  two blanks",
    "long " * 900 + "end",
)
#: What trimming would change, and names of fields with a whole text.
_BLANKS = "  indented\n    and more  "
_WHOLE = frozenset({"text", "body"})
#: Names of fields that hold what a person says.
_SAID = frozenset({"text", "body", "caption", "title", "description", "label"})
#: Names of fields that say what a tap on a button means to a machine.
_CHOSEN = frozenset({"payload", "callback_data", "callbackdata", "postback_data", "postbackdata"})
#: Names of fields that say what a file is.
_CLAIMS = frozenset({"sha256", "mime_type", "mimetype", "filename", "file_name"})
#: Names of fields that are true only if something is different.
_FLAGS = frozenset(
    {
        *("voice", "forwarded", "frequently_forwarded", "is_forwarded", "ptt"),
        *("is_deleted", "deleted", "edited", "is_edited"),
    }
)
#: Names of fields that hold a person's name.
_NAMED = frozenset(
    {"name", "firstname", "first_name", "displayname", "display_name", "profilename"}
)
_PEOPLE = frozenset(
    {"from", "sender", "author", "profile", "user", "customer", "consumer", "contact"}
)
_QUOTES = frozenset({"replied", "quoted", "quote", "context"})
_IDS = frozenset({"id", "mid", "sid", "uuid", "guid"})
#: The longest name of a type.
_LONGEST_TYPE = 60

#: The exemption for fields that a connector leaves unread on purpose.
UNREAD = "unread"


class MeaningChecks(Subject):
    """Tests that events say what the delivery says."""

    def test_an_unknown_type_is_never_swallowed(self, recording: Recording) -> None:
        before = parse(self.connector, recording)
        for trial in trials(self.connector, recording):
            if not _may_be_a_type(trial.value):
                continue
            after = parse_with(self.connector, recording, trial.path, NO_TYPE)
            fault = _swallowed(before, after)
            assert fault is None, (
                f"{shown(trial.path)} is {NO_TYPE!r} instead of {trial.value!r}, and {fault}; raise Unreadable for a"
                " type that you do not know, or show an `unsupported` attachment"
            )

    def test_a_text_arrives_as_it_was_written(self, recording: Recording) -> None:
        for trial in self._texts(recording):
            # Of a title or a label, which is a part of a text, blanks may be removed.
            whole = (_BLANKS,) if trial.name.lower() in _WHOLE else ()
            for text in (*TEXTS, *whole):
                events = parse_with(self.connector, recording, trial.path, text)
                assert any(text in text_of(event) for event in events), (
                    f"{shown(trial.path)} is {text[:60]!r}, but the text of the event is"
                    f" {[text_of(event)[:60] for event in events]}; pass on what was written as it is"
                )

    def test_what_a_person_says_reaches_an_event(self, recording: Recording) -> None:
        """`extra` is for machines: agents do not read it."""
        before = parse(self.connector, recording)
        if any(isinstance(event, Unknown | Notice) for event in before):
            return
        dumped = _for_people(before)
        for trial in trials(self.connector, recording):
            said = trial.name.lower() in _SAID and not is_quote(trial.path)
            if not said or not isinstance(trial.value, str) or self.leaves_unread(trial.path):
                continue
            unread = any(isinstance(event, Unknown | Notice) for event in trial.events)
            shown_after = str(trial.fresh) in _for_people(trial.events)
            assert trial.value in dumped or shown_after or unread, (
                f"nothing of {shown(trial.path)} ({trial.value!r:.60}) is shown by an event; put it into `text`, or"
                f" name {shape(trial.path)!r} in `unread` of the test class with the reason"
            )

    def test_what_a_tap_means_reaches_an_event(self, recording: Recording) -> None:
        for trial in self._unread(recording):
            assert trial.name.lower() not in _CHOSEN, (
                f"nothing of {shown(trial.path)} ({trial.value!r:.60}) reaches an event; put it into `choice`, or name"
                f" {shape(trial.path)!r} in `unread` of the test class with the reason"
            )

    def test_what_a_file_claims_is_passed_on(self, recording: Recording) -> None:
        (event, *others) = parse(self.connector, recording) or (None,)
        has_file = not others and any(one.media for one in getattr(event, "attachments", ()))
        for trial in self._unread(recording) if has_file else ():
            assert trial.name.lower() not in _CLAIMS, (
                f"{shown(trial.path)} reaches no event; put it into MediaRef, or name {shape(trial.path)!r} in"
                " `unread` of the test class with the reason"
            )

    def test_a_flag_that_is_set_makes_a_difference(self, recording: Recording) -> None:
        before = parse(self.connector, recording)
        if all(isinstance(event, Unknown) for event in before):
            return
        for path, value in leaves(recording.content):
            name = str(path[-1]).lower() if path else ""
            if value is True and name in _FLAGS and not self.leaves_unread(path):
                after = parse_with(self.connector, recording, path, False)
                assert after != before, (
                    f"{shown(path)} is true, which changes nothing; read it, or name {shape(path)!r} in `unread` of"
                    " the test class with the reason"
                )

    def test_every_element_of_a_list_is_read(self, recording: Recording) -> None:
        """What is read of the first element is read of the others."""
        before = parse(self.connector, recording)
        if len(before) != 1 or isinstance(before[0], Unknown):
            return
        all_trials = trials(self.connector, recording)
        dumped = dump(list(before)).decode()
        for path, entries in lists(recording.content):
            inside = [_inside(all_trials, (*path, at)) for at in range(len(entries))]
            seen = [any(one.is_seen for one in found) for found in inside]
            for at, found in enumerate(inside):
                alike = _are_alike(entries[at], entries[0])
                # An id may be made from the whole list, so a value that is not in a list of values counts alone.
                same = isinstance(entries[at], dict) and all(one.events == before for one in found)
                lost = not isinstance(entries[at], dict | list) and not any(map(_is_seen, found))
                unread = alike and found and (same or lost)
                known = any(
                    str(one.value) in dumped or self.leaves_unread(one.path) for one in found
                )
                assert not (seen[0] and unread) or known, (
                    f"{shown((*path, at))} reaches no event, but {shown((*path, 0))} does; read every element of the"
                    f" list, or name {shape(path)!r} in `unread` of the test class with the reason"
                )

    def test_a_persons_name_reaches_an_event(self, recording: Recording) -> None:
        people = [event.party for event in parse(self.connector, recording) if event.party]
        for trial in self._unread(recording) if not any(one.name for one in people) else ():
            is_name = (
                trial.name.lower() in _NAMED and trial.words & _PEOPLE and not is_quote(trial.path)
            )
            assert not is_name, (
                f"the name at {shown(trial.path)} ({trial.value!r:.60}) reaches no event; put it into Party.name, or"
                f" name {shape(trial.path)!r} in `unread` of the test class with the reason"
            )

    def test_a_quoted_message_is_named(self, recording: Recording) -> None:
        for trial in self._unread(recording):
            is_named = words_of_name(trial) & _IDS
            assert not (is_quote(trial.path) and is_named), (
                f"the message quoted at {shown(trial.path)} is named by no event; put its id into `reply_to`, or"
                f" name {shape(trial.path)!r} in `unread` of the test class with the reason"
            )

    # helpers ----------------------------------------------------------------------------------------

    def leaves_unread(self, path: Path) -> bool:
        """Whether the author says why a field, or all below an object, is not read."""
        given = shape(path)
        return any(
            given == one
            or given.startswith(f"{one}/")
            or ("*" in one and (fnmatchcase(given, one) or fnmatchcase(given, f"{one}/*")))
            for one in self.unread
        )

    def _texts(self, recording: Recording) -> Iterator[Trial]:
        """The values that an event shows as they are, on lines of their own."""
        for trial in trials(self.connector, recording):
            marked = trial.fresh in {WORD, WORDS}
            if marked and any(trial.fresh in text_of(event).split("\n") for event in trial.events):
                yield trial

    def _unread(self, recording: Recording) -> Iterator[Trial]:
        """Texts that change nothing, and that no event contains."""
        before = parse(self.connector, recording)
        if all(isinstance(event, Unknown) for event in before):
            return
        dumped = dump(list(before)).decode()
        for trial in trials(self.connector, recording):
            lost = isinstance(trial.value, str) and trial.events == before
            if lost and trial.value not in dumped and not self.leaves_unread(trial.path):
                yield trial


def _are_alike(one: Any, other: Any) -> bool:
    """Whether two entries of a list are of one kind, so that none of them is damaged."""
    if isinstance(one, dict) and isinstance(other, dict):
        return bool(one.keys() & other.keys())
    return type(one) is type(other)


def is_quote(path: Path) -> bool:
    """Whether a field belongs to the message that another one answers. A `list_reply` does not."""
    names = [words_in(part) for part in path if isinstance(part, str)]
    return any(words & _QUOTES or {"reply", "to"} <= words for words in names)


def _for_people(events: tuple[AnyEvent, ...]) -> str:
    """What events say, without their data for machines."""
    said = [replace(e, extra=None) if isinstance(e, Message | Echo) else e for e in events]
    return dump(said).decode()


def _is_seen(trial: Trial) -> bool:
    return trial.is_seen


def _inside(found: tuple[Trial, ...], path: Path) -> list[Trial]:
    return [trial for trial in found if trial.path[: len(path)] == path]


def _may_be_a_type(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST_TYPE and any(map(str.isalpha, value))


def words_of_name(trial: Trial) -> frozenset[str]:
    return Trial((trial.name,), None, None, ()).words


def _swallowed(before: tuple[AnyEvent, ...], after: tuple[AnyEvent, ...]) -> str | None:
    """What is lost after one value has become an unknown type; None if something shows it."""
    if before and not after:
        return "no event comes of it"
    known = {event.id: event for event in before}
    blank = [event for event in after if is_blank(event)]
    if len(blank) > sum(map(is_blank, before)):
        return f"the {blank[0].type} says nothing"
    for event in after:
        earlier = known.get(event.id)
        if isinstance(event, Message) and isinstance(earlier, Message):
            lost = len(earlier.attachments) - len(event.attachments)
            if lost > 0 and not text_gained(earlier, event):
                return "an attachment vanishes"
    invented = _statuses(after) - _statuses(before)
    return f"the status becomes {next(iter(invented))}" if invented else None


def _statuses(events: tuple[AnyEvent, ...]) -> Counter[str]:
    return Counter(event.status for event in events if isinstance(event, Receipt))


def text_gained(earlier: Any, event: Any) -> bool:
    return len(text_of(event)) > len(text_of(earlier))
