"""A node of the cluster: a process, its own way to PostgreSQL, and files that it shares with the others."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import aiohttp

from tests.torture.process import GatewayProcess

from .database import Database
from .hooks.sitecustomize import FURTHER_FORMATS
from .relay import Relay

#: Python runs it at the start of each node.
_HOOKS = Path(__file__).with_name("hooks")


class Node(GatewayProcess):
    def __init__(
        self, folder: Path, http: aiohttp.ClientSession, name: str, database: Database
    ) -> None:
        folder.mkdir(parents=True)
        super().__init__(folder, http)
        self.name = name
        self.relay = Relay(database.server.port)
        self._database = database
        #: Whether the harness wants it to run; the supervisor starts it again if it ends by itself.
        self.is_wanted = True
        #: How many formats of the tables it knows beyond those of the program, as a newer version does.
        self.further_formats = 0

    async def prepare(self, content: dict[str, Any], media: Path) -> None:
        """Write the settings; all nodes keep their media in one folder."""
        await self.relay.start()
        self.data.mkdir(mode=0o700)
        media.mkdir(mode=0o700, exist_ok=True)
        (self.data / "media").symlink_to(media)
        url = self._database.url_through(self.relay.port)
        gateway = {**content.get("gateway", {}), "journal": url, "node": self.name}
        self.configure({**content, "gateway": gateway})

    async def begin(self, fault_point: str | None = None) -> None:
        added = {"PYTHONPATH": str(_HOOKS), FURTHER_FORMATS: str(self.further_formats)}
        os.environ.update(added)
        try:
            await super().begin(fault_point)
        finally:
            for name in added:
                del os.environ[name]

    def send_signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    async def supervise(self, complaints: list[str]) -> None:
        """Start the process again whenever it has ended, as systemd does."""
        while True:
            assert self._process is not None
            process = self._process
            status = await process.wait()
            if not self.is_wanted:
                return
            if status not in {0, -signal.SIGKILL, -signal.SIGTERM}:
                complaints.append(f"{self.name} ended with {status}: {self.tail()}")
            if process is self._process:
                await self.begin()
            await asyncio.sleep(0.05)
