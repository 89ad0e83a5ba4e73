"""A core that refuses the events of some consumers, and notes when they came."""

import random
import time
from collections import defaultdict

import orjson
from aiohttp import web

from tests.torture.core import UnreliableCore


class ClusterCore(UnreliableCore):
    """An unreliable core that accepts nothing of the consumers in `refused`, by their ids."""

    def __init__(self, secret: str, dice: random.Random) -> None:
        super().__init__(secret, dice)
        self.refused: set[str] = set()
        #: When events of these consumers came (`time.monotonic`), and in which conversation.
        self.arrivals: dict[str, list[tuple[float, str]]] = defaultdict(list)

    async def _post(self, request: web.Request) -> web.StreamResponse:
        event = orjson.loads(await request.read())
        consumer = event["data"].get("conversation", {}).get("consumer", {}).get("id")
        if consumer in self.refused:
            self.arrivals[consumer].append((time.monotonic(), event["subject"]))
            return web.Response(status=500)
        return await super()._post(request)
