"""Tests that reasons agree with the platform's words, and that a code means the same wherever it comes."""

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from connectors.contract import Connector, Reply
from connectors.errors import Rejected
from connectors.recordings import Recording
from connectors.tools.refusals import Verdict
from normalizer.events import Receipt

from .replies import ReplyChecks
from .state import own_sources
from .trials import leaves, parse, parse_with, trials

_WINDOW = (
    r"24[ -]?hours?|re-?engagement|outside (of )?(the |this )?(\w+ ){0,2}window|"
    r"window (is |has |was )?(closed|expired|over)"
)
#: What platforms say of texts that they refuse, and the reasons that agree with it.
_MEANINGS: tuple[tuple[re.Pattern[str], frozenset[str]], ...] = tuple(
    (re.compile(words, re.IGNORECASE), frozenset(reasons))
    for words, reasons in (
        (_WINDOW, ("window_closed",)),
        (
            r"opted.?out|unsubscribed|has blocked|(was|been|is) blocked by",
            ("opted_out", "blocked", "undeliverable"),
        ),
    )
)
#: What only a person can resolve, or time.
_OPERATOR = re.compile(
    r"(daily|monthly) limit|quota (is |has been |was )?used up|(low|no) balance|out of credit|"
    r"insufficient (funds|balance|credit)|billing|payment|(account|app|shop) (is |has been |was )?(suspended|disabled)",
    re.IGNORECASE,
)
#: Reasons that no repetition changes, and reasons that only a repetition resolves.
_LASTING = frozenset(
    {"blocked", "invalid", "not_in_control", "opted_out", "undeliverable", "window_closed"}
)
_PASSING = frozenset({"rate_limited", "temporary"})
#: Codes that are tried in one receipt.
_TRIED = 12


class WordingChecks(ReplyChecks):
    """Tests that what the platform says of a failure is what the connector says of it."""

    def test_a_refused_text_has_the_reason_that_its_words_give(self) -> None:
        for reply in self._replies():
            refusal, said = self.connector.refusal(reply), _sentences(reply.content)
            if reply.purpose != "send" or refusal.reason == "unknown":
                continue
            fault = _disagreement(refusal.reason, said)
            assert fault is None, (
                f"the platform says {said[:80]!r}, but the reason is {refusal.reason} and not {fault}; correct the"
                " table of codes"
            )

    def test_a_reason_agrees_with_its_retry(self) -> None:
        """The consumer can open a window again, and we cannot: the same text is refused the next time, too."""
        found: dict[str, Verdict | Rejected] = {
            f"the verdict {verdict!r}": verdict for verdict in _verdicts(self.connector)
        }
        for reply in self._replies():
            if reply.purpose == "send":
                found[f"the reply {str(reply.content)[:80]}"] = self.connector.refusal(reply)
        for where, one in found.items():
            assert not one.retry or one.reason not in _LASTING, (
                f"{where} has the reason {one.reason} and is retried, which helps only against rate_limited,"
                " temporary and lost files; leave `retry` out"
            )
            assert one.retry or one.operator or one.reason not in _PASSING, (
                f"{where} has the reason {one.reason}, but is not retried, so the text is lost; set `retry`"
            )

    def test_a_refused_text_is_not_a_lost_file(self) -> None:
        for status in (400, 403, 404, 410):
            refusal = self.connector.refusal(Reply(status, {}, None, b"", "send"))
            assert refusal.reason not in {"gone", "expired"}, (
                f"HTTP {status} for a text means {refusal.reason}, which is a reason for files; look at reply.purpose"
            )

    def test_what_only_a_person_can_resolve_calls_an_operator(self) -> None:
        for reply in self._replies():
            refusal, said = self.connector.refusal(reply), _sentences(reply.content)
            known = refusal.operator or _limits_the_rate(refusal, said)
            assert known or not _OPERATOR.search(said), (
                f"the platform says {said[:80]!r}, but {refusal.reason} calls no operator, and nobody learns of it;"
                " set `operator` in the table of codes"
            )

    def test_a_failed_text_has_the_reason_that_its_words_give(self, recording: Recording) -> None:
        events = parse(self.connector, recording)
        for event in events if len(events) == 1 else ():
            if not isinstance(event, Receipt) or event.status != "failed":
                continue
            said = f"{event.detail or ''} {_sentences(recording.content)}"
            fault = _disagreement(event.reason or "unknown", said)
            assert event.reason == "unknown" or fault is None, (
                f"the delivery says {said.strip()[:80]!r}, but the reason of the failure is {event.reason} and not"
                f" {fault}; use the table of codes of refusal (failure_from)"
            )

    def test_a_code_means_the_same_in_a_receipt_and_in_a_reply(self, recording: Recording) -> None:
        events = parse(self.connector, recording)
        event = events[0] if len(events) == 1 else None
        if not isinstance(event, Receipt) or event.code is None:
            return
        for trial in trials(self.connector, recording):
            if str(trial.value) != event.code:
                continue
            for code, reason in self._known_codes(like=trial.value):
                for found in parse_with(self.connector, recording, trial.path, code):
                    shown = isinstance(found, Receipt) and found.code == str(code)
                    assert not shown or found.reason == reason, (  # type: ignore[union-attr]  # a receipt
                        f"the code {code} means {reason} in the reply to a text, but"
                        f" {getattr(found, 'reason', '')} in a receipt; use one table for refusal and for failure_from"
                    )

    # helpers ----------------------------------------------------------------------------------------

    def _known_codes(self, like: Any) -> Iterator[tuple[Any, str]]:
        """The codes of recorded refusals of texts that have the form of another code, with their reasons."""
        known: Mapping[Any, str] = {
            refusal.code: refusal.reason
            for reply in self._replies()
            if reply.purpose == "send" and (refusal := self.connector.refusal(reply)).code
        }
        numeric = str(like).isdecimal()
        fitting = [code for code in known if str(code).isdecimal() == numeric]
        for code in fitting[:_TRIED]:
            yield (int(code) if isinstance(like, int) else code), known[code]


def _sentences(content: Any) -> str:
    return " ".join(
        str(value) for _, value in leaves(content) if isinstance(value, str) and " " in value
    )


def _disagreement(reason: str, said: str) -> str | None:
    for words, reasons in _MEANINGS:
        if words.search(said) and reason not in reasons:
            return " or ".join(sorted(reasons))
    return None


def _limits_the_rate(refusal: Rejected, said: str) -> bool:
    per = re.search(r"per (second|minute|hour)|rate", said, re.IGNORECASE)
    return refusal.retry and per is not None


def _verdicts(connector: Connector[Any]) -> Iterator[Verdict]:
    """Every verdict in the variables and tables of a connector's own modules."""
    files = own_sources(type(connector))
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if file is not None and Path(file) in files:
            for value in list(vars(module).values()):
                inside = value.values() if isinstance(value, Mapping) else (value,)
                yield from (one for one in inside if isinstance(one, Verdict))
