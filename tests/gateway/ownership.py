"""An ownership that a test decides, for nodes that share a journal."""

from gateway.journal import ALL_SHARDS, Ownership, Shards


class Owned(Ownership):
    """Owns the shards that a test gives it."""

    def __init__(self, shards: Shards = ALL_SHARDS, nodes: int = 1) -> None:
        super().__init__()
        self._shards = shards
        self._nodes = nodes
        self.is_certain = True

    @property
    def shards(self) -> Shards:
        return self._shards

    def owns(self, shard: int) -> bool:
        return shard in self._shards

    def still(self) -> bool:
        return self.is_certain

    @property
    def nodes(self) -> int:
        return self._nodes

    async def drain(self) -> None:
        self.lose(self._shards)

    async def gain(self, shards: Shards) -> None:
        self._shards |= shards
        await self.gained(shards)

    def lose(self, shards: Shards) -> None:
        self._shards -= shards
        self.lost(shards)
