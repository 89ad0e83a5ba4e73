"""Grades for connectors, and what is missing for each grade.

bronze     all tests of the kit pass
silver     recordings show every feature that the capabilities offer and state their origin; a README documents
gold       recorded exchanges show files, texts, the health check and refusals
platinum   recorded refusals show the platform's codes; `proof` is declared; recordings of real traffic, strict types,
           and a regular test against the platform itself
"""

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import ClassVar, Literal, get_args

from connectors.capabilities import Feature
from connectors.contract import API, Connector, ConnectorConfig
from normalizer.events import Message

from .exchanges import ANSWERED, Exchange, exchanges
from .features import VISIBLE, shown
from .purity import sources
from .subject import Subject
from .types import untyped

Grade = Literal["bronze", "silver", "gold", "platinum"]
GRADES: tuple[Grade, ...] = get_args(Grade)

#: The first word in the note of a real recording.
REAL = "recorded"
#: In the note of a recording: the consumer really sent an empty message.
SAYS_NOTHING = "says nothing"
_NUMBER = re.compile(r"\d[\d,]*\d|\d")


class GradeChecks(Subject):
    """Test that a connector has the grade its author claims."""

    grade: ClassVar[Grade] = "bronze"
    readme: ClassVar[Path | None] = None
    live: ClassVar[str] = ""

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
        return [reason for find in CRITERIA[grade] for reason in find(self)]


def _missing_features(subject: GradeChecks) -> Iterator[str]:
    can = subject.connector.capabilities
    seen = {one for recording in subject.recorded for one in shown(subject.parsed(recording))}
    for feature in sorted(VISIBLE - seen):
        if can.support(feature) == "yes":
            yield f"no recording shows {feature}, which the chart offers"


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
    yield from _missing_refusals(recorded)


def _missing_texts(
    subject: GradeChecks, recorded: list[Exchange], flows: set[str]
) -> Iterator[str]:
    if subject.connector.capabilities.support("send_text") == "no":
        yield "the connector sends no texts"
    elif "send_text" not in flows:
        yield "no exchange shows a text that is sent"
    elif subject.connector.resend_is_safe and not any(one.again for one in recorded):
        yield "no exchange shows a text that is sent `again` and arrives once, as resend_is_safe declares"


def _missing_refusals(recorded: list[Exchange]) -> Iterator[str]:
    refused = [one.refused for one in recorded if one.refused is not None]
    if not any(one.get("retry") for one in refused):
        yield "no exchange shows a temporary refusal: `refused` with `retry`"
    if not any(not one.get("retry") for one in refused):
        yield "no exchange shows a permanent refusal: `refused` without `retry`"
    if not any(one.get("operator") for one in refused):
        yield "no exchange shows refused credentials: `refused` with `operator`"


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


def _missing_live_test(subject: GradeChecks) -> Iterator[str]:
    if not subject.live:
        yield "no regular test against the platform itself: `live` must say where its results are"


def _missing_proof(subject: GradeChecks) -> Iterator[str]:
    connector = subject.connector
    if connector.covers != {"caller"} and subject.signature_header not in connector.proof:
        yield f"`proof` does not say what {subject.signature_header} looks like, so that anybody's bodies are read"


def _missing_annotations(subject: GradeChecks) -> Iterator[str]:
    yield from untyped(sources(type(subject.connector)))


#: The settings that every connector has. Airlock's own documentation describes them.
_COMMON_SETTINGS = frozenset(ConnectorConfig.model_fields)

Criterion = Callable[[GradeChecks], Iterator[str]]

CRITERIA: Mapping[Grade, tuple[Criterion, ...]] = {
    "bronze": (),
    "silver": (
        _missing_features,
        _empty_messages,
        _missing_notes_on_limits,
        _missing_notes_on_origin,
        _missing_settings,
        _missing_text_limits,
        _missing_api,
    ),
    "gold": (_missing_exchanges,),
    "platinum": (
        _missing_codes,
        _missing_proof,
        _missing_real_recordings,
        _missing_annotations,
        _missing_live_test,
    ),
}
