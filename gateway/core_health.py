"""Whether the conversation core takes events at all: one that is down is probed, one that is gone is left alone."""

import asyncio

import structlog

from .backoff import delay
from .core_client import Answer

log = structlog.get_logger(__name__)

#: Refusals in a row, whatever the lane, after which the core counts as down and is only probed.
_DOWN_AFTER = 8


class CoreHealth:
    """Whether the core takes anything at all: one that is down is probed by one event at a time."""

    def __init__(self) -> None:
        self.state = "ok"
        self._refusals = 0
        self._probe = False
        self._probes = 0
        self._next_probe: asyncio.TimerHandle | None = None
        self._changed = asyncio.Event()
        self._released = False

    async def wait(self) -> None:
        """Return when an event may be sent."""
        while self.state != "ok" and not self._released:
            if self._probe:
                self._probe = False
                return
            self._changed.clear()
            await self._changed.wait()

    def heard(self, answer: Answer) -> None:
        if answer.verdict == "taken":
            self.resume()
        elif answer.verdict == "gone":
            self._stop()
        else:
            self._refusals += 1
            if self._refusals >= _DOWN_AFTER and self.state != "gone":
                self._pause(answer.after)

    def unused(self) -> None:
        """Whoever was let through sends nothing after all: somebody else may."""
        self._probe = self.state == "down"
        self._changed.set()

    def resume(self) -> None:
        self._refusals, self._probes, self.state = 0, 0, "ok"
        self._changed.set()

    def release(self) -> None:
        """Let everybody go who waits."""
        self._released = True
        self._changed.set()

    def _stop(self) -> None:
        if self.state != "gone":
            log.error(
                "core_gone",
                remedy="the core answered 410: forwarding stopped, events are kept; "
                "mend core.url and restart, or retry from the failures list",
            )
        self.state = "gone"

    def _pause(self, after: float | None) -> None:
        if self.state == "ok":
            log.warning("core_down", refusals=self._refusals)
        self.state = "down"
        if self._next_probe is None:
            # One probe at a time: of the many that were in flight, only the first refusal asks for one.
            pause = after or delay(self._probes + 1, base=0.5, ceiling=15.0)
            self._next_probe = asyncio.get_running_loop().call_later(pause, self._allow_probe)

    def _allow_probe(self) -> None:
        self._next_probe = None
        self._probes += 1
        self._probe = self.state == "down"
        self._changed.set()
