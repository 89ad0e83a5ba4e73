"""Circuit breaker for the conversation core: a core that is down is probed, and a core that is gone gets nothing.

A core may accept the events of some conversations and refuse those of others permanently. The refused ones must
neither make the core count as down again and again, nor be probed before the others.

`fetching.circuit_breaker` cannot serve here: it is asked before each call, while this circuit has to wake the lanes
that it parked. A shared class would need switches for the core's own rules (a lane that is refused does not count
as the core being down, Retry-After alone does not open the circuit, any success closes it, `hurry`), and would be
harder to read than both.
"""

import asyncio
from collections.abc import Callable

import structlog

from gateway.backoff import delay

from .answers import Answer

log = structlog.get_logger(__name__)

#: Consecutive refusals, over all lanes, after which the core counts as down and is only probed.
_DOWN_AFTER = 8
#: Minimum seconds between two probes while an event waits that the core has never refused.
_HURRIED_PROBE_AFTER = 0.5


class CoreCircuit:
    """Decides whether events may be sent to the core; a core that is down is probed by one event at a time.

    `on_change` is called when events may be sent again, either all of them or one.
    """

    def __init__(self, on_change: Callable[[], None]) -> None:
        self.state = "ok"
        self._on_change = on_change
        self._refusals = 0
        self._last_taken_at = 0.0
        self._probe_allowed = False
        self._probes = 0
        self._next_probe: asyncio.Handle | None = None
        #: When the next probe is due. uvloop's handle of an overdue call has no time of its own.
        self._next_probe_at = 0.0
        #: The core asked for no events before this time (Retry-After).
        self._not_before = 0.0
        self._hurried = False

    def admits(self) -> bool:
        """Whether an event may be sent now. If the core is down, that event is the probe."""
        if self.state == "ok":
            return True
        probe, self._probe_allowed = self._probe_allowed, False
        return probe

    def record_response(self, answer: Answer, refused_since: float | None = None) -> None:
        """Record the core's answer to an event that it has refused since `refused_since` (the loop's clock)."""
        if answer.verdict == "taken":
            self._last_taken_at = asyncio.get_running_loop().time()
            self.resume()
        elif answer.verdict == "gone":
            self._mark_gone()
        elif self.state == "down" or not self._is_specific_to_event(refused_since):
            self._refusals += 1
            if self._refusals >= _DOWN_AFTER and self.state != "gone":
                self._mark_down(answer.after)

    def hurry(self) -> None:
        """Probe soon: an event waits that the core has never refused and may accept."""
        self._hurried = True
        if self.state == "down" and self._next_probe is not None:
            self._schedule_probe(self._next_probe_at)

    def release_probe(self) -> None:
        """Let another event be sent in place of an admitted one that is not sent."""
        self._probe_allowed = self.state == "down"
        self._on_change()

    def resume(self) -> None:
        """Close the circuit: events may be sent again."""
        if self.state == "ok":
            self._refusals = 0
            return
        self._refusals, self._probes, self.state = 0, 0, "ok"
        self._on_change()

    def _is_specific_to_event(self, refused_since: float | None) -> bool:
        """Whether the core refuses only this event: it has accepted others since it first refused this one."""
        return refused_since is not None and refused_since < self._last_taken_at

    def _mark_gone(self) -> None:
        if self.state != "gone":
            log.error(
                "core_gone",
                remedy="the core answered 410: forwarding stopped, events are kept; "
                "correct core.url and restart, or retry from the failures list",
            )
        self.state = "gone"

    def _mark_down(self, after: float | None) -> None:
        if self.state == "ok":
            log.warning("core_down", refusals=self._refusals)
        self.state = "down"
        if self._next_probe is None:
            # One probe at a time: of the events that were in flight, only the first refusal schedules one.
            now = asyncio.get_running_loop().time()
            self._not_before = now + (after or 0.0)
            self._schedule_probe(now + (after or delay(self._probes + 1, base=0.5, ceiling=15.0)))

    def _schedule_probe(self, at: float) -> None:
        loop = asyncio.get_running_loop()
        if self._hurried:
            at = min(at, max(loop.time() + _HURRIED_PROBE_AFTER, self._not_before))
        if self._next_probe is not None:
            self._next_probe.cancel()
        self._next_probe, self._next_probe_at = loop.call_at(at, self._allow_probe), at

    def _allow_probe(self) -> None:
        self._next_probe, self._hurried = None, False
        self._probes += 1
        self._probe_allowed = self.state == "down"
        self._on_change()
