"""Whether the conversation core takes events at all: one that is down is probed, one that is gone is left alone.

A core may take the events of some conversations and refuse those of others for ever. The refused ones must not
make it count as down again and again, nor stand before the others when it is probed.
"""

import asyncio
from collections.abc import Callable

import structlog

from gateway.backoff import delay

from .core_client import Answer

log = structlog.get_logger(__name__)

#: Refusals in a row, whatever the lane, after which the core counts as down and is only probed.
_DOWN_AFTER = 8
#: Seconds from one probe to the next at least when an event waits that the core has never refused.
_HURRIED_PROBE_AFTER = 0.5


class CoreCircuit:
    """Whether the core takes anything at all: one that is down is probed by one event at a time.

    `on_change` is called when events may be sent again, all or one.
    """

    def __init__(self, on_change: Callable[[], None]) -> None:
        self.state = "ok"
        self._on_change = on_change
        self._refusals = 0
        self._last_taken_at = 0.0
        self._probe_allowed = False
        self._probes = 0
        self._next_probe: asyncio.TimerHandle | None = None
        #: Before this moment the core wants nothing: it said so.
        self._not_before = 0.0
        self._hurried = False

    def admits(self) -> bool:
        """Whether an event may be sent now; of a core that is down, one that is then its probe."""
        if self.state == "ok":
            return True
        probe, self._probe_allowed = self._probe_allowed, False
        return probe

    def record_response(self, answer: Answer, refused_since: float | None = None) -> None:
        """What the core answered to an event that it has refused since then, by the loop's clock."""
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
        """An event waits that the core has never refused: it may be one of those that it takes."""
        self._hurried = True
        if self.state == "down" and self._next_probe is not None:
            self._schedule_probe(self._next_probe.when())

    def release_probe(self) -> None:
        """Whoever was let through sends nothing after all: somebody else may."""
        self._probe_allowed = self.state == "down"
        self._on_change()

    def resume(self) -> None:
        """Events may go out again."""
        if self.state == "ok":
            self._refusals = 0
            return
        self._refusals, self._probes, self.state = 0, 0, "ok"
        self._on_change()

    def _is_specific_to_event(self, refused_since: float | None) -> bool:
        """Whether a refusal is the event's own trouble: others were taken since it was refused first."""
        return refused_since is not None and refused_since < self._last_taken_at

    def _mark_gone(self) -> None:
        if self.state != "gone":
            log.error(
                "core_gone",
                remedy="the core answered 410: forwarding stopped, events are kept; "
                "mend core.url and restart, or retry from the failures list",
            )
        self.state = "gone"

    def _mark_down(self, after: float | None) -> None:
        if self.state == "ok":
            log.warning("core_down", refusals=self._refusals)
        self.state = "down"
        if self._next_probe is None:
            # One probe at a time: of the many that were in flight, only the first refusal asks for one.
            now = asyncio.get_running_loop().time()
            self._not_before = now + (after or 0.0)
            self._schedule_probe(now + (after or delay(self._probes + 1, base=0.5, ceiling=15.0)))

    def _schedule_probe(self, at: float) -> None:
        loop = asyncio.get_running_loop()
        if self._hurried:
            at = min(at, max(loop.time() + _HURRIED_PROBE_AFTER, self._not_before))
        if self._next_probe is not None:
            self._next_probe.cancel()
        self._next_probe = loop.call_at(at, self._allow_probe)

    def _allow_probe(self) -> None:
        self._next_probe, self._hurried = None, False
        self._probes += 1
        self._probe_allowed = self.state == "down"
        self._on_change()
