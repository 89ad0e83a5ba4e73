"""Lanes: each consumer's events go to the gateway in order, one request at a time, until they are taken."""

import asyncio
import logging
import random
from collections.abc import Callable, Collection
from functools import partial
from typing import Protocol

from webchat.store import messages, outbox
from webchat.store.database import Connection, Database
from webchat.store.outbox import Batch
from webchat.timestamps import DAY

from .gateway import Answer, GatewayClient

_log = logging.getLogger(__name__)

#: Requests to the gateway at the same time.
_WORKERS = 16
#: Seconds between two attempts: the first pause, and the longest.
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 300.0
#: An event that was not taken for so long is given up.
GIVE_UP_MS = 7 * DAY
#: Statuses that another attempt cannot change: the remedy for the operator.
_STOPPING = {
    400: "compare the versions of the web channel and of the gateway",
    401: "make webchat.secrets one of the connector's secrets",
    413: "report this: a delivery is larger than the connector accepts",
}


class Counters(Protocol):
    """What operators see of the lanes."""

    def delivered(self, events: int) -> None: ...
    def refused(self) -> None: ...
    def given_up(self, events: int) -> None: ...


class Lanes:
    """Sends the outbox. `first_pause` is in seconds."""

    def __init__(
        self,
        database: Database,
        gateway: GatewayClient,
        clock: Callable[[], int],
        counters: Counters,
        *,
        first_pause: float = _FIRST_PAUSE,
    ) -> None:
        self._database = database
        self._gateway = gateway
        self._clock = clock
        self._counters = counters
        self._first_pause = first_pause
        self._ready: asyncio.Queue[str] = asyncio.Queue()
        #: Lanes that are in the queue, being sent, or in a pause; True if news came meanwhile.
        self._active: dict[str, bool] = {}
        #: Lanes that stand still until the next start.
        self.stopped: set[str] = set()

    def wake(self, lanes: Collection[str]) -> None:
        """Send what is new in these lanes."""
        for lane in lanes:
            if lane in self._active:
                self._active[lane] = True
            elif lane not in self.stopped:
                self._active[lane] = False
                self._ready.put_nowait(lane)

    async def run(self) -> None:
        self.wake(await self._database.read(outbox.lanes))
        async with asyncio.TaskGroup() as group:
            for _ in range(_WORKERS):
                group.create_task(self._work())

    async def _work(self) -> None:
        while True:
            lane = await self._ready.get()
            try:
                pause = await self._send(lane)
            except Exception:  # noqa: BLE001 - logged; the lane must go on
                # Such as a full disk: what the gateway took is sent again, under the same id.
                _log.exception("a lane could not be sent")
                pause = self._first_pause
            self._schedule(lane, pause)

    def _schedule(self, lane: str, pause: float | None) -> None:
        if pause is not None:
            asyncio.get_running_loop().call_later(pause, self._ready.put_nowait, lane)
        elif self._active.pop(lane) and lane not in self.stopped:
            self.wake([lane])

    async def _send(self, lane: str) -> float | None:
        """Send all that waits in a lane; return the seconds until the next attempt, None if nothing waits."""
        while True:
            self._active[lane] = False
            batch = await self._database.read(partial(outbox.next_batch, lane=lane))
            if batch is None:
                return None
            now = self._clock()
            if batch.due > now:
                return (batch.due - now) / 1000
            if not batch.attempts:
                await self._database.write(partial(outbox.freeze, batch=batch))
            answer = await self._gateway.deliver(batch.id, batch.body)
            if answer.taken:
                await self._database.write(
                    partial(_settle, batch=batch, state="received", now=self._clock())
                )
                self._counters.delivered(len(batch.sequences))
            elif answer.status in _STOPPING:
                self._stop(lane, answer)
                return None
            elif now - batch.made_at > GIVE_UP_MS:
                await self._give_up(batch, answer)
            else:
                return await self._postpone(batch, answer)

    def _stop(self, lane: str, answer: Answer) -> None:
        self.stopped.add(lane)
        self._counters.refused()
        _log.error(
            "the gateway refuses the deliveries of %s (%s): %s, then start the web channel again",
            lane,
            answer,
            _STOPPING[answer.status],
        )

    async def _give_up(self, batch: Batch, answer: Answer) -> None:
        await self._database.write(partial(_settle, batch=batch, state="failed", now=self._clock()))
        self._counters.given_up(len(batch.sequences))
        _log.error(
            "%s events were given up after 7 days without success (%s)",
            len(batch.sequences),
            answer,
        )

    async def _postpone(self, batch: Batch, answer: Answer) -> float:
        pause = min(_LONGEST_PAUSE, self._first_pause * 2.0 ** min(batch.attempts, 20))
        pause *= random.uniform(0.8, 1.2)  # noqa: S311 - so that lanes do not all come at once
        due = self._clock() + round(pause * 1000)
        await self._database.write(partial(outbox.postpone, batch=batch, due=due))
        _log.warning(
            "the gateway did not take a delivery (%s); attempt %s follows in %.1f s",
            answer,
            batch.attempts + 2,
            pause,
        )
        return pause


def _settle(db: Connection, batch: Batch, state: str, now: int) -> None:
    for lane, message in outbox.remove(db, batch):
        messages.mark_taken(db, lane, message, state, now)
