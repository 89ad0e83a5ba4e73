"""`airlock serve` as a process that is stopped or killed and started again."""

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

import aiohttp

from gateway.fault_points import VARIABLE
from tests.system.running import AIRLOCK, TOKEN, free_port


class GatewayProcess:
    """Consecutive processes with one settings file, one port and one data folder."""

    def __init__(self, folder: Path, http: aiohttp.ClientSession) -> None:
        self.folder = folder
        self.port = free_port()
        self.starts = 0
        self._log_before = 0
        self._http = http
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "gateway.log"

    def configure(self, content: dict[str, Any]) -> None:
        """Write connectors.yaml, with this object's port, data folder and token."""
        own = {"listen": f"127.0.0.1:{self.port}", "data": str(self.data), "api_tokens": [TOKEN]}
        content = {**content, "gateway": {**content.get("gateway", {}), **own}}
        (self.folder / "connectors.yaml").write_text(json.dumps(content))

    async def begin(self, fault_point: str | None = None) -> None:
        """Start a process without waiting until it listens."""
        environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
        if fault_point is not None:
            environment[VARIABLE] = fault_point
        self.starts += 1
        with self.log.open("ab") as log:
            self._log_before = log.tell()
            self._process = await asyncio.create_subprocess_exec(
                *(str(AIRLOCK), "serve", "-c", str(self.folder / "connectors.yaml")),
                stdout=log,
                stderr=log,
                env=environment,
            )

    async def listening(self, seconds: float = 60) -> None:
        """Wait until the process answers; raise RuntimeError if it has exited."""
        async with asyncio.timeout(seconds):
            while not await self._answers():
                if self.status is not None:
                    raise RuntimeError(f"ended with {self.status}: {self.tail()}")
                await asyncio.sleep(0.02)

    async def ended(self, seconds: float) -> bool:
        """Whether the process exits within so many seconds."""
        assert self._process is not None
        try:
            await asyncio.wait_for(self._process.wait(), seconds)
        except TimeoutError:
            return False
        return True

    @property
    def status(self) -> int | None:
        return None if self._process is None else self._process.returncode

    async def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
            await self._process.wait()

    async def stop(self, seconds: float = 15) -> int:
        """Terminate the process and return its exit status."""
        assert self._process is not None
        self._process.terminate()
        async with asyncio.timeout(seconds):
            return await self._process.wait()

    async def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {"authorization": f"Bearer {TOKEN}"}
        async with self._http.request(
            method, self.url + path, json=body, headers=headers
        ) as response:
            return response.status, await response.json(content_type=None)

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-3000:]

    def said(self) -> str:
        """Return what the newest process wrote."""
        return self.log.read_bytes()[self._log_before :].decode(errors="replace")

    async def _answers(self) -> bool:
        try:
            async with self._http.get(f"{self.url}/healthz") as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False
