"""Grades for connectors, and what is missing for each grade.

bronze     all tests of the kit pass
silver     recordings show every feature that the capabilities offer and state their origin; a README documents
gold       recorded exchanges show files, texts, the health check and refusals
platinum   recorded refusals show the platform's codes; `proof` is declared; recordings of real traffic, strict types,
           and a regular test against the platform itself
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import ClassVar, Literal, get_args
from urllib.parse import urlsplit

from connectors.capabilities import Feature
from connectors.contract import API, Connector, ConnectorConfig
from normalizer.events import Message

from .exchanges import ANSWERED, Exchange, exchanges
from .features import VISIBLE, shown
from .purity import sources
from .refusals import refusals
from .subject import Subject
from .types import untyped

Grade = Literal["bronze", "silver", "gold", "platinum"]
GRADES: tuple[Grade, ...] = get_args(Grade)

#: The first word in the note of a real recording.
REAL = "recorded"
#: In the note of a recording: the consumer really sent an empty message.
SAYS_NOTHING = "says nothing"
_DAY = re.compile(r"\b\d{4}-\d\d-\d\d\b")
_NUMBER = re.compile(r"\d[\d,]*\d|\d")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one rule of a grade: `reasons` are what is missing, `exempt` what the author exempts, and why."""

    rule: str
    reasons: tuple[str, ...] = ()
    exempt: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Passed, failed or exempt: a line for each thing that there is to say."""
        said = [f"failed  {self.rule}: {reason}" for reason in self.reasons]
        said += [f"exempt  {self.rule}: {reason}" for reason in self.exempt]
        return said or [f"passed  {self.rule}"]


class GradeChecks(Subject):
    """Test that a connector has the grade its author claims."""

    grade: ClassVar[Grade] = "bronze"
    readme: ClassVar[Path | None] = None
    live: ClassVar[str] = ""
    unrecorded: ClassVar[Mapping[Feature, str]] = {}

    def test_the_connector_reaches_the_grade_it_claims(self) -> None:
        claimed = GRADES[: GRADES.index(self.grade) + 1]
        missing = [reason for grade in claimed for reason in self.missing(grade)]
        assert not missing, f"for {self.grade}: " + "; ".join(missing)

    def reached(self) -> Grade:
        """The highest grade for which nothing is missing, assuming that all tests pass."""
        for lower, higher in pairwise(GRADES):
            if self.missing(higher):
                return lower
        return GRADES[-1]

    def missing(self, grade: Grade) -> list[str]:
        """What this connector lacks for a grade, assuming that it has the grade below."""
        return [reason for outcome in self.outcomes(grade) for reason in outcome.reasons]

    def outcomes(self, grade: Grade) -> list[Outcome]:
        """Every rule of a grade, and whether it is kept."""
        if grade == GRADES[0]:
            exempt = (f"{name}: {reason}" for name, reason in self.exempt.items())
            return [Outcome("every test of the kit passes", exempt=tuple(exempt))]
        return [
            Outcome(rule, tuple(find(self)), self._exempt_from(find))
            for rule, find in CRITERIA[grade].items()
        ]

    def _exempt_from(self, find: "Criterion") -> tuple[str, ...]:
        if find is not _missing_limited_features:
            return ()
        return tuple(
            f"{feature}: {reason}" for feature, reason in self.unrecorded.items() if reason
        )


def _missing_features(subject: GradeChecks) -> Iterator[str]:
    can = subject.connector.capabilities
    seen = {one for recording in subject.recorded for one in shown(subject.parsed(recording))}
    for feature in sorted(VISIBLE - seen):
        if can.support(feature) == "yes":
            yield f"no recording shows {feature}, which the chart offers"


def _missing_limited_features(subject: GradeChecks) -> Iterator[str]:
    can = subject.connector.capabilities
    seen = {one for recording in subject.recorded for one in shown(subject.parsed(recording))}
    for feature in sorted(VISIBLE - seen):
        if can.support(feature) == "limited" and not subject.unrecorded.get(feature, "").strip():
            yield (
                f"no recording shows {feature}, which the chart offers as limited; record it, or say why not in"
                " `unrecorded` of the test class"
            )


def _empty_messages(subject: GradeChecks) -> Iterator[str]:
    for recording in subject.recorded:
        messages = [event for event in subject.parsed(recording) if isinstance(event, Message)]
        empty = [one for one in messages if not (one.text or one.attachments or one.choice)]
        if empty and SAYS_NOTHING not in recording.note:
            yield (
                f"recording {recording.name} has a message without text, attachment or choice. Give it what the"
                f" consumer sent (at least an `unsupported` attachment), or add “{SAYS_NOTHING}” to the note"
            )


def _missing_notes_on_limits(subject: GradeChecks) -> Iterator[str]:
    can = subject.connector.capabilities
    for feature in sorted(can.features):
        if can.support(feature) == "limited" and not can.notes.get(feature):
            yield f"no note states the limits of {feature}"


def _missing_notes_on_origin(subject: GradeChecks) -> Iterator[str]:
    for recording in subject.recorded:
        if not recording.note.strip():
            yield f"recording {recording.name} has no note on its origin"


def _missing_settings(subject: GradeChecks) -> Iterator[str]:
    readme = subject.readme or _readme_above(subject.payloads)
    if readme is None or not readme.is_file():
        yield "README.md is missing above the recordings; set `readme` if it is elsewhere"
        return
    text = readme.read_text("utf-8")
    for name, field in subject.connector.Config.model_fields.items():
        if name in _COMMON_SETTINGS:
            continue
        if f"`{name}`" not in text:
            yield f"{readme.name} does not document the setting `{name}`"
        if not field.description:
            yield f"the setting {name} has no description"


def _missing_text_limits(subject: GradeChecks) -> Iterator[str]:
    readme, can = subject.readme or _readme_above(subject.payloads), subject.connector.capabilities
    text = readme.read_text("utf-8") if readme is not None and readme.is_file() else ""
    if can.max_text and not {str(can.max_text), f"{can.max_text:,}"} & set(_NUMBER.findall(text)):
        yield f"the README does not state the limit of {can.max_text} characters per text"
    if can.reply_window and f"{can.reply_window / 3600:g} hours" not in text:
        yield f"the README does not state the reply window of {can.reply_window / 3600:g} hours"


def _missing_api(subject: GradeChecks) -> Iterator[str]:
    own = [kind for kind in type(subject.connector).__mro__ if issubclass(kind, Connector)][:-1]
    at_home = all(kind.__module__.startswith("connectors.") for kind in own)
    if not at_home and not any("api" in vars(kind) for kind in own):
        yield f"the class does not declare its contract version: api = {API}"


def _readme_above(folder: Path) -> Path | None:
    return next((at / "README.md" for at in folder.parents if (at / "README.md").is_file()), None)


#: For each feature that the capabilities may offer: the flow that an exchange must show, and a description.
_SHOWN_BY: tuple[tuple[Feature, str, str], ...] = (
    ("photo", "media", "a file that is found"),
    ("video", "media", "a file that is found"),
    ("mark_read", "mark_read", "a message marked as read"),
    ("send_typing", "send_typing", "a typing indicator"),
    ("outcome", "tell_outcome", "the outcome of an attachment"),
    ("forget", "forget", "an erased conversation"),
    ("send_close", "tell_closed", "a closed conversation"),
)


def _missing_exchanges(subject: GradeChecks) -> Iterator[str]:
    can, recorded = subject.connector.capabilities, exchanges(subject.payloads)
    flows = {one.flow for one in recorded if one.refused is None}
    yield from _missing_texts(subject, recorded, flows)
    missing = [
        what
        for feature, flow, what in _SHOWN_BY
        if can.support(feature) != "no" and flow not in flows
    ]
    yield from (f"no exchange shows {what}" for what in dict.fromkeys(missing))
    if not any(one.flow == "check" and one.result for one in recorded):
        yield "no exchange shows `check` returning the account's name"
    for method in ANSWERED:
        own = getattr(type(subject.connector), method) is not getattr(Connector, method)
        if own and not any(one.flow == method for one in recorded):
            yield f"no exchange shows what `{method}` returns"


def _missing_texts(
    subject: GradeChecks, recorded: list[Exchange], flows: set[str]
) -> Iterator[str]:
    if subject.connector.capabilities.support("send_text") == "no":
        yield "the connector sends no texts"
    elif "send_text" not in flows:
        yield "no exchange shows a text that is sent"
    elif subject.connector.resend_is_safe and not any(one.again for one in recorded):
        yield "no exchange shows a text that is sent `again` and arrives once, as resend_is_safe declares"


def _missing_refusals(subject: GradeChecks, recorded: list[Exchange]) -> Iterator[str]:
    refused = [one.refused for one in recorded if one.refused is not None]
    refused += [one.refused for one in refusals(subject.payloads)]
    if not any(one.get("retry") for one in refused):
        yield "no exchange or refusal is temporary: `refused` with `retry`"
    if not any(not one.get("retry") for one in refused):
        yield "no exchange or refusal is permanent: `refused` without `retry`"
    if not any(one.get("operator") for one in refused):
        yield "no exchange or refusal shows refused credentials: `refused` with `operator`"


def _missing_kinds_of_refusals(subject: GradeChecks) -> Iterator[str]:
    yield from _missing_refusals(subject, exchanges(subject.payloads))


def _missing_codes(subject: GradeChecks) -> Iterator[str]:
    for one in exchanges(subject.payloads):
        reply = one.refused_reply()
        code = subject.connector.refusal(reply).code if reply is not None else None
        if code is not None and "code" not in (one.refused or {}):
            yield f'exchange {one.name} does not show the platform\'s code: add "code": "{code}" to `refused`'


def _missing_real_recordings(subject: GradeChecks) -> Iterator[str]:
    real = [one for one in subject.recorded if one.note.lower().startswith(REAL)]
    if not real:
        yield f"no recording of real traffic: one whose note begins with “{REAL}” and says when and how"
    for one in real:
        if not _has_date(one.note):
            yield f"the note of {one.name} has no date on which it was recorded, such as 2026-11-22"


def _has_date(note: str) -> bool:
    """Whether a note names a day that has been."""
    for found in _DAY.findall(note):
        try:
            if date(2000, 1, 1) <= date.fromisoformat(found) <= datetime.now(UTC).date():
                return True
        except ValueError:
            continue
    return False


def _missing_live_test(subject: GradeChecks) -> Iterator[str]:
    address = urlsplit(subject.live)
    if address.scheme != "https" or "." not in (address.hostname or ""):
        yield "no regular test against the platform itself: `live` must be the https address of its results"


def _missing_proof(subject: GradeChecks) -> Iterator[str]:
    connector = subject.connector
    if connector.covers != {"caller"} and subject.signature_header not in connector.proof:
        yield f"`proof` does not say what {subject.signature_header} looks like, so that anybody's bodies are read"


def _missing_annotations(subject: GradeChecks) -> Iterator[str]:
    yield from untyped(sources(type(subject.connector)))


#: The settings that every connector has. Airlock's own documentation describes them.
_COMMON_SETTINGS = frozenset(ConnectorConfig.model_fields)

Criterion = Callable[[GradeChecks], Iterator[str]]

#: The rules of each grade, in words, and what finds out whether they are kept.
CRITERIA: Mapping[Grade, Mapping[str, Criterion]] = {
    "bronze": {},
    "silver": {
        "recordings show every feature that the chart offers": _missing_features,
        "recordings show limited features, or the tests say why not": _missing_limited_features,
        "no recording has an empty message": _empty_messages,
        "notes state the limits of limited features": _missing_notes_on_limits,
        "each recording has a note on its origin": _missing_notes_on_origin,
        "the README explains every setting": _missing_settings,
        "the README states the limits of texts": _missing_text_limits,
        "the class declares `api`": _missing_api,
    },
    "gold": {
        "exchanges show what the connector does": _missing_exchanges,
        "refusals are temporary, permanent, and for an operator": _missing_kinds_of_refusals,
    },
    "platinum": {
        "exchanges show the platform's codes": _missing_codes,
        "`proof` is declared": _missing_proof,
        "recordings of real traffic, with a date": _missing_real_recordings,
        "the code is fully annotated": _missing_annotations,
        "a regular test against the platform": _missing_live_test,
    },
}
