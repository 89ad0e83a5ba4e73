"""One lane: the events of a conversation that the core has yet to accept, as far as they are in memory."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from gateway.journal import OutboxEntry
from gateway.timestamps import rfc3339


@dataclass(slots=True)
class Lane:
    conversation: int
    #: Events that the core has yet to accept, in memory or not.
    waiting: int = 0
    entries: deque[OutboxEntry] = field(default_factory=deque)
    #: Whether the journal holds events after `last` that are not in `entries`.
    more: bool = False
    last: int = 0
    attempts: int = 0
    #: When the core last (ms) and first (the loop's clock) refused the event at the head.
    refused_at: int = 0
    refused_since: float | None = None
    #: Events at the head that go to the core alone, because it refused a batch that they were in.
    alone: int = 0
    timer: asyncio.TimerHandle | None = None
    loading: bool = False
    forgotten: bool = False
    #: Whether another node may forward its events now.
    dropped: bool = False
    #: When its events were last read (the loop's clock), if other nodes share the journal.
    read_at: float = 0.0

    def refusal(self, core_state: str) -> dict[str, Any]:
        """Return the refused event at the head as operators see it."""
        return {
            "id": self.entries[0].event_id,
            "kind": "event",
            "at": rfc3339(self.refused_at),
            "attempts": self.attempts,
            "reason": f"the core is {core_state}" if core_state != "ok" else "refused",
            "can_retry": True,
        }
