"""Tests of who, when and what: people, times, ids and types of events, compared with the delivery itself.

Platforms name their fields in English, and these names are evidence: a consumer is not the `recipient` of their own
message, and an entry called `deleted` is not a new message.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from connectors.recordings import Recording
from normalizer.events import AnyEvent, Attachment, Echo, Message, Reaction, Receipt, Unknown

from .exchanges import exchanges
from .meaning import MeaningChecks
from .paths import shown
from .trials import Trial, leaves, parse, parse_with, shape, text_of, trials, words_in

_SENDERS = frozenset(
    {"from", "sender", "author", "source", "user", "customer", "consumer", "visitor", "client"}
)
_RECIPIENTS = frozenset({"to", "recipient", "destination", "receiver"})
_IDS = frozenset({"id", "mid", "sid", "uuid", "guid"})
_MESSAGES = frozenset({"message", "msg", "mid"})
#: Words in the names or the types of an entry, and the events that it cannot be.
_CONTRADICTIONS: tuple[tuple[frozenset[str], tuple[str, ...]], ...] = (
    (
        frozenset({"deleted", "delete", "unsend", "unsent", "revoke", "revoked"}),
        ("message", "edit"),
    ),
    (frozenset({"edit", "edited"}), ("message", "deletion")),
    (frozenset({"echo", "echoes", "outbound", "outgoing"}), ("message", "reaction")),
    (frozenset({"typing", "composing"}), ("message", "echo", "receipt")),
)
#: What platforms call the states of a text, and what they are.
_STATES: Mapping[str, str] = {
    **dict.fromkeys(("delivered", "delivery"), "delivered"),
    **dict.fromkeys(("read", "seen", "displayed"), "read"),
    **dict.fromkeys(("failed", "undelivered", "rejected", "undeliverable"), "failed"),
    **dict.fromkeys(("sent", "queued", "accepted", "submitted"), "sent"),
}
#: Kinds of attachments that a file of a family cannot be.
_NEVER: Mapping[str, frozenset[str]] = {
    "image": frozenset({"video", "audio", "contact"}),
    "video": frozenset({"photo", "audio", "contact"}),
    "audio": frozenset({"photo", "video", "contact", "sticker"}),
}
_ISO = re.compile(r"\d{4}-\d\d-\d\d")
#: Units of timestamps since 1970, as seconds.
_UNITS = (1, 1e-3, 1e-6, 1e-9)
_EARLIEST, _LATEST = 946_684_800, 4_102_444_800  # the years 2000 to 2100
_SLACK = timedelta(milliseconds=1.5)
#: What platforms call a reaction that is not there any more.
_TAKEN_BACK = frozenset({"unreact", "unreacted", "removed", "remove"})


class FactChecks(MeaningChecks):
    """Tests that events tell the facts of the delivery."""

    def test_an_account_is_never_also_a_consumer(self) -> None:
        accounts, people = self._sides()
        both = sorted(accounts.keys() & people.keys())
        assert not both, (
            f"{both[0]!r} is the account in {accounts[both[0]]} and the consumer in {people[both[0]]}; `account` is"
            " always the business, `party` always the consumer, also for echoes and receipts"
        )
        settings = _settings(self.connector.config)
        own = sorted(settings.keys() & people.keys())
        assert not own, (
            f"the consumer {own[0]!r} in {people[own[0]]} is our own setting {settings[own[0]]}; exchange account"
            " and party"
        )

    def test_texts_go_from_accounts_to_consumers(self) -> None:
        accounts, people = self._sides()
        for exchange in exchanges(self.payloads):
            to, account = exchange.given.get("to"), exchange.given.get("account")
            assert to not in accounts.keys() - people.keys(), (
                f"{exchange.name} sends to {to!r}, which is an account in {accounts.get(to)}; exchange account and"
                " party in parse"
            )
            assert account not in people.keys() - accounts.keys(), (
                f"{exchange.name} sends for {account!r}, who is a consumer in {people.get(account)}; exchange"
                " account and party in parse"
            )

    def test_a_message_comes_from_its_sender(self, recording: Recording) -> None:
        for event in parse(self.connector, recording):
            if isinstance(event, Message | Echo):
                ours = isinstance(event, Echo)
                sender, recipient = event.party.id, event.account
                if ours:
                    sender, recipient = recipient, sender
                fault = _wrong_way(recording.content, sender, recipient)
                assert fault is None, (
                    f"the {event.type} is from {sender!r} to {recipient!r}, but {fault}; exchange account and"
                    " party, and return an Echo for what the business wrote"
                )

    def test_a_time_is_one_of_the_deliverys_times(self, recording: Recording) -> None:
        known = [one for _, value in leaves(recording.content) for one in moments(value)]
        for event in parse(self.connector, recording):
            for name in ("sent_at", "watermark"):
                at = getattr(event, name, None)
                assert at is None or any(abs(at - one) < _SLACK for one in known), (
                    f"{name} of the {event.type} is {at.isoformat()}, but the delivery does not name this time"
                    f"{_nearest(at, known)}; check the unit and the zone (parse_timestamp reads seconds and"
                    " milliseconds), keep fractions, and leave it out if the platform sends none"
                )

        for trial in trials(self.connector, recording):
            edited = {"edit", "edited"} & words_in(trial.name) and list(moments(trial.value))
            unread = edited and trial.events == parse(self.connector, recording)
            assert not unread or self.leaves_unread(trial.path), (
                f"the time of the edit at {shown(trial.path)} reaches no event; use it as sent_at of the Edit"
            )

    def test_a_time_with_another_zone_is_another_time(self, recording: Recording) -> None:
        for path, value in leaves(recording.content):
            if not (isinstance(value, str) and _ISO.match(value)):
                continue
            moved = re.sub(r"(Z|[+-]\d\d:?\d\d)$", "+05:30", value)
            if moved == value or not list(moments(moved)):
                continue
            before = [one.sent_at for one in parse(self.connector, recording)]
            if not any(one in before for one in moments(value)):
                continue
            after = [one.sent_at for one in parse_with(self.connector, recording, path, moved)]
            assert None in after or any(one in after for one in moments(moved)), (
                f"{shown(path)} is {moved!r}, but sent_at is {after[0]}; read the offset of the time"
            )

    def test_an_id_does_not_depend_on_what_was_written(self, recording: Recording) -> None:
        before = _message_ids(parse(self.connector, recording))
        if len(before) != 1:
            return  # each entry may have an id of its own form
        influence = {
            trial.path: trial
            for trial in trials(self.connector, recording)
            if _message_ids(trial.events) != before and _readable(trial.events)
        }
        for trial in influence.values():
            written = any(
                isinstance(one, Message) and trial.fresh == one.text for one in trial.events
            )
            alone = [one for one in influence.values() if one.path != trial.path]
            named = any(str(one.value) in id for one in alone for id in before)
            others = {shape(one.path) for one in alone}
            assert not written or (not named and len(others) > 1), (
                f"the id of the message changes with {shown(trial.path)}, what was written; use the platform's id,"
                " or the fingerprint of the whole entry if it has none"
            )

    def test_the_platforms_id_of_a_message_is_read(self, recording: Recording) -> None:
        before = parse(self.connector, recording)
        if len(before) != 1 or isinstance(before[0], Unknown):
            return
        named = [one for one in trials(self.connector, recording) if _is_message_id(one)]
        if all(trial.events == before for trial in named):
            for trial in named:
                known = str(trial.value) in str(before) or self.leaves_unread(trial.path)
                assert known, (
                    f"the message id at {shown(trial.path)} reaches no event; use it as the event's id or target,"
                    f" or name {shape(trial.path)!r} in `unread` of the test class with the reason"
                )

    def test_what_an_event_points_to_is_in_the_delivery(self, recording: Recording) -> None:
        values = [str(value) for _, value in leaves(recording.content) if value not in {None, ""}]
        for event in parse(self.connector, recording):
            if isinstance(event, Receipt):
                assert event.message_ids or event.watermark or event.key, (
                    "the receipt names no message; fill message_ids, watermark or key"
                )
            for target in _targets(event):
                found = any(value in target or target in value for value in values)
                assert found, f"the {event.type} is about {target!r}, which is not in the delivery"

    def test_an_event_agrees_with_its_name(self, recording: Recording) -> None:
        events = parse(self.connector, recording)
        if len(events) != 1:
            return
        (event,), said = events, _said(self, recording)
        for words, never in _CONTRADICTIONS:
            found = sorted(words & said)
            known = self.connector.capabilities.notes.get("echo", "") if "echo" in words else ""
            assert not found or event.type not in never or known, (
                f"the delivery says {found[0]!r}, but it becomes a {event.type}; return the event that it is, or a"
                " Notice"
            )

    def test_a_reaction_that_was_removed_has_no_emoji(self, recording: Recording) -> None:
        before = [one for one in parse(self.connector, recording) if isinstance(one, Reaction)]
        for trial in trials(self.connector, recording) if before else ():
            if str(trial.value).lower() in _TAKEN_BACK:
                kept = {event.id for event in trial.events}
                for event in before:
                    changed = event.id not in kept or len(before) == len(trial.events) == 1
                    assert not changed or event.emoji is None, (
                        f"{shown(trial.path)} is {trial.value!r}, but the reaction has the emoji {event.emoji}; set"
                        " None for a reaction that was removed"
                    )

    def test_a_receipt_has_the_state_that_is_reported(self, recording: Recording) -> None:
        before = [one for one in parse(self.connector, recording) if isinstance(one, Receipt)]
        for trial in trials(self.connector, recording) if before else ():
            state = _STATES.get(str(trial.value).lower())
            kept = {event.id for event in trial.events if isinstance(event, Receipt)}
            changed = [event for event in before if event.id not in kept]
            for event in changed if state else ():
                assert event.status == state, (
                    f"{shown(trial.path)} is {trial.value!r}, but the receipt says {event.status}; correct the table"
                    " of statuses"
                )

    def test_a_failure_shows_the_platforms_code(self, recording: Recording) -> None:
        events = parse(self.connector, recording)
        for event in events if len(events) == 1 else ():
            if isinstance(event, Receipt) and event.status == "failed" and event.code is None:
                codes = [path for path, value in leaves(recording.content) if _is_code(path, value)]
                assert not codes, (
                    f"the receipt of a failure does not tell the code at {shown(codes[0])}; failure_from returns"
                    " reason, code and detail"
                )

    def test_a_file_has_the_kind_of_its_type(self, recording: Recording) -> None:
        for event in parse(self.connector, recording):
            for found in getattr(event, "attachments", ()):
                family = _family(found)
                assert found.kind not in _NEVER.get(family, ()), (
                    f"a file of type {found.media.media_type} is a {found.kind}; use kind_of, or correct the table"
                )

    def test_a_location_is_where_the_delivery_says(self, recording: Recording) -> None:
        degrees = {
            name: [value for path, value in leaves(recording.content) if _is_degrees(path, name)]
            for name in ("latitude", "longitude")
        }
        for event in parse(self.connector, recording):
            for found in getattr(event, "attachments", ()):
                for name, values in degrees.items():
                    given = (found.details or {}).get(name) if found.kind == "location" else None
                    assert (
                        given is None or not values or any(_same(given, one) for one in values)
                    ), (
                        f"the {name} of the location is {given}, but the delivery says {values[0]}; exchange"
                        " latitude and longitude"
                    )

    # helpers ----------------------------------------------------------------------------------------

    def _sides(self) -> tuple[dict[str, str], dict[str, str]]:
        """The accounts and the consumers in all recordings, each with a recording that shows it."""
        accounts: dict[str, str] = {}
        people: dict[str, str] = {}
        for recording in self.recorded:
            for event in parse(self.connector, recording):
                if isinstance(event, Unknown):
                    continue
                accounts.setdefault(event.account, recording.name)
                if event.party is not None:
                    for id in (event.party.id, *event.party.aliases):
                        people.setdefault(id, recording.name)
        return accounts, people


def moments(value: Any) -> Iterator[datetime]:
    """The times that a value of a delivery may denote: in any unit since 1970, or as a date in words."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return
    try:
        number = float(value)
    except ValueError:
        yield from _dates(str(value))
        return
    for unit in _UNITS:
        if _EARLIEST <= number * unit <= _LATEST:
            yield datetime.fromtimestamp(number * unit, UTC)


