"""`airlock serve` as a service: a process with one small connector, signals, inherited sockets, and a supervisor."""

import asyncio
import hashlib
import hmac
import itertools
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from simulator import Core
from tests.system.running import AIRLOCK, SECRET, TOKEN, free_port

APP_SECRET = "an app secret of these tests"
#: Starts a program with descriptors from 3 on, as systemd does.
_ACTIVATE = """
import os, sys
count = int(sys.argv[1])
for number, descriptor in enumerate(map(int, sys.argv[2:2 + count])):
    os.dup2(descriptor, 3 + number)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(count))
os.execv(sys.argv[2 + count], sys.argv[2 + count:])
"""


@dataclass
class Service:
    """A gateway with one WhatsApp connector, `phone`, whose settings a test may change."""

    folder: Path
    port: int
    core: Core
    http: aiohttp.ClientSession
    settings: dict[str, Any]
    sockets: tuple[socket.socket, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    process: asyncio.subprocess.Process | None = None
    command: str = "serve"
    numbers: Iterable[int] = field(default_factory=itertools.count)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def write_settings(self) -> None:
        """Write the settings in one step, as an editor or a configuration manager does."""
        new = self.folder / "connectors.yaml.new"
        new.write_text(json.dumps(self.settings))
        new.replace(self.folder / "connectors.yaml")

    async def start(self, wait: bool = True) -> None:
        self.write_settings()
        command = [str(AIRLOCK), self.command, "-c", str(self.folder / "connectors.yaml")]
        descriptors = [str(sock.fileno()) for sock in self.sockets]
        if descriptors:
            command = [
                sys.executable, "-c", _ACTIVATE, str(len(descriptors)), *descriptors, *command,
            ]  # fmt: skip
        with (self.folder / "gateway.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *command,
                stdout=log,
                stderr=log,
                pass_fds=[sock.fileno() for sock in self.sockets],
                env={**os.environ, **self.environment},
            )
        if wait:
            await self.until(lambda: "gateway_listens" in self.log)

    @property
    def log(self) -> str:
        """What the present process has logged."""
        text = (self.folder / "gateway.log").read_text()
        return text[text.rfind('"event": "gateway_ends"') :] if "gateway_ends" in text else text

    def logged(self, event: str) -> list[dict[str, Any]]:
        lines = (self.folder / "gateway.log").read_text().splitlines()
        read = [json.loads(line) for line in lines if line.startswith("{")]
        return [line for line in read if line["event"] == event]

    async def until(self, condition: Callable[[], Any]) -> Any:
        async with asyncio.timeout(60):
            while not (found := condition()):
                assert self.process is not None
                if self.process.returncode is not None:
                    raise RuntimeError((self.folder / "gateway.log").read_text()[-3000:])
                await asyncio.sleep(0.02)
        return found

    async def reload(self) -> dict[str, Any]:
        """Write the settings, send SIGHUP, and return the log line about it."""
        ends = ("settings_reloaded", "settings_not_reloaded")
        before = sum(len(self.logged(end)) for end in ends)
        self.write_settings()
        self.signal(signal.SIGHUP)
        await self.until(lambda: sum(len(self.logged(end)) for end in ends) > before)
        return max(
            (line for end in ends for line in self.logged(end)), key=lambda line: line["time"]
        )

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    async def stop(self) -> int:
        if self.process is None or self.process.returncode is not None:
            return -1
        self.process.terminate()
        async with asyncio.timeout(30):
            return await self.process.wait()

    async def deliver(self, connector: str = "phone", secret: str = APP_SECRET) -> int:
        """Post a text on a new connection; return the status."""
        body = json.dumps(_delivery(next(iter(self.numbers)))).encode()
        proof = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {"x-hub-signature-256": f"sha256={proof}", "connection": "close"}
        url = f"{self.url}/webhooks/{connector}"
        async with self.http.post(url, data=body, headers=headers) as response:
            return response.status

    async def deliver_until(self, end: asyncio.Event, connector: str = "phone") -> list[int]:
        statuses: list[int] = []
        while not end.is_set():
            statuses.append(await self.deliver(connector))
            await asyncio.sleep(0.005)
        return statuses

    def received(self) -> int:
        return len({e["id"] for e in self.core.events if e["type"] == "message.received"})


def phone(*secrets: str) -> dict[str, Any]:
    return {
        "type": "whatsapp",
        "app_secrets": list(secrets or (APP_SECRET,)),
        "verify_token": "a word to verify by",
        "access_token": "a token for the platform",
        "phone_number_id": "106540352242922",
        "api_url": "http://127.0.0.1:9/v25.0",
    }


def _delivery(number: int) -> dict[str, Any]:
    message = {
        "from": f"49151{number % 20:06}",
        "id": f"wamid.{number}",
        "timestamp": "1760000000",
        "type": "text",
        "text": {"body": f"text {number}"},
    }
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "1", "phone_number_id": "106540352242922"},
        "messages": [message],
    }
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    return {"object": "whatsapp_business_account", "entry": [entry]}


@asynccontextmanager
async def service(
    folder: Path,
    sockets: tuple[socket.socket, ...] = (),
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[Service]:
    """Yield a service that is not started yet, and stop it at the end."""
    port = sockets[0].getsockname()[1] if sockets else free_port()
    core = Core(SECRET)
    await core.start()
    settings = {
        "gateway": {
            "listen": f"127.0.0.1:{port}",
            "data": str(folder / "data"),
            "api_tokens": [TOKEN],
        },
        "core": {"url": core.url, "secrets": [SECRET]},
        "fetch": {"allow_private_hosts": True},
        "connectors": {"phone": phone()},
    }
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    async with aiohttp.ClientSession(connector=connector) as http:
        running = Service(folder, port, core, http, settings, sockets, environment or {})
        try:
            yield running
        finally:
            await running.stop()
            await core.close()
