"""Shards: the fixed parts into which conversations are divided among nodes (see `ownership.py`)."""

#: Never changes: the shard of a conversation is a part of its key.
SHARDS = 64

Shards = frozenset[int]
ALL_SHARDS: Shards = frozenset(range(SHARDS))


def within(column: str, shards: Shards | None) -> str:
    """Return a condition that `column`, the key of a conversation, is in one of these shards; None means any."""
    if shards is None:
        return "1 = 1"
    # Numbers of ours, and never more than 64.
    numbers = ", ".join(str(int(shard)) for shard in sorted(shards)) or "-1"
    return f"({column} & {SHARDS - 1}) IN ({numbers})"
