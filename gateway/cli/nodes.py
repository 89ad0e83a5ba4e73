"""`airlock nodes`: which nodes share the journal, which shards each owns, and what waits there."""

import sys
from collections.abc import Sequence

from gateway.journal import SHARDS, JournalUnusable, Node, nodes_of
from gateway.settings import Settings


def nodes(settings: Settings) -> int:
    """Print the nodes. Exit status 1 if none of them lives, shards have no owner, or the database does not answer."""
    if settings.gateway.journal == "sqlite":
        print("one node: gateway.journal is sqlite, which belongs to one process")
        return 0
    try:
        found = nodes_of(settings.gateway.journal_url)
    except JournalUnusable as exc:
        print(f"airlock nodes: {exc}", file=sys.stderr)
        return 1
    for node in found:
        print("  ".join(_columns(node)))
    free = SHARDS - sum(len(node.shards) for node in found)
    if free:
        print(f"{free} of {SHARDS} shards have no owner: their conversations wait")
    return 1 if free else 0


def _columns(node: Node) -> Sequence[str]:
    return (
        node.name,
        "alive" if node.is_alive else "gone",
        f"version {node.version or 'unknown'}",
        f"{len(node.shards)} shards ({_ranges(node.shards)})" if node.shards else "no shards",
        f"{node.waiting} events wait",
        f"{node.unread} bytes to parse",
        f"started {node.started_at}",
        f"seen {node.seen_at}",
    )


def _ranges(numbers: Sequence[int]) -> str:
    """Return numbers in ascending order as `0-3 7`."""
    ranges: list[tuple[int, int]] = []
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1] = ranges[-1][0], number
        else:
            ranges.append((number, number))
    return " ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in ranges)
