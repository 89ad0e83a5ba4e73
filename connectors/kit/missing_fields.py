"""Tests of missing fields. A field that a platform may omit may also be null, or blank in a form."""

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from connectors.contract import Call
from connectors.recordings import Recording
from normalizer.events import AnyEvent, Unknown

from .paths import Path, changed, fields, shown, without
from .run_flow import first_call
from .subject import Subject, files

#: The text that `str` makes of a missing value.
_NONE = "None"


class MissingFieldChecks(Subject):
    """Tests of `parse` for fields that are absent, null or blank."""

    def test_an_optional_field_may_also_be_null_or_blank(self, recording: Recording) -> None:
        for path in fields(recording.content):
            absent = self._parse(recording, without(recording.content, path))
            null = self._parse(recording, self._with_null(recording.content, path))
            assert _readable(null) >= _readable(absent), (
                f"{shown(path)} may be absent, but not null or blank: {_reasons(null)}; read its value with .get(),"
                " without a default, and do not test for it with `in`"
            )

    def test_no_id_is_built_from_a_null_field(self, recording: Recording) -> None:
        for path in fields(recording.content):
            for event in self._parse(recording, self._with_null(recording.content, path)):
                if not isinstance(event, Unknown):
                    party = event.party.id if event.party else ""
                    parts = [*event.id.split(":"), event.account, party]
                    assert _NONE not in parts, (
                        f"{shown(path)} is null, which yields the event id {event.id!r} and the party {party!r}: two"
                        " such events would count as duplicates; id_of rejects values that are not ids"
                    )

    def test_no_text_or_name_is_built_from_a_null_field(self, recording: Recording) -> None:
        for path in fields(recording.content):
            for event in self._parse(recording, self._with_null(recording.content, path)):
                said = (getattr(event, "text", None) or "", getattr(event, "choice", None) or "")
                name = event.party.name if event.party else None
                words = {word for one in (*said, name or "") for word in one.split()}
                assert isinstance(event, Unknown) or _NONE not in words, (
                    f"{shown(path)} is null, which yields {' '.join(sorted(words))!r:.60}; write raw.get(…) or None,"
                    " and join only the parts that are there"
                )

    def test_no_media_call_is_built_from_a_null_field(self, recording: Recording) -> None:
        for path in fields(recording.content):
            events = self._parse(recording, self._with_null(recording.content, path))
            for ref, start in zip(files(events), self.media_flows(events), strict=True):
                call = first_call(start)
                assert call is None or _NONE not in _parts(call), (
                    f"{shown(path)} is null, and the locator {dict(ref.locator)} leads to a media call; id_of rejects"
                    " values that are not ids, and an attachment with refused='gone' keeps the message"
                )

    # helpers ----------------------------------------------------------------------------------------

    def _parse(self, recording: Recording, content: Any) -> list[AnyEvent]:
        return self.parsed(replace(recording, content=content))

    def _with_null(self, content: Any, path: Path) -> Any:
        return changed(content, path, "" if self.connector.body == "form" else None)


def _readable(events: list[AnyEvent]) -> int:
    return sum(not isinstance(event, Unknown) for event in events)


def _reasons(events: list[AnyEvent]) -> str:
    return "; ".join(event.reason for event in events if isinstance(event, Unknown))


def _parts(call: Call) -> list[str]:
    """The parts of a call's URL, and its header values."""
    parts = urlsplit(call.url)
    query = [value for _, value in parse_qsl(parts.query)]
    return [*parts.path.split("/"), *query, *call.headers.values()]
