"""What happens to the cluster while it works."""

import asyncio
import signal
from collections.abc import Callable

from .cluster import Cluster
from .node import Node

#: Seconds for which a node sleeps on after others have its work.
_LONGER = 2.0
_MUTED = 8.0
_WAYS: tuple[dict[str, bool], ...] = ({}, {"answers": False}, {"requests": False})


def _any(cluster: Cluster) -> Node:
    return cluster.dice.choice(cluster.nodes)


async def kill(cluster: Cluster) -> None:
    """End a node without warning."""
    await cluster.until_live(len(cluster.nodes))
    node = _any(cluster)
    await cluster.lose(node, lambda: node.send_signal(signal.SIGKILL))


async def pause(cluster: Cluster) -> None:
    """Let a node sleep until others have its work, and wake it again."""
    node = _any(cluster)
    try:
        await cluster.lose(node, lambda: node.send_signal(signal.SIGSTOP))
        await asyncio.sleep(_LONGER)
    finally:
        node.send_signal(signal.SIGCONT)


async def mute(cluster: Cluster) -> None:
    """Let the network between a node and PostgreSQL fall silent, with all connections open: both ways, or one."""
    node = _any(cluster)
    await _silence(cluster, node, node.relay.silence)


async def cut(cluster: Cluster) -> None:
    """Let the kernel drop all packets between a node and PostgreSQL: both ways, or one."""
    node = _any(cluster)
    await _silence(cluster, node, node.relay.cut)


async def _silence(cluster: Cluster, node: Node, silence: Callable[..., None]) -> None:
    ways = cluster.dice.choice(_WAYS)
    begun = asyncio.get_running_loop().time()
    try:
        await cluster.lose(node, lambda: silence(**ways))
        await asyncio.sleep(max(0.0, begun + _MUTED - asyncio.get_running_loop().time()))
    finally:
        node.relay.restore()


async def restart_database(cluster: Cluster) -> None:
    """Crash PostgreSQL, and start it again."""
    server = cluster.database.server
    await asyncio.to_thread(server.stop, "immediate")
    await asyncio.to_thread(server.start)
    await cluster.taken_over(30)


async def lose_store(cluster: Cluster, seconds: float = 5.0) -> None:
    """Let the bucket refuse connections for so long."""
    assert cluster.stored is not None
    await cluster.stored.gate.close()
    await asyncio.sleep(seconds)
    await cluster.stored.gate.open()


async def roll(cluster: Cluster) -> None:
    """Restart one node after the other, as for an upgrade."""
    for node in cluster.nodes:
        node.send_signal(signal.SIGTERM)
        await cluster.until_restarted(node)
        await cluster.taken_over()


async def lose_store_for_long(cluster: Cluster) -> None:
    """Let the bucket refuse connections for longer than most calls are tried."""
    await lose_store(cluster, 20.0)


async def upgrade(cluster: Cluster) -> None:
    """Restart one node after the other with a version that adds a column, and kill one of the older version meanwhile.

    The older one starts again beside the newer ones.
    """
    await cluster.until_live(len(cluster.nodes))
    *others, last = cluster.nodes
    for node in others:
        node.further_formats += 1
        node.send_signal(signal.SIGTERM)
        await cluster.until_restarted(node)
        await cluster.taken_over()
    await cluster.lose(last, lambda: last.send_signal(signal.SIGKILL))
    await cluster.until_live(len(cluster.nodes))
    last.further_formats += 1
    last.send_signal(signal.SIGTERM)
    await cluster.until_restarted(last)
    await cluster.taken_over()
