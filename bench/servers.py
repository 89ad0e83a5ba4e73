"""Servers under test: starts them on one processor, and reads what the system reports about them."""

import os
import random
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_COMMITS = "airlock_journal_commits_total "
_CLOCK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Server:
    """A running server: its process and port."""

    process: "subprocess.Popen[bytes]"
    port: int

    def cpu(self) -> float:
        """Return the CPU seconds that the process itself has used so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / _CLOCK

    def syncs(self) -> float:
        """Return the group commits so far, each with one fsync; 0 for a server that does not count them."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as page:
                lines = page.read().decode().splitlines()
        except urllib.error.HTTPError:
            return 0.0
        return sum(float(line.split()[1]) for line in lines if line.startswith(_COMMITS))

    def resident(self) -> int:
        """Return the peak of resident bytes."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        raise LookupError(f"/proc/{self.process.pid}/status has no VmHWM; run on Linux")


def free_port() -> int:
    """Return a free port below the ephemeral range: an attack's outgoing connection could take one from it."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for port in random.sample(range(min(10_000, lowest - 1), lowest), k=100):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise RuntimeError("no port is free")


@contextmanager
def floor(name: str, directory: Path, core: int) -> Iterator[Server]:
    port = free_port()
    with _running(
        [sys.executable, "-m", "bench.floors", name, str(directory), str(port)], core, port
    ) as s:
        yield s


@contextmanager
def gateway(directory: Path, core_url: str, core: int, batch: int = 1) -> Iterator[Server]:
    """Run `airlock serve` with one WhatsApp connector called bench, and at most `batch` events in one POST."""
    from bench.deliveries import APP_SECRET

    port = free_port()
    settings = directory / "connectors.yaml"
    settings.write_text(
        f"""gateway: {{listen: "127.0.0.1:{port}", data: {directory}/data, api_tokens: [bench-token]}}
core: {{url: "{core_url}", batch: {batch}, secrets: ["whsec_YmVuY2htYXJrcyBuZWVkIGEgc2VjcmV0"]}}
fetch: {{allow_private_hosts: true}}
media: {{isolation: reduced}}
connectors:
  bench:
    type: whatsapp
    app_secrets: [{APP_SECRET}]
    verify_token: token
    access_token: token
    phone_number_id: "106540352242922"
"""
    )
    with airlock(settings, port, core) as server:
        yield server


@contextmanager
def airlock(settings: Path, port: int, core: int | None = None) -> Iterator[Server]:
    """Run `airlock serve` on one processor or on all, and wait until it is ready."""
    command = [str(Path(sys.executable).with_name("airlock")), "serve", "-c", str(settings)]
    with _running(command, core, port) as server:
        _wait_until_ready(port)
        yield server


@contextmanager
def _running(command: list[str], core: int | None, port: int) -> Iterator[Server]:
    cores = os.sched_getaffinity(0) if core is None else {core}
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, preexec_fn=lambda: os.sched_setaffinity(0, cores)
    )
    try:
        _wait_for(port, process)
        yield Server(process, port)
    finally:
        process.terminate()
        process.wait(20)


def _wait_until_ready(port: int) -> None:
    """Wait for /readyz: the gateway listens before its decoders are warm, and warms them on the measured processor."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5).close()
        except urllib.error.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"the gateway on port {port} is not ready after 60 s")


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} exited with status {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"{process.args!r} does not listen on port {port} after 60 s")
