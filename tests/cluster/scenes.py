"""Faults with a plot: one conversation, one node, and what must or must not come of it."""

import asyncio
import itertools
import time

from simulator import Consumer, Sample
from tests.torture.operators import called
from tests.torture.platforms import PHOTOS

from .cluster import Cluster
from .hooks.sitecustomize import FATAL
from .node import Node

#: Seconds after which a node that is cut off begins no further POST.
_CERTAINTY = 2.5
#: Seconds for which a node stays cut off, and for which nothing may arrive after that.
_CUT_OFF, _AFTERWARDS = 5.0, 3.0
_numbers = itertools.count(1)


async def erase_while_cut_off(cluster: Cluster) -> None:
    """Erase a conversation while its owner is cut off with an event in its memory, which must not arrive any more."""
    await cluster.until_live(len(cluster.nodes))
    consumer = Consumer(f"4918{next(_numbers):08d}", "Nobody")
    cluster.core.refused.add(consumer.id)
    await cluster.platforms["forgotten"].send(consumer, "forget me", PHOTOS[:1])
    arrivals = cluster.core.arrivals[consumer.id]
    async with asyncio.timeout(30):
        while not arrivals:
            await asyncio.sleep(0.02)
    conversation = arrivals[0][1]
    owner = await _owner(cluster, conversation)
    owner.relay.silence()
    try:
        await called(cluster.front, "DELETE", f"/v1/conversations/{conversation}")
        erased_at = time.monotonic()
        await asyncio.sleep(_CUT_OFF)
    finally:
        owner.relay.restore()
    await asyncio.sleep(_AFTERWARDS)
    late = [at - erased_at for at, _ in arrivals if at > erased_at + _CERTAINTY]
    if late:
        cluster.report.complaints.append(f"an erased conversation arrived {late} s later")


async def _owner(cluster: Cluster, conversation: str) -> Node:
    rows = await asyncio.to_thread(cluster.database.owner_of, conversation)
    name = rows.removeprefix("airlock writer ")
    return next(node for node in cluster.nodes if node.name == name)


async def fatal_file(cluster: Cluster) -> None:
    """Send a file that ends each node that decodes it: it fails after three nodes, and the others' files do not."""
    await cluster.until_live(len(cluster.nodes))
    consumer = Consumer(f"4919{next(_numbers):08d}", "Mallory")
    sample = Sample(PHOTOS[0].name, PHOTOS[0].media_type, PHOTOS[0].content + FATAL)
    starts = sum(node.starts for node in cluster.nodes)
    platform = cluster.platforms["forgotten"]
    platform.dice.seed(7)
    await platform.send(consumer, "look at this", [sample])

    def ended() -> bool:
        return any(
            attachment["reason"] == "decoder_crashed"
            for event in list(cluster.core.events)
            if event["data"].get("conversation", {}).get("consumer", {}).get("id") == consumer.id
            for attachment in event["data"].get("message", {}).get("attachments", ())
        )

    if not await cluster.core.until(ended, 90):
        cluster.report.complaints.append("a file that ends its nodes never ended itself")
    deaths = sum(node.starts for node in cluster.nodes) - starts
    if deaths > 3:
        cluster.report.complaints.append(f"a file ended {deaths} nodes")
