"""Lanes whose head waits until the core's circuit admits it."""

import asyncio
from collections.abc import Sequence

from .core_circuit import CoreCircuit
from .lane import Lane


class Parking:
    """Parks lanes without blocking a worker, so that others can send, and makes them ready again."""

    def __init__(self, ready: "asyncio.Queue[Lane]") -> None:
        self.circuit = CoreCircuit(self._unpark)
        self._ready = ready
        self._parked: dict[int, Lane] = {}

    def park(self, lane: Lane) -> None:
        self._parked[lane.conversation] = lane
        if not lane.attempts:
            self.circuit.hurry()

    def forget(self, conversation: int) -> None:
        self._parked.pop(conversation, None)

    def _unpark(self) -> None:
        """Wake the parked lanes: all of them, or one for a probe."""
        if self.circuit.state == "ok":
            woken = list(self._parked.values())
            self._parked.clear()
        else:
            woken = [self._parked.pop(lane.conversation) for lane in self._probing()]
        for lane in woken:
            self._ready.put_nowait(lane)

    def _probing(self) -> Sequence[Lane]:
        """Choose the lane of the next probe.

        A lane that the core has never refused comes first. Of those the newest is chosen, because the core may refuse
        all of the older ones.
        """
        never_refused = [lane for lane in self._parked.values() if not lane.attempts]
        if len(never_refused) > 1:
            self.circuit.hurry()
        if never_refused:
            return [max(never_refused, key=lambda lane: lane.entries[0].key)]
        return list(self._parked.values())[:1]
