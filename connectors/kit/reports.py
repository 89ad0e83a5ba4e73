"""Tests of what platforms are informed of: outcomes, erasures, closings."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from connectors.capabilities import Feature
from connectors.contract import Call

from .run_flow import Start, first_call
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
