"""Tests that what a delivery or a reply plainly names is used: persons, times, forwarding, taps, states of files."""

from collections.abc import Iterator
from typing import Any

from connectors.contract import Download
from connectors.recordings import Recording
from normalizer.events import AnyEvent, Message, Reaction

from .agreement import AgreementChecks
from .exchanges import exchanges
from .facts import moments
from .meaning import is_quote
from .paths import opened, shown
from .relations import RelationChecks
from .trials import Trial, leaves, parse, shape, trials, words_in

#: Names of objects and fields for the person who wrote, and of fields with an id.
_PERSONS = frozenset({"sender", "from", "user", "consumer", "customer", "source", "author"})
_IDS = frozenset({"id", "phone", "number", "address"})
#: Names of fields with the time of an event.
_TIMES = frozenset({"timestamp", "time", "date", "at"})
#: Further words in such names. Others are the times of something else: `start_time`, `expires_at`.
_OF_MESSAGES = frozenset({"sent", "send", "created", "create", "message", "event"})
#: Names of fields that come back when a button is tapped.
_PAYLOADS = frozenset({"payload", "postback", "callback", "data"})
#: Names of fields with what a button says.
_LABELS = (("text",), ("title",), ("label",))
#: What platforms call a file that cannot be fetched yet, or never.
_PREPARED = frozenset({"processing", "pending", "queued", "preparing"})
_LOST = frozenset({"failed", "expired", "deleted"})
_NOT_READY = _PREPARED | _LOST
_STATES = frozenset({"status", "state"})


