"""The texts of one conversation that wait to be sent, one after the other."""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from gateway.journal import Part


@dataclass(slots=True)
class Queue:
    parts: deque[Part] = field(default_factory=deque)
    #: The task that sends them.
    task: asyncio.Task[None] | None = None
    #: Whether a request is in flight. It must not be cut off: whether the text was sent would be unknown.
    is_sending: bool = False
    #: Whether another node may send the rest.
    is_dropped: bool = False

    @contextmanager
    def sending(self) -> Iterator[None]:
        self.is_sending = True
        try:
            yield
        finally:
            self.is_sending = False

    def drop(self) -> None:
        """Send nothing more."""
        self.is_dropped = True
        if self.task is not None and not self.is_sending:
            self.task.cancel()
