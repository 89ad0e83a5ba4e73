"""One run: traffic to several nodes, a fault that comes again and again, a quiet end, and the verdict."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.postgresql import Server
from tests.system.running import SECRET
from tests.torture import verdict
from tests.torture.ledger import Ledger
from tests.torture.operators import ErasingOperator, RetryingOperator
from tests.torture.platforms import FaultyPlatform, faulty_platform
from tests.torture.senders import Sender

from .core import ClusterCore
from .database import Database
from .front import Front
from .node import Node
from .stored import Stored
from .texting import TextingAgent

_KINDS = ("whatsapp", "messenger", "twilio", "apple")
SHARDS = 64

Fault = Callable[["Cluster"], Coroutine[Any, Any, None]]


@dataclass(slots=True)
class Report:
    """A summary of a run; it shows whether enough happened for a success to mean something."""

    seed: int
    faults: int = 0
    starts: int = 0
    messages: int = 0
    events: int = 0
    posts: int = 0
    batches: int = 0
    texts: int = 0
    attachments: dict[str, int] = field(default_factory=dict)
    #: Seconds until all shards were owned again after each fault.
    takeovers: list[float] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


class Cluster:
    """Runs `fault` every `pause` seconds for `seconds`."""

    def __init__(
        self,
        folder: Path,
        server: Server,
        seed: int,
        *,
        nodes: int = 3,
        senders: int = 8,
        erases: bool = True,
        stored: Stored | None = None,
        batch: int = 1,
        retries_crashes: bool = True,
    ) -> None:
        self.dice = random.Random(seed)
        self.report = Report(seed)
        self.core = ClusterCore(SECRET, self._new_dice())
        self.database = Database(server, f"cluster_{abs(hash(str(folder))):x}")
        self.nodes: list[Node] = []
        self.front = Front(lambda: [node.url for node in self.nodes], self._new_dice())
        self.platforms: dict[str, FaultyPlatform] = {}
        self._folder = folder
        self._count, self._senders, self._erases = nodes, senders, erases
        #: The bucket that holds the media; None for files.
        self.stored = stored
        self._batch = batch
        self._retried = ("decoder_crashed",) if retries_crashes else ()
        self._ledger = Ledger()

    def _new_dice(self) -> random.Random:
        return random.Random(self.dice.getrandbits(64))

    async def run(self, fault: Fault, *, seconds: float, pause: float = 3.0) -> Report:
        async with AsyncExitStack() as stack:
            await self._start(stack)
            senders = [self._sender(number) for number in range(self._senders)]
            erasing = ErasingOperator(
                "forgotten", self.platforms["forgotten"], self.front, self.core
            )
            retrying = RetryingOperator(
                # Nodes may end three times by chance while a file is in their hands.
                *(self.front, self.core, self._new_dice()),
                also=self._retried,
            )
            agent = TextingAgent(self.front, self.core, self._new_dice())
            end = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                for run in (*(s.run for s in senders), retrying.run, agent.run):
                    group.create_task(run(end))
                if self._erases:
                    group.create_task(erasing.run(end))
                await self._repeat(fault, seconds, pause)
                self.core.failure_rate = 0.0
                end.set()
            await self._drain(retrying, erasing, agent)
            await self._stop()
            if self.stored is not None:
                await self.stored.copy_to(self._folder / "media")
            self._sum_up(agent)
        return self.report

    # the cluster -----------------------------------------------------------------------------------

    async def _start(self, stack: AsyncExitStack) -> None:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        await self.core.start()
        stack.push_async_callback(self.core.close)
        await self.front.start()
        stack.push_async_callback(self.front.close)
        names = [f"{_KINDS[n % len(_KINDS)]}-{n}" for n in range(self._senders)]
        for name in (*names, "forgotten"):
            kind = "whatsapp" if name == "forgotten" else name.partition("-")[0]
            platform = faulty_platform(
                kind, f"{self.front.url}/webhooks/{name}", self._new_dice(), patient=False
            )
            await platform.start()
            stack.push_async_callback(platform.close)
            self.platforms[name] = platform
        settings = {name: platform.settings() for name, platform in self.platforms.items()}
        content = {
            "gateway": {
                "public_url": self.front.url,
                "media": "file" if self.stored is None else self.stored.setting,
            },
            "core": {
                "url": self.core.url,
                "secrets": [SECRET],
                "hold_seconds": 0.5,
                "batch": self._batch,
            },
            "fetch": {"allow_private_hosts": True},
            "connectors": settings,
        }
        for number in range(self._count):
            folder = self._folder / f"node-{number}"
            node = Node(folder, http, f"node-{number}", self.database)
            await node.prepare(content, self._folder / "media")
            stack.push_async_callback(node.relay.close)
            stack.push_async_callback(self._killed, node)
            self.nodes.append(node)
        for node in self.nodes:
            await node.begin()
            supervisor = asyncio.create_task(node.supervise(self.report.complaints))
            stack.callback(supervisor.cancel)
        for node in self.nodes:
            await node.listening()
        await self.database.until_owned(SHARDS, 20)

    async def _killed(self, node: Node) -> None:
        node.is_wanted = False
        await node.kill()

    def _sender(self, number: int) -> Sender:
        name = f"{_KINDS[number % len(_KINDS)]}-{number}"
        return Sender(name, self.platforms[name], self._ledger, self._new_dice(), number)

    async def _repeat(self, fault: Fault, seconds: float, pause: float) -> None:
        end = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < end:
            await asyncio.sleep(pause)
            await fault(self)
            self.report.faults += 1

    async def taken_over(self, seconds: float = 15.0) -> None:
        """Note how long it takes until all shards are owned again."""
        try:
            self.report.takeovers.append(await self.database.until_owned(SHARDS, seconds))
        except TimeoutError:
            owned = await self.database.owned_shards()
            self.report.complaints.append(f"{owned} shards are owned after {seconds} s")

    async def lose(self, node: Node, lose: Callable[[], None], seconds: float = 15.0) -> None:
        """Take a node away, and note how long it takes until other sessions have taken over everything.

        They may hand a part on meanwhile, to the node that is started again.
        """
        pid = await self.database.owner_pid(node.name)
        lose()
        loop = asyncio.get_running_loop()
        begun = loop.time()
        taken: set[int] = set()
        try:
            async with asyncio.timeout(seconds):
                while len(taken) < SHARDS:
                    taken |= await self.database.owned_by_others(pid)
                    await asyncio.sleep(0.02)
        except TimeoutError:
            self.report.complaints.append(f"{node.name} still owned shards after {seconds} s")
        self.report.takeovers.append(loop.time() - begun)

    async def until_live(self, nodes: int) -> None:
        """Wait until so many nodes work: what all of them lose at once, nobody can take over."""
        async with asyncio.timeout(60):
            while await self.database.live_nodes() < nodes:
                await asyncio.sleep(0.05)

    async def until_restarted(self, node: Node) -> None:
        """Wait until a node that ended listens again."""
        starts = node.starts
        async with asyncio.timeout(60):
            while node.starts == starts:
                await asyncio.sleep(0.05)
        await node.listening()

    async def _drain(
        self, retrying: RetryingOperator, erasing: ErasingOperator, agent: TextingAgent
    ) -> None:
        for node in self.nodes:
            await node.listening()
        self.core.forget(erasing.erased)
        await self.core.until(lambda: not verdict.missing(self._ledger, self.core), 90)
        await retrying.retry_all()
        async with asyncio.timeout(90):
            await retrying.settled()
        await self.core.until(lambda: not verdict.missing(self._ledger, self.core), 30)
        await agent.settled(60)
        await self._until(lambda: not self.database.left_over(), 30)

    async def _until(self, condition: Callable[[], bool], seconds: float) -> None:
        end = asyncio.get_running_loop().time() + seconds
        while not condition() and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.1)

    async def _stop(self) -> None:
        for node in self.nodes:
            node.is_wanted = False
        statuses = await asyncio.gather(*(node.stop(20) for node in self.nodes))
        for node, status in zip(self.nodes, statuses, strict=True):
            if status != 0:
                self.report.complaints.append(
                    f"{node.name} ended with {status} when it was stopped"
                )

    def _sum_up(self, agent: TextingAgent) -> None:
        report = self.report
        report.complaints += verdict.broken_promises(self._ledger, self.core)
        report.complaints += verdict.stored_amiss(self.core.events, self._folder / "media", [])
        report.complaints += self.database.left_over()
        report.complaints += agent.complaints(self.platforms)
        report.complaints += [
            f"credentials went astray: {platform.leaks}"
            for platform in self.platforms.values()
            if platform.leaks
        ]
        report.starts = sum(node.starts for node in self.nodes)
        report.messages, report.events = len(self._ledger), len(self.core.events)
        report.posts, report.texts = self.core.posts, len(agent.accepted)
        report.batches = self.core.batches
        for attachment in verdict.final_states(self.core.events).values():
            state = str(attachment["state"])
            report.attachments[state] = report.attachments.get(state, 0) + 1
