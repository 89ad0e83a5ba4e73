"""A core that refuses the events of some consumers, and notes when they came."""

import random
import time
from collections import defaultdict

import orjson
from aiohttp import web

from tests.torture.core import Event, UnreliableCore


class ClusterCore(UnreliableCore):
    """An unreliable core that accepts nothing of the consumers in `refused`, by their ids."""

    def __init__(self, secret: str, dice: random.Random) -> None:
        super().__init__(secret, dice)
        self.refused: set[str] = set()
        #: When events of these consumers came (`time.monotonic`), and in which conversation.
        self.arrivals: dict[str, list[tuple[float, str]]] = defaultdict(list)

    async def _post(self, request: web.Request) -> web.StreamResponse:
        content = orjson.loads(await request.read())
        refused = [
            (consumer, event["subject"])
            for event in (content if isinstance(content, list) else [content])
            if (consumer := _consumer(event)) in self.refused
        ]
        for consumer, subject in refused:
            self.arrivals[consumer].append((time.monotonic(), subject))
        return web.Response(status=500) if refused else await super()._post(request)


def _consumer(event: Event) -> str:
    """Return the consumer's id; empty for an event of no conversation."""
    return str(event["data"].get("conversation", {}).get("consumer", {}).get("id", ""))
