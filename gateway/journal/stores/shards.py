"""The work that waits in each shard, in any engine."""

from functools import partial

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

    async def begin(self, message: int, position: int) -> int:  # noqa: ARG002 - nothing to count
        # No other process takes over an attachment that ended this one.
        return 1

    async def take_back(self, message: int, position: int) -> None:
        pass

    async def open_parts(self, shards: Shards | None = None) -> list[Part]:
        return await self._read(partial(agent_texts.open_parts, shards=shards))

    # Through the writer: the results are in the order of its writes, and durable.

    async def lanes(self, shards: Shards | None = None) -> dict[int, int]:
        return await self._submit(partial(outbox.lanes, shards=shards))

    async def newest_in_lanes(self, shards: Shards, after: int) -> dict[int, int]:
        return await self._submit(partial(outbox.newest_in_lanes, shards=shards, after=after))

    async def lane_has_events(self, lane: int) -> bool:
        return await self._submit(partial(outbox.has_events, lane=lane))
