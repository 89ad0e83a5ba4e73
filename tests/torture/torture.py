"""One run with a seed: traffic, a process that is killed repeatedly, a quiet end, and the verdict."""

import asyncio
import os
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from tests.system.running import SECRET

from . import verdict
from .core import UnreliableCore
from .ledger import Ledger
from .operators import ErasingOperator, RetryingOperator
from .platforms import FaultyPlatform, faulty_platform
from .process import GatewayProcess
from .senders import Sender

_KINDS = ("whatsapp", "messenger", "twilio", "apple")
#: Seconds after which a process is killed even if it has not reached its fault point.
_MAX_LIFETIME = 6.0
#: The same in long runs, which a machine does beside other work.
_MAX_PATIENT_LIFETIME = 20.0


@dataclass(slots=True)
class Report:
    """A summary of a run; it shows whether enough happened for a success to mean something."""

    seed: int
    starts: int = 0
    messages: int = 0
    events: int = 0
    posts: int = 0
    retried: int = 0
    attachments: dict[str, int] = field(default_factory=dict)
    died_at: list[str] = field(default_factory=list)
    not_reached: list[str] = field(default_factory=list)
    exit_status: int | None = None
    complaints: list[str] = field(default_factory=list)


class Torture:
    """Kills the process once at each of `points`, then at random for `seconds`.

    Meanwhile `crash` is called now and then; it kills the database, and starts it again.
    """

    def __init__(
        self,
        folder: Path,
        seed: int,
        *,
        seconds: float,
        points: Sequence[str] = (),
        senders: int = 12,
        patient: bool = False,
        journal: str = "sqlite",
        crash: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._crash = crash
        self._journal = journal
        self._folder = folder
        self._seconds = seconds
        self._points = list(points)
        self._senders = senders
        self._patient = patient
        self._dice = random.Random(seed)
        self._ledger = Ledger()
        self._core = UnreliableCore(SECRET, self._new_dice())
        self._platforms: list[FaultyPlatform] = []
        self.report = Report(seed)

    def _new_dice(self) -> random.Random:
        """Return separate dice for each part, so that no part influences the randomness of another."""
        return random.Random(self._dice.getrandbits(64))

    async def run(self) -> Report:
        async with AsyncExitStack() as stack:
            http = await stack.enter_async_context(aiohttp.ClientSession())
            gateway = GatewayProcess(self._folder, http)
            stack.push_async_callback(gateway.kill)
            await self._core.start()
            stack.push_async_callback(self._core.close)
            senders = [await self._sender(gateway, number) for number in range(self._senders)]
            erasing = await self._erasing(gateway)
            for platform in self._platforms:
                stack.push_async_callback(platform.close)
            self._configure(gateway, [s.connector for s in senders])
            # On PostgreSQL, a file that was in work at three kills is taken for their reason.
            is_sqlite = self._journal == "sqlite" and os.environ.get("TEST_JOURNAL") != "postgresql"
            also = () if is_sqlite else ("decoder_crashed",)
            retrying = RetryingOperator(gateway, self._core, self._new_dice(), also)
            end = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                for run in (*(sender.run for sender in senders), erasing.run, retrying.run):
                    group.create_task(run(end))
                calm = asyncio.Event()
                crashing = group.create_task(self._crash_repeatedly(calm))
                await self._kill_repeatedly(gateway)
                # The last process must find its database, or nothing would ever be accepted again.
                calm.set()
                await crashing
                await gateway.begin()
                self._core.failure_rate = 0.0
                end.set()
            await self._drain(gateway, retrying, erasing)
            self._sum_up(gateway)
        return self.report

    async def _sender(self, gateway: GatewayProcess, number: int) -> Sender:
        kind = _KINDS[number % len(_KINDS)]
        connector = f"{kind}-{number}"
        platform = await self._platform(gateway, kind, connector)
        return Sender(connector, platform, self._ledger, self._new_dice(), number)

    async def _erasing(self, gateway: GatewayProcess) -> ErasingOperator:
        platform = await self._platform(gateway, "whatsapp", "forgotten")
        return ErasingOperator("forgotten", platform, gateway, self._core)

    async def _platform(self, gateway: GatewayProcess, kind: str, connector: str) -> FaultyPlatform:
        webhook = f"{gateway.url}/webhooks/{connector}"
        platform = faulty_platform(kind, webhook, self._new_dice(), patient=self._patient)
        await platform.start()
        self._platforms.append(platform)
        return platform

    def _configure(self, gateway: GatewayProcess, connectors: Sequence[str]) -> None:
        names = [*connectors, "forgotten"]
        settings = zip(names, (platform.settings() for platform in self._platforms), strict=True)
        gateway.configure(
            {
                "gateway": {"journal": self._journal},
                "core": {"url": self._core.url, "secrets": [SECRET], "hold_seconds": 0.5},
                "fetch": {"allow_private_hosts": True},
                "connectors": dict(settings),
            }
        )

    async def _kill_repeatedly(self, gateway: GatewayProcess) -> None:
        end = asyncio.get_running_loop().time() + self._seconds
        dice = self._new_dice()
        waiting = [(point, 0) for point in self._points]
        while waiting:
            point, tries = waiting.pop(0)
            if not await self._die_at(gateway, point, dice):
                if tries < 2:
                    waiting.append((point, tries + 1))
                else:
                    self.report.not_reached.append(point)
        while asyncio.get_running_loop().time() < end:
            await self._die_at_random(gateway, dice)

    async def _crash_repeatedly(self, calm: asyncio.Event) -> None:
        dice = random.Random(self.report.seed)
        while self._crash is not None and not calm.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(calm.wait(), dice.uniform(5, 15))
                return
            await self._crash()

    def _lacked_database(self, gateway: GatewayProcess) -> bool:
        """Whether the process ended because the database was away when it started: its supervisor starts it again."""
        return (
            self._crash is not None
            and gateway.status not in {None, -9}
            and "gateway.journal: cannot" in gateway.said()
        )

    async def _die_at(self, gateway: GatewayProcess, point: str, dice: random.Random) -> bool:
        count = 1 if point == "journal-made" else dice.choice([1, 1, 2])
        await gateway.begin(f"{point}:{count}")
        lifetime = _MAX_PATIENT_LIFETIME if self._patient else _MAX_LIFETIME
        while (died := await gateway.ended(lifetime)) and self._lacked_database(gateway):
            await gateway.begin(f"{point}:{count}")
        if died and gateway.status != -9:
            self.report.complaints.append(
                f"ended with {gateway.status} on the way to {point}: {gateway.tail()}"
            )
        if died:
            self.report.died_at.append(point)
        await gateway.kill()
        return died

    async def _die_at_random(self, gateway: GatewayProcess, dice: random.Random) -> None:
        await gateway.begin()
        if dice.random() < 0.8:
            if not await self._listening(gateway):
                return
            await asyncio.sleep(dice.expovariate(1.0))
        else:
            await asyncio.sleep(dice.uniform(0.0, 1.0))
        if gateway.status is not None and not self._lacked_database(gateway):
            self.report.complaints.append(f"ended by itself: {gateway.tail()}")
        await gateway.kill()
        self.report.died_at.append("random")

    async def _listening(self, gateway: GatewayProcess) -> bool:
        """Wait until the process answers; False if the database was away when it started."""
        try:
            await gateway.listening()
        except RuntimeError:
            if not self._lacked_database(gateway):
                raise
            return False
        return True

    async def _drain(
        self, gateway: GatewayProcess, retrying: RetryingOperator, erasing: ErasingOperator
    ) -> None:
        self._core.forget(erasing.erased)
        seconds = 240.0 if self._patient else 60.0
        await self._core.until(lambda: not verdict.missing(self._ledger, self._core), seconds)
        await retrying.retry_all()
        async with asyncio.timeout(90):
            await retrying.settled()
        await self._core.until(lambda: not verdict.missing(self._ledger, self._core), 30)
        # Files that were erased while in progress are deleted shortly afterwards.
        await asyncio.sleep(3.0)
        self.report.retried = len(retrying.retried)
        self.report.exit_status = await gateway.stop()

    def _sum_up(self, gateway: GatewayProcess) -> None:
        report = self.report
        report.complaints += verdict.complaints(
            self._ledger, self._core, gateway.data, journal=self._journal
        )
        report.complaints += [
            f"credentials went astray: {platform.leaks}"
            for platform in self._platforms
            if platform.leaks
        ]
        report.starts, report.messages = gateway.starts, len(self._ledger)
        report.events, report.posts = len(self._core.events), self._core.posts
        for attachment in verdict.final_states(self._core.events).values():
            state = str(attachment["state"])
            report.attachments[state] = report.attachments.get(state, 0) + 1
