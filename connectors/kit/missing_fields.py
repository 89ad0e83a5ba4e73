"""Promises about what is not there: platforms leave fields out, and the same ones come as null, or blank in a form."""

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from connectors.contract import Call
from connectors.recordings import Recording
from normalizer.events import AnyEvent, Unknown

from .paths import Path, changed, fields, shown, without
from .run_flow import first_call
from .subject import Subject, files

#: How `str` writes what is not there.
_NONE = "None"


class MissingFieldChecks(Subject):
    """What `parse` promises about fields that are absent, null or blank."""

    def test_an_optional_field_may_also_be_null_or_blank(self, recording: Recording) -> None:
        for path in fields(recording.content):
            absent = self._parse(recording, without(recording.content, path))
            null = self._parse(recording, self._with_null(recording.content, path))
            assert _readable(null) >= _readable(absent), (
                f"{shown(path)} may be absent, but not null or blank: {_reasons(null)}; ask for its value with"
                " .get(), and not with `in` or a default whether it is there"
            )

    def test_no_id_is_built_from_a_null_field(self, recording: Recording) -> None:
        for path in fields(recording.content):
            for event in self._parse(recording, self._with_null(recording.content, path)):
                if not isinstance(event, Unknown):
                    party = event.party.id if event.party else ""
                    parts = [*event.id.split(":"), event.account, party]
                    assert _NONE not in parts, (
                        f"{shown(path)} is null, and {event.id!r} is an id of {party!r}: two such events"
                        " would be taken for one; id_of refuses what is no id"
                    )

    def test_no_media_call_is_built_from_a_null_field(self, recording: Recording) -> None:
        for path in fields(recording.content):
            events = self._parse(recording, self._with_null(recording.content, path))
            for ref, start in zip(files(events), self.media_flows(events), strict=True):
                call = first_call(start)
                assert call is None or _NONE not in _parts(call), (
                    f"{shown(path)} is null, and a file is asked for with the locator {dict(ref.locator)};"
                    " id_of refuses what is no id, and refused='gone' keeps the message"
                )

    # how it is done -------------------------------------------------------------------------------

    def _parse(self, recording: Recording, content: Any) -> list[AnyEvent]:
        return self.parsed(replace(recording, content=content))

    def _with_null(self, content: Any, path: Path) -> Any:
        return changed(content, path, "" if self.connector.body == "form" else None)


def _readable(events: list[AnyEvent]) -> int:
    return sum(not isinstance(event, Unknown) for event in events)


def _reasons(events: list[AnyEvent]) -> str:
    return "; ".join(event.reason for event in events if isinstance(event, Unknown))


def _parts(call: Call) -> list[str]:
    """What an address and its headers are put together from."""
    parts = urlsplit(call.url)
    query = [value for _, value in parse_qsl(parts.query)]
    return [*parts.path.split("/"), *query, *call.headers.values()]
