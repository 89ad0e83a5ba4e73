"""Ownership: which conversations' work this process does, while other nodes may share the journal.

Conversations are divided into a fixed number of shards, and each shard is owned by one node at a time. A node keeps
lanes, media work and queues of texts in memory only for conversations of the shards that it owns. A connector has a
shard as well: its owner parses the connector's deliveries.
"""

import asyncio
import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Protocol

from .operations.message_keys import conversation_of_message
from .operations.shards import ALL_SHARDS, SHARDS, Shards
from .records import Job, Part


def shard_of(conversation: int) -> int:
    """Return the shard of a conversation. Events without a conversation have lane 0, and thus shard 0."""
    return conversation & (SHARDS - 1)


def shard_of_message(message: int) -> int:
    """Return the shard of the conversation under which a message was recorded."""
    return shard_of(conversation_of_message(message))


@cache
def shard_of_connector(name: str) -> int:
    """Return the shard whose owner parses a connector's deliveries and asks for its health."""
    return hashlib.blake2b(name.encode(), digest_size=1).digest()[0] % SHARDS


class ShardWorker(Protocol):
    """A component that keeps work of shards in memory."""

    async def pick_up(self, shards: Shards | None = None) -> None:
        """Take up the work that the journal holds for these shards; None means all that are owned."""

    def drop(self, shards: Shards) -> None:
        """Forget the work of these shards: another node may do it already."""

    async def release(self, shards: Shards) -> None:
        """Begin nothing more for these shards, and return once what has begun is done and recorded."""


class Ownership(ABC):
    """The shards of this node."""

    #: Whether other nodes may write to the journal. What it announces is then a hint: others may have written before.
    shared: bool = True
    #: Events that wait for the core on all nodes; None if this node has them all.
    waiting: int | None = None

    def __init__(self) -> None:
        #: They are informed of every change.
        self.workers: list[ShardWorker] = []
        #: Called after this node has gained shards.
        self.on_gain: list[Callable[[], None]] = []

    @property
    @abstractmethod
    def shards(self) -> Shards:
        """The shards that this node owns."""

    @abstractmethod
    def owns(self, shard: int) -> bool:
        """Whether this node owns a shard and may begin work for it."""

    @abstractmethod
    def still(self) -> bool:
        """Whether no other node can have taken over: ask before every call that another node might repeat."""

    @property
    @abstractmethod
    def nodes(self) -> int:
        """The number of nodes that share the work, this one included."""

    def refusal(self) -> str | None:
        """Return why no node of this name may do work now; None if nothing speaks against it."""
        return None

    @abstractmethod
    async def drain(self) -> None:
        """Leave all work to other nodes, at the end of the process."""

    def share(self, limit: int) -> int:
        """Return this node's share of a limit that holds for all nodes together, at least 1."""
        return max(1, limit // max(1, self.nodes))

    def owns_connector(self, name: str) -> bool:
        """Whether this node parses a connector's deliveries and asks for its health."""
        return self.owns(shard_of_connector(name))

    async def gained(self, shards: Shards) -> None:
        """Let every worker take up the work of shards that this node owns now."""
        await asyncio.gather(*(worker.pick_up(shards) for worker in self.workers))
        for look in self.on_gain:
            look()

    def lost(self, shards: Shards) -> None:
        """Let every worker forget the work of shards that this node does not own any more."""
        for worker in self.workers:
            worker.drop(shards)


class SoleOwner(Ownership):
    """Owns everything, always: the journal belongs to this process alone."""

    shared = False

    @property
    def shards(self) -> Shards:
        return ALL_SHARDS

    def owns(self, shard: int) -> bool:  # noqa: ARG002 - whichever it is
        return True

    def still(self) -> bool:
        return True

    @property
    def nodes(self) -> int:
        return 1

    async def drain(self) -> None:
        pass


class ShardJournal(ABC):
    """Work that the journal holds for shards; `shards` None means all of them."""

    #: The shards of this process. All of them unless the engine lets several nodes share the journal.
    ownership: Ownership = SoleOwner()

    @abstractmethod
    async def lanes(self, shards: Shards | None = None) -> dict[int, int]:
        """The number of events in each lane, the lane that has waited longest first."""

    @abstractmethod
    async def newest_in_lanes(self, shards: Shards, after: int) -> dict[int, int]:
        """The key of the newest event of each lane that has events after the event with key `after`."""

    @abstractmethod
    async def lane_has_events(self, lane: int) -> bool:
        """Whether a lane has events that the core has yet to accept."""

    @abstractmethod
    async def pending(
        self, limit: int | None = None, after: int = -1, shards: Shards | None = None
    ) -> list[Job]:
        """Pending attachments that fall due after `after`, the earliest first."""

    @abstractmethod
    async def begin(self, message: int, position: int, *, again: bool) -> int:
        """Count an attempt that begins; return the number of attempts since the last one that ended.

        An attempt ends with `postpone` or `finish`; one that does not end has ended its node. After such a one, one is
        counted only `again`; otherwise 0 is returned.
        """

    @abstractmethod
    async def take_back(self, message: int, position: int) -> None:
        """Take back an attempt that was counted and then left to another node."""

    @abstractmethod
    async def note_refusal(self, entry: int, attempts: int, at: int) -> None:
        """Let other nodes list an event that the core refused at `at` (ms), and after how many attempts."""

    @abstractmethod
    async def refused_events(self, limit: int) -> list[dict[str, Any]]:
        """The events that the core refuses, as failures; none where each is in the memory of this process."""

    @abstractmethod
    async def retry_event(self, id: str) -> bool:
        """Announce that a refused event is to be sent again; False if there is none that another node may have."""

    @abstractmethod
    async def keep_health(self, connector: str, health: Mapping[str, Any]) -> None:
        """Let other nodes know the result of a connector's check."""

    @abstractmethod
    async def kept_health(self, connector: str) -> dict[str, Any] | None:
        """The last result that another node kept; None if there is none."""

    @abstractmethod
    async def open_parts(self, shards: Shards | None = None) -> list[Part]:
        """The parts that are not settled, in the order in which they must be sent."""
