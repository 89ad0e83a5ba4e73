"""Consumers' names: looked up in the background for conversations of platforms whose messages contain none.

A look-up never delays a message: the conversation is recorded first, and its name follows. Each conversation is looked
up once; the journal remembers the answer, also if there is no name.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Protocol

import structlog

from connectors import Connector, Flow, Purpose, Rejected
from gateway.backoff import delay
from gateway.journal import JournalUnavailable, NameJournal, Recorded, Unnamed
from gateway.settings import live

from .each_connector import run_for_each

log = structlog.get_logger(__name__)

#: Seconds between two look-ups of one connector: agents' texts and files share the platform's limit on calls.
_SPACING = 1.0
#: Conversations that are read from the journal at a time.
_BATCH = 50
#: Seconds without news after which the journal is read again.
_IDLE = 300.0
#: Seconds for one look-up, including connections and redirects.
_TIMEOUT = 20.0
#: Seconds before a connector's next look-up after failures in a row: the first pause, and the longest.
_FIRST_PAUSE, _LONGEST_PAUSE = 30.0, 3600.0
#: Seconds before the next look-up for a conversation whose look-up failed. It must not hold up the others meanwhile.
_POSTPONED = 3600.0
#: The same if an operator must act. Some platforms refuse single consumers with a permission's code.
_POSTPONED_FOR_OPERATOR = 86_400.0
#: Conversations that are postponed at the same time; beyond that, the first ones are looked up again.
_MOST_POSTPONED = 1000
#: Characters of a name that are kept.
_LONGEST_NAME = 200


class Flows(Protocol):
    """The part of the fetcher that runs flows."""

    async def run(
        self, connector: Connector[Any], flow: Flow[str | None], purpose: Purpose
    ) -> str | None: ...


class ConsumerNames:
    """Looks up names, for each connector that can, one at a time. `spacing` and `clock` are in seconds.

    `owns` says whether a connector, by its name, is this node's.
    """

    def __init__(
        self,
        journal: NameJournal,
        connectors: Mapping[str, Connector[Any]],
        fetcher: Flows,
        *,
        spacing: float = _SPACING,
        first_pause: float = _FIRST_PAUSE,
        clock: Callable[[], float] = time.monotonic,
        owns: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self._connectors = live(connectors)
        self._made_of = (journal, fetcher, spacing, first_pause, clock, owns)
        self._queues: dict[str, _Queue] = {}

    def recorded(self, recorded: Recorded) -> None:
        """Look for new conversations soon. Called by the journal for each transaction."""
        if recorded.entries:
            self.look()

    def look(self) -> None:
        """Look for conversations without a name in the journal."""
        for queue in self._queues.values():
            queue.news.set()

    async def run(self) -> None:
        await run_for_each(self._connectors, self._look_up_for)

    async def _look_up_for(self, name: str, connector: Connector[Any]) -> None:
        if type(connector).profile is not Connector.profile:
            queue = self._queues[name] = _Queue(name, connector, *self._made_of)
            await queue.run()


class _Failed(Exception):
    """A look-up that failed and may succeed later: seconds for the conversation, and at least for the connector."""

    def __init__(self, postponed: float, pause: float = 0.0) -> None:
        super().__init__(postponed, pause)
        self.postponed = postponed
        self.pause = pause


class _Queue:
    """The look-ups of one connector."""

    def __init__(
        self,
        name: str,
        connector: Connector[Any],
        journal: NameJournal,
        fetcher: Flows,
        spacing: float,
        first_pause: float,
        clock: Callable[[], float],
        owns: Callable[[str], bool],
    ) -> None:
        self.news = asyncio.Event()
        self._name = name
        self._connector = connector
        self._journal = journal
        self._fetcher = fetcher
        self._spacing = spacing
        self._first_pause = first_pause
        self._clock = clock
        self._owns = owns
        #: Failures in a row.
        self._failures = 0
        #: When a conversation whose look-up failed may be looked up again.
        self._postponed: dict[str, float] = {}

    async def run(self) -> None:
        while True:
            self.news.clear()
            try:
                pause = await self._look_up_all()
            except JournalUnavailable as exc:
                log.error("names_delayed", connector=self._name, error=str(exc))
                pause = self._first_pause
            if pause is None:
                await self._wait_for_news()
            await asyncio.sleep(pause or self._spacing)

    async def _wait_for_news(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_IDLE):
                await self.news.wait()

    async def _look_up_all(self) -> float | None:
        """Look up all names that are due. Return the seconds to pause after a failure, None if there was none."""
        while self._owns(self._name) and (due := await self._due()):
            for unnamed in due:
                try:
                    name = await self._look_up(unnamed)
                except _Failed as failed:
                    return self._pause_after(unnamed, failed)
                self._failures = 0
                self._postponed.pop(unnamed.conversation, None)
                await self._journal.name_consumer(unnamed.conversation, name)
                await asyncio.sleep(self._spacing)
        return None

    async def _due(self) -> list[Unnamed]:
        now = self._clock()
        found = await self._journal.unnamed(self._name, _BATCH + len(self._postponed))
        return [one for one in found if self._postponed.get(one.conversation, now) <= now]

    async def _look_up(self, unnamed: Unnamed) -> str | None:
        """Return the name, None if the platform does not reveal it; raise _Failed if it may later."""
        try:
            async with asyncio.timeout(_TIMEOUT):
                flow = self._connector.profile(unnamed.account, unnamed.consumer)
                found = await self._fetcher.run(self._connector, flow, "profile")
        except Rejected as refused:
            self._raise_unless_final(refused)
            return None
        except TimeoutError as exc:
            raise _Failed(_POSTPONED) from exc
        except Exception as exc:
            # A bug in a connector must not end the gateway.
            log.exception("name_unexpected_error", connector=self._name)
            raise _Failed(_POSTPONED_FOR_OPERATOR) from exc
        return (found or "").strip()[:_LONGEST_NAME] or None

    def _raise_unless_final(self, refused: Rejected) -> None:
        if refused.operator:
            if self._failures == 0:
                log.warning("names_refused", connector=self._name, detail=str(refused))
            raise _Failed(_POSTPONED_FOR_OPERATOR, refused.after or 0.0) from refused
        if refused.retry:
            raise _Failed(_POSTPONED, refused.after or 0.0) from refused

    def _pause_after(self, unnamed: Unnamed, failed: _Failed) -> float:
        self._failures += 1
        self._postponed.pop(unnamed.conversation, None)
        self._postponed[unnamed.conversation] = self._clock() + failed.postponed
        while len(self._postponed) > _MOST_POSTPONED:
            del self._postponed[next(iter(self._postponed))]
        pause = delay(self._failures, base=self._first_pause, ceiling=_LONGEST_PAUSE)
        return max(pause, min(failed.pause, _LONGEST_PAUSE))
