"""Tests of `parse`: it returns exactly the recorded events, every time, and never raises."""

import copy
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import orjson
import pytest

from connectors.contract import Delivery
from connectors.recordings import Recording
from normalizer.events import TRANSCRIPT_LINES, AnyEvent, Echo, Edit, Message, Unknown, dump, load

from .mutations import damaged
from .record import completed, mismatch
from .run_flow import first_call
from .subject import Subject, files

#: The number of damaged variants of each recording.
DAMAGES = 300

INVALID_CONTENTS: tuple[Any, ...] = (
    *(None, True, 5, 1.5, "text", "", [], [1], [None], {}, [[[[]]]]),
    *({"entry": 5}, {"": {}}, {"events": None}),
)


class ParsingChecks(Subject):
    """Tests of `parse`."""

    def test_parse_returns_the_recorded_events(self, recording: Recording) -> None:
        events = self.parsed(recording)
        found = orjson.loads(dump(events))
        recorded = orjson.loads(orjson.dumps(completed(recording.events, events)))
        if found != recorded:
            file = self.payloads / f"{recording.name}.json"
            pytest.fail(mismatch(file, {"events": found}, frozenset({"events"})))

    def test_parse_is_repeatable_and_leaves_its_input_unchanged(self, recording: Recording) -> None:
        before = copy.deepcopy(recording.content)
        again = type(self.connector)(self.connector.config)
        events = self.parsed(recording)
        assert self.parsed(recording) == events, (
            "the same delivery yields other events the second time; keep no state, and give events stable ids"
        )
        assert again.parse(recording.delivery(again)) == events, (
            "another instance yields other events; build ids from the delivery alone"
        )
        assert recording.content == before, "parse changed its input"

    def test_parse_gives_a_later_repeat_the_same_ids(self, recording: Recording) -> None:
        delivery = recording.delivery(self.connector)
        repeat = replace(delivery, received_at=delivery.received_at + timedelta(days=6))
        assert _keys(self.connector.parse(repeat)) == _keys(self.connector.parse(delivery)), (
            "a repeat that arrives later has other ids; do not build ids from received_at"
        )

    def test_events_survive_serialization_and_hold_no_secret(self, recording: Recording) -> None:
        events = self.parsed(recording)
        assert isinstance(events, list), f"parse returned {type(events).__name__} instead of a list"
        assert load(dump(events)) == events, (
            "the events differ after they were stored: a field has the wrong type; use read_each, which says which"
        )
        assert not self.leaks(dump(events).decode()), (
            "an event contains a secret; events and locators are stored: add credentials in media"
        )

    def test_every_event_has_an_id_of_its_own(self, recording: Recording) -> None:
        events = self.parsed(recording)
        assert all(event.id for event in events), (
            "an event has an empty id; use id_of or fingerprint"
        )
        assert len(set(_keys(events))) == len(events), (
            "two events of one delivery have the same id; add what distinguishes them"
        )
        for event in events:
            if not isinstance(event, Message):
                named = {getattr(event, "target", ""), getattr(event, "message_id", "")}
                named |= set(getattr(event, "message_ids", ()))
                assert event.id not in named, "the event has the id of a message; add a prefix"

    def test_no_two_recordings_share_an_id_for_different_facts(self) -> None:
        known: dict[str, tuple[str, AnyEvent]] = {}
        for recording in self.recorded:
            for event in self.parsed(recording):
                # An old message may come twice: without its file, and completed by it.
                if isinstance(event, Unknown) or getattr(event, "history", False):
                    continue
                name, first = known.setdefault(event.id, (recording.name, event))
                assert _essence(first) == _essence(event), (
                    f"{name} and {recording.name} have different facts with the same id: {event.id}"
                )

    def test_every_event_names_its_account_and_party(self, recording: Recording) -> None:
        for event in self.parsed(recording):
            if not isinstance(event, Unknown):
                assert event.account, (
                    f"the {event.type} names no account; take it from the settings"
                )
                assert event.party is None or event.party.id, f"the {event.type} has an empty party"
                ids = [event.party.id, *event.party.aliases] if event.party else []
                assert len(set(ids)) == len(ids), "an alias repeats the party's id or another alias"

    def test_texts_hold_no_placeholder_and_times_have_a_zone(self, recording: Recording) -> None:
        for event in self.parsed(recording):
            if isinstance(event, Message | Echo | Edit):
                assert event.text != "", "the text is empty; use None"
                assert event.text not in TRANSCRIPT_LINES.values(), (
                    f"the text is the placeholder {event.text}; Airlock writes it, so leave text None"
                )
            if event.sent_at is not None:
                assert event.sent_at.tzinfo is not None, (
                    "sent_at has no time zone; use parse_timestamp, or datetime with UTC"
                )

    def test_every_attachment_has_content_or_a_reason(self, recording: Recording) -> None:
        for event in self.parsed(recording):
            if isinstance(event, Message | Echo | Edit):
                for found in event.attachments:
                    content = found.media or found.details is not None or found.refused
                    assert content or found.kind == "unsupported", (
                        f"a {found.kind} without media, details and a reason"
                    )

    def test_parse_turns_damaged_entries_into_unknown_events(self, recording: Recording) -> None:
        random = Random(recording.name)  # noqa: S311 - the same damage every time
        texts = _texts(self.parsed(recording))
        for _ in range(DAMAGES):
            for event in self._parse_safely(self._damaged(recording, random)):
                if isinstance(event, Unknown):
                    assert event.reason, "an Unknown has no reason"
                    assert not any(text in event.reason for text in texts), (
                        "the reason quotes the text of a message"
                    )

    @pytest.mark.parametrize("content", INVALID_CONTENTS)
    def test_parse_turns_invalid_content_into_one_unknown_event(self, content: Any) -> None:
        recording = replace(self.recorded[0], content=content)
        events = self.parsed(recording)
        assert [event.type for event in events] == ["unknown"], (
            f"{content!r:.40} yields {[event.type for event in events]} instead of one Unknown; use open_each"
        )
        kept = getattr(events[0], "raw", None)
        assert content is None or kept is not None, (
            f"the Unknown does not keep the content {content!r:.40}; read the list with `entries`, inside open_each"
        )

    def test_parse_works_without_headers_and_query(self, recording: Recording) -> None:
        delivery = recording.delivery(self.connector)
        self._parse_safely(replace(delivery, headers={}, query={}))

    # helpers ----------------------------------------------------------------------------------------

    def _damaged(self, recording: Recording, random: Random) -> Delivery:
        content = damaged(recording.content, random)
        if self.connector.body == "form" and isinstance(content, dict):
            content = {name: str(value) for name, value in content.items()}  # a form has only text
        return replace(recording, content=content).delivery(self.connector)

    def _parse_safely(self, delivery: Delivery) -> list[AnyEvent]:
        events = self.connector.parse(delivery)
        assert isinstance(events, list), f"parse returned {type(events).__name__} instead of a list"
        load(dump(events))
        for ref, start in zip(files(events), self.media_flows(events), strict=True):
            found = first_call(start)
            assert not self.leaks(str(ref.locator)), "a locator contains a secret, and is stored"
            if found is not None:
                assert isinstance(found.url, str), (
                    f"the URL of a call is {found.url!r:.40}, not text"
                )
                assert all(
                    value.isascii() and value.isprintable() for value in found.headers.values()
                ), f"a header of the call to {found.url:.80} cannot be sent; check ids with id_of"
        return events


def _essence(event: AnyEvent) -> tuple[Any, ...]:
    """The fields that must be equal in all events with the same id."""
    names = ("account", "text", "attachments", "target", "status", "message_ids", "kind")
    party = event.party.id if event.party else None
    return (event.type, party, *(getattr(event, name, None) for name in names))


def _texts(events: list[AnyEvent]) -> set[str]:
    """The texts of messages that are long enough not to match by chance."""
    texts = (getattr(event, "text", None) for event in events)
    return {text for text in texts if text and len(text) >= 8}


def _keys(events: list[AnyEvent]) -> list[tuple[str, str]]:
    return [(event.type, event.id) for event in events]