def _dates(text: str) -> Iterator[datetime]:
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            found = read(text.strip())
        except (ValueError, TypeError):
            continue
        yield found if found.tzinfo else found.replace(tzinfo=UTC)


def _nearest(given: datetime, known: list[datetime]) -> str:
    if not known:
        return ""
    return f" ({min(known, key=lambda one: abs(given - one)).isoformat()} is)"


def _settings(config: Any) -> dict[str, str]:
    """The plain texts among the settings, with their names."""
    found: dict[str, str] = {}
    for name in type(config).model_fields:
        value = getattr(config, name)
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, str) and name not in {"type", "signature"} and one:
                found[one] = name
    return found


def _wrong_way(content: Any, sender: str, recipient: str) -> str | None:
    """What in the delivery says that the message went the other way, None if nothing does."""
    of_sender = [path for path, value in leaves(content) if str(value) == sender]
    of_recipient = [path for path, value in leaves(content) if str(value) == recipient]
    if not of_sender or not of_recipient:
        return None
    called = [_roles(path) for path in of_sender]
    others = [_roles(path) for path in of_recipient]
    as_recipient = next((p for p in of_sender if _roles(p) == "recipient"), None)
    if "sender" not in called and as_recipient and "sender" in others and "recipient" not in others:
        return f"{shown(as_recipient)} says that {sender!r} received it"
    return None


