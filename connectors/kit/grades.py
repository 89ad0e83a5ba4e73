"""How far a connector is beyond correct: bronze, silver, gold, platinum, each with what is missing for it.

bronze     every promise of the kit is kept
silver     recordings show all that the chart offers and say where they are from; a README explains
gold       recorded exchanges show files, texts, health and refusals
platinum   real recordings, strict types, and a test against the platform itself that runs regularly
"""

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import ClassVar, Literal, get_args

from connectors.capabilities import Feature
from connectors.contract import API, Connector
from normalizer.events import Message

from .exchanges import ANSWERED, Exchange, exchanges
from .features import VISIBLE, shown
from .purity import sources
from .subject import Subject
from .types import untyped

Grade = Literal["bronze", "silver", "gold", "platinum"]
GRADES: tuple[Grade, ...] = get_args(Grade)

#: How the note of a real recording begins.
REAL = "recorded"
#: What the note of a recording says whose consumer really sent an empty message.
SAYS_NOTHING = "says nothing"
_NUMBER = re.compile(r"\d[\d,]*\d|\d")


class GradeChecks(Subject):
    """What an author claims, and what shows it."""

    grade: ClassVar[Grade] = "bronze"
    readme: ClassVar[Path | None] = None
    live: ClassVar[str] = ""

    def test_the_connector_reaches_the_grade_it_claims(self) -> None:
        claimed = GRADES[: GRADES.index(self.grade) + 1]
        missing = [reason for grade in claimed for reason in self.missing(grade)]
        assert not missing, f"for {self.grade}: " + "; ".join(missing)

    def reached(self) -> Grade:
        """The highest grade for which nothing is missing, provided that every promise is kept."""
        for lower, higher in pairwise(GRADES):
            if self.missing(higher):
                return lower
        return GRADES[-1]

    def missing(self, grade: Grade) -> list[str]:
        """What stands between this connector and a grade, once it has the one below."""
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
                f"recording {recording.name} shows a message that says nothing. What did its consumer send? Give"
                f" it a text or an attachment (`unsupported` at least), or write “{SAYS_NOTHING}” into its note"
            )


def _missing_notes_on_limits(subject: GradeChecks) -> Iterator[str]:
    can = subject.connector.capabilities
    for feature in sorted(can.features):
        if can.support(feature) == "limited" and not can.notes.get(feature):
            yield f"no note says what limits {feature}"


def _missing_notes_on_origin(subject: GradeChecks) -> Iterator[str]:
    for recording in subject.recorded:
        if not recording.note.strip():
            yield f"recording {recording.name} has no note on where it is from"


def _missing_settings(subject: GradeChecks) -> Iterator[str]:
    readme = subject.readme or _readme_above(subject.payloads)
    if readme is None or not readme.is_file():
        yield "there is no README.md above the recordings; set `readme` if it is elsewhere"
        return
    text = readme.read_text("utf-8")
    for name, field in subject.connector.Config.model_fields.items():
        if name in _COMMON_SETTINGS:
            continue
        if f"`{name}`" not in text:
            yield f"{readme.name} does not explain the setting `{name}`"
        if not field.description:
            yield f"the setting {name} has no description"


def _missing_text_limits(subject: GradeChecks) -> Iterator[str]:
    readme, can = subject.readme or _readme_above(subject.payloads), subject.connector.capabilities
    text = readme.read_text("utf-8") if readme is not None and readme.is_file() else ""
    if can.max_text and not {str(can.max_text), f"{can.max_text:,}"} & set(_NUMBER.findall(text)):
        yield f"the README does not say that a text has at most {can.max_text} characters"
    if can.reply_window and f"{can.reply_window / 3600:g} hours" not in text:
        yield f"the README does not say that one may answer for {can.reply_window / 3600:g} hours"


def _missing_api(subject: GradeChecks) -> Iterator[str]:
    own = [kind for kind in type(subject.connector).__mro__ if issubclass(kind, Connector)][:-1]
    at_home = all(kind.__module__.startswith("connectors.") for kind in own)
    if not at_home and not any("api" in vars(kind) for kind in own):
        yield f"the class does not say for which contract it is made: api = {API}"


def _readme_above(folder: Path) -> Path | None:
    return next((at / "README.md" for at in folder.parents if (at / "README.md").is_file()), None)


#: What an exchange has to show for a feature that the chart offers: its flow, and what is missing without it.
_SHOWN_BY: tuple[tuple[Feature, str, str], ...] = (
    ("photo", "media", "how a file is found"),
    ("video", "media", "how a file is found"),
    ("mark_read", "mark_read", "a message marked as read"),
    ("send_typing", "send_typing", "how typing is shown"),
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
        yield "no exchange shows the account's name from `check`"
    for method in ANSWERED:
        own = getattr(type(subject.connector), method) is not getattr(Connector, method)
        if own and not any(one.flow == method for one in recorded):
            yield f"no exchange shows what `{method}` gives"
    yield from _missing_refusals(recorded)


def _missing_texts(
    subject: GradeChecks, recorded: list[Exchange], flows: set[str]
) -> Iterator[str]:
    if subject.connector.capabilities.support("send_text") == "no":
        yield "it sends no texts"
    elif "send_text" not in flows:
        yield "no exchange shows a text that is sent"
    elif subject.connector.resend_is_safe and not any(one.again for one in recorded):
        yield "no exchange shows that a text which is sent `again` arrives once, as resend_is_safe says"


def _missing_refusals(recorded: list[Exchange]) -> Iterator[str]:
    refused = [one.refused for one in recorded if one.refused is not None]
    if not any(one.get("retry") for one in refused):
        yield "no exchange shows a refusal that passes: one with `refused`, and `retry` in it"
    if not any(not one.get("retry") for one in refused):
        yield "no exchange shows a refusal that is final: one with `refused`, and no `retry`"
    if not any(one.get("operator") for one in refused):
        yield "no exchange shows refused credentials: one with `refused`, and `operator` in it"


def _missing_real_recordings(subject: GradeChecks) -> Iterator[str]:
    real = [one for one in subject.recorded if one.note.lower().startswith(REAL)]
    if not real:
        yield f"no recording is real (a note that begins with “{REAL}”, and says when and how)"


def _missing_live_test(subject: GradeChecks) -> Iterator[str]:
    if not subject.live:
        yield "no regular test against the platform itself (`live` says where its results are)"


def _missing_annotations(subject: GradeChecks) -> Iterator[str]:
    yield from untyped(sources(type(subject.connector)))


#: Settings that every connector has, and that the documentation of Airlock explains.
_COMMON_SETTINGS = frozenset({"type", "api_url", "photos", "videos", "signature"})

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
    "platinum": (_missing_real_recordings, _missing_annotations, _missing_live_test),
}
