"""Send worker: sends agents' texts in order within a conversation, and retries only if that cannot send one twice."""

import asyncio
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

import structlog

from connectors import Connector, Rejected, Sent, Text
from gateway.backoff import delay, retry_until_done
from gateway.fetching import Ambiguous, Fetcher
from gateway.journal import (
    NO_CAUSE,
    Cause,
    Journal,
    JournalUnavailable,
    Part,
    Recipient,
    Recorded,
    Shards,
    shard_of,
)
from gateway.observability.lines import naming
from gateway.observability.metrics import TEXTS
from gateway.timestamps import now_ms
from normalizer.media import Unsafe

from .pace import Pace
from .queue import Queue

log = structlog.get_logger(__name__)

#: Seconds to wait for a receipt or an echo of a text whose response was lost.
_RECONCILE = 30.0
#: Seconds between two checks for one. The conversation's next text waits meanwhile.
_POLL_EVERY = 0.25
#: Seconds after which a text that the platform keeps refusing temporarily is given up.
_GIVE_UP_AFTER = 3600.0
#: Seconds before the journal is tried again.
_PAUSE = 1.0
#: Seconds that requests in flight may take when their conversations are handed over to another node.
_GRACE_SECONDS = 3.0
_RETRY = {"base": 1.0, "ceiling": 120.0}
#: Seconds. A longer Retry-After is a mistake of the platform.
_LONGEST_PAUSE = 86_400.0


