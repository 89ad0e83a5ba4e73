"""Real processes for system tests: `airlock serve` with emulated platforms and a core."""

import asyncio
import base64
import contextlib
import json
import os
import random
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from simulator import PLATFORMS, Consumer, Core, Platform

AIRLOCK = Path(sys.executable).with_name("airlock")
SECRET = "whsec_" + base64.b64encode(b"a secret for system tests").decode()
TOKEN = "a-token-for-system-tests"

CONSUMERS = {
    "whatsapp": Consumer("4915112345678", "Mia Berger"),
    "instagram": Consumer("1789012345678901", "Fay Moreau"),
    "messenger": Consumer("7712345678901234", "Ben Okafor"),
    "twilio": Consumer("+15550001111", "Cleo Martin"),
    "apple": Consumer("urn:mbid:AQAAYexample/+=", "Dana Silva"),
    "web": Consumer("con_6769610000000000000000000000cafe", "Gia Rossi"),
}


def free_port() -> int:
    """Return a free port below the ephemeral range: an outgoing connection could take an ephemeral one during a restart."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    below = range(min(10_000, lowest - 1), lowest)
    for port in random.sample(below, k=min(100, len(below))):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise RuntimeError("no port is free")


@dataclass
class Site:
    """A running gateway process, its platforms and its core."""

    folder: Path
    port: int
    core: Core
    platforms: dict[str, Platform]
    http: aiohttp.ClientSession
    process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        log = (self.folder / "gateway.log").open("ab")
        self.process = await asyncio.create_subprocess_exec(
            str(AIRLOCK),
            "serve",
            "-c",
            str(self.folder / "connectors.yaml"),
            stdout=log,
            stderr=log,
        )
        log.close()
        async with asyncio.timeout(60):
            while not await self._listens():
                if self.process.returncode is not None:
                    raise RuntimeError((self.folder / "gateway.log").read_text()[-3000:])
                await asyncio.sleep(0.05)

    async def _listens(self) -> bool:
        try:
            async with self.http.get(f"{self.url}/healthz") as response:
                return response.status == 200
        except aiohttp.ClientConnectionError:
            return False

    async def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()

    async def stop(self) -> int:
        """Send SIGTERM and return the exit status."""
        if self.process is None or self.process.returncode is not None:
            return -1
        self.process.terminate()
        async with asyncio.timeout(20):
            return await self.process.wait()

    async def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {"authorization": f"Bearer {TOKEN}"}
        async with self.http.request(
            method, self.url + path, json=body, headers=headers
        ) as response:
            return response.status, await response.json(content_type=None)

    async def until(
        self, enough: Callable[[list[dict[str, Any]]], bool], seconds: float = 60
    ) -> list[dict[str, Any]]:
        return await self.core.until(enough, seconds)


def attachments(events: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the latest state of every attachment by id."""
    return {
        attachment["id"]: attachment
        for event in events
        for attachment in event["data"].get("message", {}).get("attachments", [])
    }


def messages(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the events about messages; others, such as a name that was looked up, may come at any time."""
    return [event for event in events if "message" in event["data"]]


def holder(events: list[dict[str, Any]], attachment: str) -> dict[str, Any]:
    """Return the latest event with an attachment. Events of other messages and names may come before and after it."""
    return [event for event in events if attachment in attachments([event])][-1]


def ended(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [a for a in attachments(events).values() if a["state"] != "pending"]


@asynccontextmanager
async def site(
    folder: Path,
    *,
    settings: dict[str, Any] | Callable[[int], dict[str, Any]] | None = None,
    core_url: str | None = None,
    workspace: bool = False,
    further_accounts: Mapping[str, Mapping[str, str]] | None = None,
) -> AsyncIterator[Site]:
    """Start everything, and stop the gateway's process at the end. `settings`, perhaps made from the port, are merged
    over the defaults.

    With `workspace`, the built-in workspace is the core. `further_accounts` are the tokens of further accounts by their
    ids, for each of Meta's platforms by name.
    """
    async with AsyncExitStack() as stack:
        core = Core(SECRET)
        await core.start()
        stack.push_async_callback(core.close)
        port = free_port()
        platforms: dict[str, Platform] = {}
        for name, kind in PLATFORMS.items():
            platforms[name] = kind(f"http://127.0.0.1:{port}/webhooks/{name}")
            if further_accounts and name in further_accounts:
                vars(platforms[name])["further_accounts"] = dict(further_accounts[name])
            await platforms[name].start()
            stack.push_async_callback(platforms[name].close)
        content: dict[str, Any] = {
            "gateway": {
                "listen": f"127.0.0.1:{port}",
                "data": str(folder / "data"),
                "api_tokens": [TOKEN],
            },
            "core": {} if workspace else {"url": core_url or core.url, "secrets": [SECRET]},
            "fetch": {"allow_private_hosts": True},
            "connectors": {name: p.settings() for name, p in platforms.items()},
        }
        more = settings(port) if callable(settings) else settings or {}
        for section, values in more.items():
            content[section] = {**content.get(section, {}), **values}
        (folder / "connectors.yaml").write_text(json.dumps(content))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        running = Site(folder, port, core, platforms, http)
        try:
            await running.start()
            yield running
        finally:
            await running.stop()


def environment_without(*names: str) -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key not in names}
