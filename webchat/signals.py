"""Signals that wake the streams of one consumer after a change. Nothing here is stored."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Self

#: How long "an agent is writing" is shown without news, in milliseconds.
TYPING_MS = 15_000
_MAX_TYPING = 10_000


@dataclass(slots=True)
class _Topic:
    """One consumer to whom streams listen."""

    listeners: int = 0
    count: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class Signals:
    """What the streams wait for. `closed` asks them all to end."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self.closed = False
        self._clock = clock
        self._topics: dict[str, _Topic] = {}
        self._typing: dict[str, int] = {}

    @property
    def listeners(self) -> int:
        return sum(topic.listeners for topic in self._topics.values())

    def listen(self, consumer: str) -> "Listener":
        return Listener(self._topics, consumer)

    def announce(self, consumers: Iterable[str]) -> None:
        for consumer in consumers:
            if topic := self._topics.get(consumer):
                topic.count += 1
                topic.changed.set()
                topic.changed = asyncio.Event()

    def show_typing(self, consumer: str, *, on: bool) -> None:
        """Note that an agent is writing to a consumer, or has stopped."""
        if on:
            now = self._clock()
            if len(self._typing) > _MAX_TYPING:
                self._typing = {one: until for one, until in self._typing.items() if until > now}
            self._typing[consumer] = now + TYPING_MS
        else:
            self._typing.pop(consumer, None)
        self.announce([consumer])

    def typing_ms(self, consumer: str) -> int:
        """Return for how long "an agent is writing" is still shown; 0 if nobody is."""
        until = self._typing.get(consumer, 0)
        left = until - self._clock()
        if left <= 0:
            self._typing.pop(consumer, None)
        return max(0, left)

    def close(self) -> None:
        self.closed = True
        self.announce(list(self._topics))


class Listener:
    """A stream's view of its consumer's changes. Use it as a context manager."""

    def __init__(self, topics: dict[str, _Topic], consumer: str) -> None:
        self._topics, self._consumer = topics, consumer

    def __enter__(self) -> Self:
        self._topic = self._topics.setdefault(self._consumer, _Topic())
        self._topic.listeners += 1
        return self

    def __exit__(self, *exc: object) -> None:
        self._topic.listeners -= 1
        if not self._topic.listeners:
            self._topics.pop(self._consumer, None)

    @property
    def listeners(self) -> int:
        """The number of streams of the same consumer."""
        return self._topic.listeners

    @property
    def count(self) -> int:
        """The number of changes so far. Read it before the query whose result it dates."""
        return self._topic.count

    async def wait(self, seen: int, seconds: float) -> bool:
        """Wait for a change after count `seen`. Returns False if there was none within `seconds`."""
        if self._topic.count != seen:
            return True
        try:
            async with asyncio.timeout(seconds):
                await self._topic.changed.wait()
        except TimeoutError:
            return False
        return True
