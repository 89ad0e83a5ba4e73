"""A real clamd with its own small signature file, started and stopped by tests."""

import asyncio
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

#: In two parts, so that no scanner detects this file.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-" + b"ANTIVIRUS-TEST-FILE!$H+H*"
SIGNATURE = "Test-Anywhere"

_CONFIGURATION = """
Foreground yes
DatabaseDirectory {directory}/signatures
LocalSocket {directory}/clamd.ctl
TCPSocket {port}
TCPAddr 127.0.0.1
TemporaryDirectory {directory}
StreamMaxLength {longest}
MaxFileSize {looked_into}
MaxScanSize {looked_into}
SelfCheck 0
"""


class Daemon:
    """A clamd in its own folder. It may be stopped and started again."""

    def __init__(
        self, directory: Path, longest: str = "30M", looked_into: str | None = None
    ) -> None:
        program = shutil.which("clamd") or shutil.which("clamd", path="/usr/sbin")
        if program is None:
            pytest.skip("clamd is not installed (Debian: clamav-daemon)")
        self._program, self._directory = program, directory
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        signatures = directory / "signatures"
        signatures.mkdir(parents=True)
        (signatures / "test.ndb").write_text(f"{SIGNATURE}:0:*:{EICAR.hex()}\n")
        (directory / "clamd.conf").write_text(
            _CONFIGURATION.format(
                directory=directory,
                port=self.port,
                longest=longest,
                looked_into=looked_into or longest,
            )
        )

    @property
    def unix(self) -> str:
        return f"unix:{self._directory}/clamd.ctl"

    @property
    def tcp(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        self._process = subprocess.Popen(  # noqa: ASYNC220  # returns at once
            [self._program, f"--config-file={self._directory}/clamd.conf"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 30
        while not await self._answers():
            assert self._process.poll() is None, "clamd did not start"
            assert time.monotonic() < deadline, "clamd was not ready in time"
            await asyncio.sleep(0.02)

    def stop(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None
            (self._directory / "clamd.ctl").unlink(missing_ok=True)

    async def _answers(self) -> bool:
        try:
            _, unix = await asyncio.open_unix_connection(f"{self._directory}/clamd.ctl")
            unix.close()
            _, tcp = await asyncio.open_connection("127.0.0.1", self.port)
            tcp.close()
        except OSError:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
