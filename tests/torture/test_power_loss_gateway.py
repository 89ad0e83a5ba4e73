"""The power is cut while the whole gateway works, and a new gateway continues with the surviving data."""

import asyncio
import json
import os
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.journal.sqlite import checkpoints
from gateway.service import Gateway
from gateway.settings import load
from tests.system.running import SECRET, TOKEN, free_port

from . import verdict
from .core import UnreliableCore
from .disk import Disk
from .ledger import Ledger
from .platforms import FaultyPlatform, faulty_platform
from .seeds import LONG, SEEDS
from .senders import Sender

#: The disk is simulated below SQLite.
pytestmark = pytest.mark.sqlite

_KINDS = ("whatsapp", "messenger", "twilio", "apple")
_CUTS, _SECONDS = (20, 20.0) if LONG else (5, 4.0)


@dataclass(slots=True)
class Cut:
    """The surviving folder, and the messages accepted and events delivered until the cut."""

    folder: Path
    ledger: Ledger
    core: UnreliableCore


class Setup:
    """Four platforms with one sender each, and a gateway in this process that can use any folder."""

    def __init__(self, tmp_path: Path, dice: random.Random) -> None:
        self.ledger = Ledger()
        self.senders: list[Sender] = []
        self._port = free_port()
        self._tmp_path, self._dice = tmp_path, dice

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Setup"]:
        platforms: list[FaultyPlatform] = []
        for number, kind in enumerate(_KINDS):
            webhook = f"http://127.0.0.1:{self._port}/webhooks/{kind}"
            platforms.append(
                faulty_platform(kind, webhook, self._dice, patient=False, retried=False)
            )
            await platforms[-1].start()
            self.senders.append(Sender(kind, platforms[-1], self.ledger, self._dice, number))
        yield self
        for platform in platforms:
            await platform.close()

    def gateway(self, data: Path, core: UnreliableCore) -> Gateway:
        content: dict[str, Any] = {
            "gateway": {
                "listen": f"127.0.0.1:{self._port}",
                "data": str(data),
                "api_tokens": [TOKEN],
            },
            "core": {"url": core.url, "secrets": [SECRET], "hold_seconds": 0.3},
            "fetch": {"allow_private_hosts": True},
            "connectors": {s.connector: s.platform.settings() for s in self.senders},
        }
        file = self._tmp_path / "connectors.yaml"
        file.write_text(json.dumps(content))
        return Gateway(load(file, os.environ))


@pytest.mark.system
@pytest.mark.parametrize("seed", SEEDS)
async def test_acknowledged_messages_survive_a_power_cut_and_arrive_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(checkpoints, "_COMMITS", 20)
    dice = random.Random(seed)
    async with Setup(tmp_path, dice).open() as setup:
        for cut in await _work_and_cut(tmp_path, setup, dice):
            await _take_over(setup, cut, dice)


async def _work_and_cut(tmp_path: Path, setup: Setup, dice: random.Random) -> list[Cut]:
    house = tmp_path / "house"
    house.mkdir()
    disk, core, cuts = Disk(house), UnreliableCore(SECRET, dice, failure_rate=0.2), list[Cut]()
    await core.start()

    def cut() -> None:
        disk.on_sync = lambda: None
        # The order matters: this cut may lose what happens from here on.
        cuts.append(
            Cut(tmp_path / f"cut{len(cuts)}", setup.ledger.copy(), core.copy_without_failures(dice))
        )
        disk.cut(cuts[-1].folder, dice)

    end = asyncio.Event()
    with disk.watching():
        async with setup.gateway(house / "data", core), asyncio.TaskGroup() as group:
            for sender in setup.senders:
                group.create_task(sender.run(end))
            for _ in range(_CUTS):
                await asyncio.sleep(dice.uniform(0.5, 1.5) * _SECONDS / _CUTS)
                disk.on_sync = cut
            await asyncio.sleep(0.5)
            end.set()
    await core.close()
    assert len(cuts) == _CUTS
    return cuts


async def _take_over(setup: Setup, cut: Cut, dice: random.Random) -> None:
    """Run a new gateway on the surviving folder; each consumer sends another message."""
    ledger, core = cut.ledger, cut.core
    await core.start()
    async with setup.gateway(cut.folder / "data", core):
        senders = [
            Sender(s.connector, s.platform, ledger, dice, n) for n, s in enumerate(setup.senders)
        ]
        for sender in senders:
            await sender.write_to_all()
        await core.until(lambda: not verdict.missing(ledger, core), 60)
        await core.until(lambda: not _pending(core), 60)
        await asyncio.sleep(0.2)
    await core.close()
    assert verdict.complaints(ledger, core, cut.folder / "data", more_is_fine=True) == []


def _pending(core: UnreliableCore) -> bool:
    states = verdict.final_states(core.events).values()
    return any(attachment["state"] == "pending" for attachment in states)