class EvidenceChecks(AgreementChecks, RelationChecks):
    """Tests that what is plainly named is used."""

    def test_the_person_who_wrote_is_the_party(self, recording: Recording) -> None:
        before = self._only_message(recording)
        if before is None or before.party is None:
            return
        known = {before.party.id, *before.party.aliases, before.account}
        others = [trial for trial in self._without_trace(recording) if _is_person(trial)]
        used = any(
            _is_person(trial) and not is_quote(trial.path) and trial.is_seen
            for trial in trials(self.connector, recording)
        )
        for trial in others if not used else ():
            assert str(trial.value) in known, (
                f"the person at {shown(trial.path)} ({trial.value!r:.40}) reaches no event, and the party is"
                f" {before.party.id!r}; make it the party, or name {shape(trial.path)!r} in `unread` of the test class"
                " with the reason"
            )

    def test_the_time_of_a_message_is_read(self, recording: Recording) -> None:
        event = self._only_message(recording)
        if event is None or event.sent_at is not None:
            return
        for path, value in leaves(recording.content):
            words = words_in(str(path[-1])) if path else frozenset()
            named = bool(words & _TIMES) and words <= _TIMES | _OF_MESSAGES
            is_time = named and isinstance(value, str | int | float) and any(moments(value))
            assert not is_time or is_quote(path) or self.leaves_unread(path), (
                f"the message has no sent_at, but the delivery has the time {value!r:.40} at {shown(path)}; read it"
                f" with parse_timestamp, or name {shape(path)!r} in `unread` of the test class with the reason"
            )

    def test_an_answer_has_a_time_of_its_own(self, recording: Recording) -> None:
        """An answer or a tap comes later than the message to which it belongs, perhaps by days."""
        event = self._only_message(recording)
        if event is None or event.reply_to is None or event.sent_at is None:
            return
        found = [
            (trial.path[:-1], one)
            for trial in trials(self.connector, recording)
            for one in trial.events
            if isinstance(one, Message) and len(trial.events) == 1
        ]
        quoted = {at for at, one in found if one.reply_to != event.reply_to}
        own = {at for at, one in found if one.id != event.id}
        timed = {at for at, one in found if one.sent_at != event.sent_at}
        at = next(iter(timed), ())
        assert not timed or not timed <= quoted - own, (
            f"sent_at is the time at {shown(at)} of the message that is answered; use the answer's own time, or leave"
            " it out if there is none"
        )

    def test_forwarding_is_shown(self, recording: Recording) -> None:
        event = self._only_message(recording)
        if event is None or event.forwarded:
            return
        for path, value in leaves(recording.content):
            forwarded = any(_is_forward(part) for part in path) and value not in {False, None, ""}
            assert not forwarded or is_quote(path) or self.leaves_unread(path), (
                f"the delivery says at {shown(path)} that the message was forwarded; set Message.forwarded, or name"
                f" {shape(path)!r} in `unread` of the test class with the reason"
            )

    def test_a_reaction_shows_the_deliverys_emoji(self, recording: Recording) -> None:
        said = {str(value) for _, value in leaves(recording.content)}
        for event in parse(self.connector, recording):
            emoji = event.emoji if isinstance(event, Reaction) else None
            assert emoji is None or emoji in said or not emoji.isascii(), (
                f"the emoji of the reaction is {emoji!r}, which the delivery does not contain; a reaction that was"
                " taken back has the emoji None"
            )

    def test_a_tap_returns_its_payload(self, recording: Recording) -> None:
        event = self._only_message(recording)
        if event is None or event.choice is None or event.choice != event.text:
            return
        for path, value in leaves(recording.content):
            names = words_in(str(path[-1])) if path else frozenset()
            is_payload = bool(names & _PAYLOADS) and isinstance(value, str) and value
            assert not is_payload or value == event.text or self.leaves_unread(path), (
                f"the choice is the label {event.text!r:.40}, but the delivery has the payload {value!r:.40} at"
                f" {shown(path)}; put it into `choice`, because labels are translated and change"
            )

    def test_a_tap_shows_its_label(self, recording: Recording) -> None:
        event = self._only_message(recording)
        if event is None or event.choice is None or event.choice != event.text:
            return
        for path, value in leaves(recording.content):
            labels = [
                one
                for other, one in leaves(recording.content)
                if other[:-1] == path[:-1]
                and other[-1:] in _LABELS
                and isinstance(one, str)
                and one
            ]
            assert value != event.choice or not labels or event.text in labels, (
                f"the text is the payload {event.text!r:.40}, but the button says {labels[0]!r:.40}; put the label into"
                " `text`, because agents read it"
            )

    def test_a_file_is_fetched_only_when_it_is_ready(self) -> None:
        for exchange in exchanges(self.payloads):
            if not exchange.steps or not isinstance(self._run(exchange).result, Download):
                continue
            for path, value in leaves(exchange.steps[-1]["reply"].get("content")):
                state = path and words_in(str(path[-1])) & _STATES
                assert not state or not words_in(str(value)) & _NOT_READY, (
                    f"{exchange.name}: the reply says {value!r} at {shown(path)}, but the file is fetched; raise"
                    " Rejected, with retry if it will be ready later"
                )

    def test_a_file_that_is_being_prepared_is_asked_for_again(self) -> None:
        for exchange in exchanges(self.payloads):
            refused = self._run(exchange).refused if exchange.flow == "media" else None
            if refused is None or not exchange.steps:
                continue
            for path, value in leaves(exchange.steps[-1]["reply"].get("content")):
                state = (
                    words_in(str(value)) if path and words_in(str(path[-1])) & _STATES else set()
                )
                assert not state & _PREPARED or refused.retry, (
                    f"{exchange.name}: the reply says {value!r} at {shown(path)}, but {refused.reason} is not retried;"
                    ' raise Rejected("unreachable", retry=True, after=…)'
                )
                assert not state & _LOST or not refused.retry, (
                    f"{exchange.name}: the reply says {value!r} at {shown(path)}, but {refused.reason} is retried;"
                    ' raise Rejected("gone")'
                )

    def test_a_text_that_is_sent_again_succeeds(self) -> None:
        for exchange in exchanges(self.payloads):
            assert not exchange.again or exchange.refused is None, (
                f"{exchange.name}: the text arrived at the first attempt, but the second one is refused as"
                f" {(exchange.refused or {}).get('reason')!r}; return Sent for the platform's answer to a repeated key"
            )

    # helpers ----------------------------------------------------------------------------------------

    def _only_message(self, recording: Recording) -> Message | None:
        events = parse(self.connector, recording)
        only = events[0] if len(events) == 1 else None
        return only if isinstance(only, Message) else None

    def _without_trace(self, recording: Recording) -> Iterator[Trial]:
        """The values that change nothing, outside of quotes, and that the author does not leave out on purpose."""
        before: tuple[AnyEvent, ...] = parse(self.connector, recording)
        for trial in trials(self.connector, recording):
            unread = trial.events == before and not self.leaves_unread(trial.path)
            if unread and not is_quote(trial.path):
                yield trial


def _is_person(trial: Trial) -> bool:
    """Whether a value is the id of a person: `source.userId`, `from`, `sender.id`."""
    holders = words_in(*(part for part in trial.path[-2:] if isinstance(part, str)))
    last = words_in(trial.name)
    whole = bool(last & _PERSONS) and isinstance(opened(trial.value), str)
    return bool(holders & _PERSONS) and (bool(last & _IDS) or (whole and len(last) == 1))


def _is_forward(part: Any) -> bool:
    return isinstance(part, str) and bool({"forward", "forwarded"} & words_in(part))
