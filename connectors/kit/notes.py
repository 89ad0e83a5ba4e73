"""Tests that what a recording fails to show is meant: the note says it, in words that the author writes.

A recording made with a mistake in looks like any other. But who records a photo knows that it should be read.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from connectors.contract import Reply
from connectors.recordings import Recording
from normalizer.events import AnyEvent, Receipt, Unknown

from .exchanges import ANSWERED, exchanges
from .notation import reply_of
from .paths import Path, shown
from .refusals import refusals
from .replies import ReplyChecks, reply_leaves
from .trials import leaves, parse, words_in

#: What a note says of a recording that is not read, or not shown.
CANNOT_BE_READ = "cannot be read"
CANNOT_BE_SHOWN = "cannot be shown"
NO_EVENT = "no event"
#: What a note says of an exchange whose end differs from the status of its last reply.
IS_REFUSED = "is refused"
IS_A_SUCCESS = "is a success"
NO_NAME = "no name"
UNKNOWN = "unknown"

#: Names of fields of a reply that are empty if all went well.
_ERRORS = frozenset(
    {
        *("error", "errors", "error_code", "errorcode", "error_message", "errormessage"),
        *("failure", "failure_reason", "fail_reason"),
    }
)
#: The reasons of refusals for which a file can be named.
_REASONS = frozenset(
    {
        *("blocked", "invalid", "misconfigured", "not_in_control", "opted_out"),
        *("quota_used_up", "rate_limited"),
        *("suspended", "temporary", "unauthorized", "undeliverable", "window_closed"),
    }
)


def _is_unreadable(events: tuple[AnyEvent, ...]) -> bool:
    return any(isinstance(event, Unknown) for event in events)


def _is_unsupported(events: tuple[AnyEvent, ...]) -> bool:
    found = [one for event in events for one in getattr(event, "attachments", ())]
    return any(one.kind == "unsupported" for one in found)


#: What may become of a recording, by the words that its note must then have, and what else to do about it.
_ENDS: Mapping[str, tuple[Callable[[tuple[AnyEvent, ...]], bool], str, str]] = {
    CANNOT_BE_READ: (
        _is_unreadable,
        "something in it becomes an Unknown",
        "read it; raise Unreadable only for what Airlock cannot use",
    ),
    CANNOT_BE_SHOWN: (
        _is_unsupported,
        "something in it becomes an `unsupported` attachment",
        "read it, if Airlock has a kind for it",
    ),
    NO_EVENT: (lambda events: not events, "nothing comes of it", "return an event for it"),
}


class NoteChecks(ReplyChecks):
    """Tests that recordings end as their notes say."""

    def test_a_recording_that_is_not_read_or_shown_says_so(self, recording: Recording) -> None:
        events, note = parse(self.connector, recording), recording.note.lower()
        for words, (happens, what, remedy) in _ENDS.items():
            reasons = ", ".join(event.reason for event in events if isinstance(event, Unknown))
            why = f" ({reasons})" if reasons and words == CANNOT_BE_READ else ""
            assert not happens(events) or words in note, (
                f"{what}{why}; {remedy}. If it is meant to be so, add “{words}” to the note"
            )
            assert happens(events) or words not in note, (
                f"the note says “{words}”, but it becomes {', '.join(e.type for e in events) or 'nothing'}; refuse"
                " to read what Airlock cannot use (raise Unreadable), or correct the note"
            )

    def test_an_exchange_ends_as_its_replies_or_its_note_say(self) -> None:
        for exchange in exchanges(self.payloads):
            if exchange.flow in ANSWERED or not exchange.steps or exchange.download is not None:
                continue
            driven, last = self._run(exchange), exchange.reply(len(exchange.steps) - 1)
            note = exchange.note.lower()
            assert driven.refused is None or last.status >= 300 or IS_REFUSED in note, (
                f"{exchange.name}: the platform replies with {last.status}, but {exchange.flow} is refused as"
                f" {driven.refused.reason}; read the reply. If it is meant to be so, add “{IS_REFUSED}” to the note"
            )
            kind = driven.refused is None and last.status >= 400 and not exchange.again
            assert not kind or IS_A_SUCCESS in note, (
                f"{exchange.name}: the platform replies with {last.status}, but {exchange.flow} succeeds; raise"
                f" self.refusal(reply). If it is meant to be so, add “{IS_A_SUCCESS}” to the note"
            )
            named = next(_errors(last.content), None) if driven.refused is None else None
            assert named is None or exchange.again or IS_A_SUCCESS in note, (
                f"{exchange.name}: the reply has an error at {shown(named or ())}, but {exchange.flow} succeeds; raise"
                f" self.refusal(reply). If it is meant to be so, add “{IS_A_SUCCESS}” to the note"
            )

    def test_a_name_in_a_profile_is_returned(self) -> None:
        for exchange in exchanges(self.payloads):
            driven = self._run(exchange)
            found = driven.refused or driven.result
            if exchange.flow != "profile" or found or NO_NAME in exchange.note.lower():
                continue
            for _, path, value in reply_leaves(exchange):
                named = words_in(str(path[-1])) & {"name", "username", "nickname"}
                assert not named or not isinstance(value, str) or not value.strip(), (
                    f"{exchange.name}: profile returns no name, but the reply has {value!r:.40} at {shown(path)};"
                    f" return it. If it is meant to be so, add “{NO_NAME}” to the note"
                )

    def test_an_unknown_reason_is_meant(self) -> None:
        """A code that was left out of the table looks like one that nobody knows."""
        for name, note, reply in self._refused():
            refusal = self.connector.refusal(reply)
            meant = UNKNOWN in f"{name} {note}".lower()
            assert refusal.reason != UNKNOWN or refusal.code is None or meant, (
                f"{name}: the code {refusal.code} is in no table, so its reason is unknown; add it to the table. If"
                f" the platform does not say what it means, write “{UNKNOWN}” into the note"
            )
        for recording in self.recorded:
            meant = UNKNOWN in f"{recording.name} {recording.note}".lower()
            for event in parse(self.connector, recording):
                if isinstance(event, Receipt) and event.status == "failed" and event.code:
                    assert event.reason not in {UNKNOWN, None} or meant, (
                        f"{recording.name}: the code {event.code} of the failure is in no table; add it to the table."
                        f" If the platform does not say what it means, write “{UNKNOWN}” into the note"
                    )

    def test_a_file_of_refusals_is_named_for_their_reason(self) -> None:
        for recorded in refusals(self.payloads):
            named = next((one for one in _REASONS if recorded.name.startswith(one)), None)
            for raw in recorded.replies if named else ():
                refusal = self.connector.refusal(reply_of(raw, raw["purpose"]))
                sent = raw["purpose"] in {"send", "check"}
                assert not sent or refusal.reason == named, (
                    f"{recorded.name} has a reply that means {refusal.reason}: {raw.get('content')!r:.80}; correct the"
                    " table of codes, or name the file for the reason"
                )

    # helpers ----------------------------------------------------------------------------------------

    def _refused(self) -> Iterator[tuple[str, str, Reply]]:
        """Each recorded reply that is refused, with the name and the note of its file."""
        for recorded in refusals(self.payloads):
            for raw in recorded.replies:
                yield recorded.name, recorded.note, reply_of(raw, raw["purpose"])
        for exchange in exchanges(self.payloads):
            reply = exchange.refused_reply()
            if reply is not None:
                yield exchange.name, exchange.note, reply


def _errors(content: Any) -> Iterator[Path]:
    """Where a reply names an error: zero and an empty value mean that there is none."""
    for path, value in leaves(content):
        named = any(str(part).lower() in _ERRORS for part in path)
        if named and value not in {None, "", "0", 0}:
            yield path
