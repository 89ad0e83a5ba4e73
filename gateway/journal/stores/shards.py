"""The work that waits in each shard, in any engine."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from gateway.journal.operations import agent_texts, attachments, outbox
from gateway.journal.operations.shards import Shards
from gateway.journal.ownership import ShardJournal
from gateway.journal.records import Job, Part

from .store import Store


class ShardStore(Store, ShardJournal):
    """The part of the journal that lists work by shard."""

    async def pending(
        self, limit: int | None = None, after: int = -1, shards: Shards | None = None
    ) -> list[Job]:
        return await self._read(
            partial(attachments.pending, limit=limit, after=after, shards=shards)
        )

    async def begin(self, message: int, position: int, *, again: bool) -> int:  # noqa: ARG002 - nothing to count
        # No other process takes over an attachment that ended this one.
        return 1

    async def take_back(self, message: int, position: int) -> None:
        pass

    async def note_refusal(self, entry: int, attempts: int, at: int) -> None:
        pass

    async def refused_events(self, limit: int) -> list[dict[str, Any]]:  # noqa: ARG002 - none
        return []

    async def retry_event(self, id: str) -> bool:  # noqa: ARG002 - none
        return False

    async def keep_health(self, connector: str, health: Mapping[str, Any]) -> None:
        pass

    async def kept_health(self, connector: str) -> dict[str, Any] | None:  # noqa: ARG002 - none
        return None

    async def open_parts(self, shards: Shards | None = None) -> list[Part]:
        return await self._read(partial(agent_texts.open_parts, shards=shards))

    # Through the writer: the results are in the order of its writes, and durable.

    async def lanes(self, shards: Shards | None = None) -> dict[int, int]:
        return await self._submit(partial(outbox.lanes, shards=shards))

    async def newest_in_lanes(self, shards: Shards, after: int) -> dict[int, int]:
        return await self._submit(partial(outbox.newest_in_lanes, shards=shards, after=after))

    async def lane_has_events(self, lane: int) -> bool:
        return await self._submit(partial(outbox.has_events, lane=lane))
