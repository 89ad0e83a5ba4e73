"""Tests of what platforms are informed of: outcomes, erasures, closings."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from connectors.capabilities import Feature
from connectors.contract import Call, Reply

from .run_flow import Start, drive, first_call
from .sending import SendingChecks
from .subject import OUTCOME, TEXT


class ReportChecks(SendingChecks):
    """Tests of `tell_outcome`, `forget` and `tell_closed`."""

    def test_a_report_names_its_consumer_or_message(self) -> None:
        for feature, start in self._offered():
            call = first_call(start)
            assert call is not None, f"{feature} is offered, but makes no call"
            assert any(word in repr(call) for word in (TEXT.to, OUTCOME.message_id)), (
                f"the call of {feature} names neither the consumer nor the message"
            )

    def test_a_report_is_the_same_on_every_attempt(self) -> None:
        for feature, start in self._offered():
            assert first_call(start) == first_call(start), f"{feature} makes another call each time"

    def test_an_outcome_says_what_became_of_the_file(self) -> None:
        if not self._offers("outcome"):
            return
        ready = self._outcome_call("ready", None)
        for state, reason in (("rejected", "malware"), ("failed", "gone")):
            call = self._outcome_call(state, reason)
            assert call is None or call != ready, f"the call does not say that a file is {state}"

    def test_an_outcome_names_its_attachment(self) -> None:
        if not self._offers("outcome"):
            return
        first = first_call(partial(self.connector.tell_outcome, OUTCOME))
        for name, other in (("position", 1), ("message_id", "message-2")):
            out = replace(OUTCOME, **{name: other})  # type: ignore[arg-type]  # each has the type of its field
            assert first_call(partial(self.connector.tell_outcome, out)) != first, (
                f"the call of tell_outcome is the same for another {name}; a message may have several files"
            )

    def test_a_report_about_somebody_unknown_succeeds(self) -> None:
        """A report may come twice, and the platform may have erased the consumer after the first one."""
        for feature, start in self._offered():
            driven = drive(self.connector, start, "send", _missing)
            assert driven.refused is None or feature == "send_close", (
                f"{feature} is refused if the platform answers 404, so Airlock repeats it for a week; add"
                " expects=frozenset({404}) to the call"
            )

    # helpers ----------------------------------------------------------------------------------------

    def _offers(self, feature: Feature) -> bool:
        return self.connector.capabilities.support(feature) != "no"

    def _offered(self) -> Iterator[tuple[Feature, Start]]:
        starts: tuple[tuple[Feature, Start], ...] = (
            ("outcome", partial(self.connector.tell_outcome, OUTCOME)),
            ("forget", partial(self.connector.forget, "", TEXT.to)),
            ("send_close", partial(self.connector.tell_closed, "", TEXT.to)),
        )
        yield from (one for one in starts if self._offers(one[0]))

    def _outcome_call(self, state: str, reason: str | None) -> Call | None:
        out = replace(OUTCOME, state=state, reason=reason)  # type: ignore[arg-type]  # one of the three
        return first_call(partial(self.connector.tell_outcome, out))


def _missing(call: Call, at: int) -> Reply:
    del call, at
    return Reply(404, {}, None)