def _roles(path: tuple[str | int, ...]) -> str:
    words = words_in(*(part for part in path[-3:] if isinstance(part, str)))
    is_sender, is_recipient = bool(words & _SENDERS), bool(words & _RECIPIENTS)
    return "sender" if is_sender and not is_recipient else "recipient" if is_recipient else ""


def _message_ids(events: tuple[AnyEvent, ...]) -> list[str]:
    return [event.id for event in events if isinstance(event, Message)]


def _readable(events: tuple[AnyEvent, ...]) -> bool:
    return not any(isinstance(event, Unknown) for event in events)


def _targets(event: AnyEvent) -> list[str]:
    single = [getattr(event, name, None) for name in ("target", "message_id", "reply_to")]
    return [*filter(None, single), *getattr(event, "message_ids", ())]


def _said(subject: FactChecks, recording: Recording) -> frozenset[str]:
    """The words in the names and the types of an entry, without what people wrote."""
    said: set[str] = set()
    for trial in trials(subject.connector, recording):
        said |= type_words(trial)
    for path, value in leaves(recording.content):
        if value is True:
            said |= words_in(str(path[-1]))
        elif value not in {None, "", False}:
            said |= words_in(*(part for part in path[:-1] if isinstance(part, str)))
    return frozenset(said)


def type_words(trial: Trial) -> frozenset[str]:
    is_word = isinstance(trial.value, str) and len(trial.value) < 40 and " " not in trial.value
    written = any(trial.fresh in text_of(event) for event in trial.events if is_word)
    return words_in(trial.value) if is_word and not written else frozenset()


def _is_message_id(trial: Trial) -> bool:
    words = words_in(trial.name)
    return bool(words & _IDS) and bool(words & _MESSAGES)


def _family(found: Attachment) -> str:
    media_type = found.media.media_type if found.media else None
    return (media_type or "").lower().partition("/")[0]


def _is_code(path: tuple[str | int, ...], value: Any) -> bool:
    name = str(path[-1]).lower().replace("_", "") if path else ""
    return name in {"code", "errorcode", "errcode"} and value not in {None, "", 0, "0"}


def _is_degrees(path: tuple[str | int, ...], name: str) -> bool:
    field = str(path[-1]).lower() if path else ""
    return field.startswith("lat" if name == "latitude" else ("lon", "lng"))


def _same(one: Any, other: Any) -> bool:
    try:
        return abs(float(one) - float(other)) < 1e-9
    except (TypeError, ValueError):
        return str(one) == str(other)