class SendWorker:
    """Keeps one queue for each conversation that has texts to send; queues never wait for each other."""

    def __init__(
        self,
        journal: Journal,
        connectors: Mapping[str, Connector[Any]],
        fetcher: Fetcher,
        *,
        public_url: str,
        reconcile: float = _RECONCILE,
    ) -> None:
        self._journal = journal
        self._connectors = connectors
        self._fetcher = fetcher
        self._public_url = public_url.rstrip("/")
        self._reconcile = reconcile
        self._ownership = journal.ownership
        self._pace = Pace(nodes=lambda: self._ownership.nodes)
        #: By the key of the conversation.
        self._queues: dict[int, Queue] = {}
        self._known: set[tuple[int, int]] = set()
        self._changed = asyncio.Event()
        self._changed.set()
        TEXTS.set_function(lambda: len(self._known))

    def recorded(self, recorded: Recorded) -> None:
        """Take up the parts that a transaction added."""
        if recorded.new_parts:
            self._changed.set()

    async def pick_up(self, shards: Shards | None = None) -> None:  # noqa: ARG002 - it reads all
        """Look for parts of shards that this node owns now."""
        self._changed.set()

    def drop(self, shards: Shards) -> None:
        """Forget the parts of these shards. A request in flight ends by itself, and its result is recorded."""
        for conversation in [key for key in self._queues if shard_of(key) in shards]:
            queue = self._queues.pop(conversation)
            self._known -= {(part.outgoing, part.position) for part in queue.parts}
            queue.drop()

    async def release(self, shards: Shards) -> None:
        """The same, and return once requests in flight have ended."""
        sending = [
            queue
            for conversation, queue in self._queues.items()
            if shard_of(conversation) in shards and queue.is_sending
        ]
        self.drop(shards)
        tasks = [queue.task for queue in sending if queue.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=_GRACE_SECONDS)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            while True:
                await self._changed.wait()
                self._changed.clear()
                for part in await self._open_parts():
                    self._enqueue(part, group)

    async def _open_parts(self) -> list[Part]:
        if not self._ownership.shared:
            return await self._journal.open_parts()
        read = partial(self._journal.open_parts, self._ownership.shards)
        found = await retry_until_done(_PAUSE, read, JournalUnavailable, "sending_delayed")
        return [part for part in found if self._ownership.owns(shard_of(part.conversation))]

    def _enqueue(self, part: Part, group: asyncio.TaskGroup) -> None:
        if (part.outgoing, part.position) in self._known:
            return
        self._known.add((part.outgoing, part.position))
        queue = self._queues.get(part.conversation)
        if queue is None:
            queue = self._queues[part.conversation] = Queue()
            queue.task = group.create_task(self._send_queue(part.conversation, queue))
        queue.parts.append(part)

    async def _send_queue(self, conversation: int, queue: Queue) -> None:
        while queue.parts and not queue.is_dropped:
            part = queue.parts[0]
            settle = partial(self._send_until_settled, part, queue)
            with naming(**_ids(part)):
                await retry_until_done(_PAUSE, settle, JournalUnavailable, "sending_delayed")
            if queue.is_dropped:
                return
            queue.parts.popleft()
            self._known.discard((part.outgoing, part.position))
        if not queue.is_dropped:
            del self._queues[conversation]

    async def _send_until_settled(self, part: Part, queue: Queue) -> None:
        if queue.is_dropped:
            return
        connector = self._connectors.get(part.connector)
        if connector is None:
            await self._settle(part, "failed", cause=Cause("not_configured"))
            return
        if part.state == "trying" and not connector.resend_is_safe:
            # A crash came between the request and its response.
            await self._await_receipt(part)
            return
        attempt, started = 0, now_ms()
        await self._wait_for_turn(part, connector)
        while (to := await self._journal.trying(part.outgoing, part.position)) is not None:
            if not self._ownership.still():
                # The process was paused, and nothing was sent. If another node is the owner, this is refused.
                await self._journal.postpone_part(part.outgoing, part.position, now_ms())
                continue
            attempt += 1
            text = self._text(part, to)
            with queue.sending():
                age = (now_ms() - started) / 1000
                pause = await self._attempt(part, connector, text, attempt, age)
            if pause is None:
                return
            due = now_ms() + round(pause * 1000)
            await self._journal.postpone_part(part.outgoing, part.position, due)
            await asyncio.sleep(pause)
            await self._wait_for_turn(part, connector)

    async def _wait_for_turn(self, part: Part, connector: Connector[Any]) -> None:
        rate = connector.limits(part.account).texts_per_second
        pause = self._pace.turn(part.connector, part.account, rate)
        if pause:
            await asyncio.sleep(pause)

    async def _attempt(
        self, part: Part, connector: Connector[Any], text: Text, attempt: int, age: float
    ) -> float | None:
        """Send a part once; return the seconds until the next attempt, or None if the part is settled."""
        try:
            sent: Sent = await self._fetcher.run(connector, connector.send_text(text), "send")
        except Ambiguous as exc:
            if connector.resend_is_safe and age < _GIVE_UP_AFTER:
                pause = delay(attempt, **_RETRY)
                log.info("text_postponed", **_said(exc), attempt=attempt, retry_in=round(pause, 1))
                return pause
            log.warning("text_ambiguous", detail=exc.detail)
            await self._await_receipt(part)
        except Rejected as exc:
            if exc.retry and age < _GIVE_UP_AFTER:
                pause = min(max(exc.after or 0.0, delay(attempt, **_RETRY)), _LONGEST_PAUSE)
                log.info("text_postponed", **_said(exc), attempt=attempt, retry_in=round(pause, 1))
                return pause
            log.warning("text_refused", **_said(exc))
            cause = Cause(exc.reason, exc.code, exc.detail or None)
            await self._settle(part, "failed", cause=cause)
        except Unsafe as exc:
            await self._settle(part, "failed", cause=Cause(exc.reason, None, exc.detail or None))
        except JournalUnavailable:
            raise
        except Exception as exc:
            # A bug in a connector. It fails this text only; whether the text was sent is unknown.
            log.exception("send_unexpected_error", error=type(exc).__name__)
            await self._await_receipt(part)
        else:
            await self._settle(part, sent.status, platform_id=sent.id)
        return None

    async def _await_receipt(self, part: Part) -> None:
        """Wait for a receipt or an echo to settle the part; after that its outcome is unknown."""
        deadline = time.monotonic() + self._reconcile
        while time.monotonic() < deadline:
            if not await self._journal.part_is_open(part.outgoing, part.position):
                return
            await asyncio.sleep(_POLL_EVERY)
        await self._settle(part, "unknown", cause=Cause("unknown"))

    async def _settle(
        self,
        part: Part,
        state: str,
        *,
        platform_id: str | None = None,
        cause: Cause = NO_CAUSE,
    ) -> None:
        settle = partial(
            self._journal.settle_part,
            *(part.outgoing, part.position, state),
            platform_id=platform_id,
            cause=cause,
        )
        # Not the whole part again: what was sent before the journal failed must not be sent twice.
        await retry_until_done(_PAUSE, settle, JournalUnavailable, "sending_delayed")

    def _text(self, part: Part, to: Recipient) -> Text:
        key = f"{part.id}-{part.position}"
        return Text(
            key=key,
            account=to.account,
            to=to.consumer,
            text=part.text,
            status_url=f"{self._public_url}/webhooks/{part.connector}/status?m={key}",
            # Only the first part quotes the message.
            reply_to=part.reply_to if part.position == 0 else None,
            silence=(now_ms() - (to.last_message_at or now_ms())) / 1000,
            route=to.route,
        )


def _ids(part: Part) -> dict[str, str]:
    """Return what every log line about a text names."""
    return {
        "request_id": part.request_id,
        "connector": part.connector,
        "conversation": part.conversation_id,
        "message": part.id,
    }


def _said(refusal: Rejected) -> dict[str, str | None]:
    return {"reason": refusal.reason, "code": refusal.code, "detail": refusal.detail}
