"""Strangers who reach a running gateway: raw connections that send little, slowly, or far too much."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tests.system.running import CONSUMERS, Site

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]

#: A proof of the right shape for each platform, which no secret has made.
SHAPES = {
    "whatsapp": f"x-hub-signature-256: sha256={'0' * 64}",
    "instagram": f"x-hub-signature-256: sha256={'0' * 64}",
    "messenger": f"x-hub-signature-256: sha256={'0' * 64}",
    "twilio": f"x-twilio-signature: {'A' * 27}=",
}


@asynccontextmanager
async def connections(running: Site, count: int) -> AsyncIterator[list[Stream]]:
    """Open raw connections, and close them at the end."""
    streams: list[Stream] = []
    try:
        while len(streams) < count:
            streams.append(await asyncio.open_connection("127.0.0.1", running.port))
        yield streams
    finally:
        for _, writer in streams:
            writer.close()


def head(
    name: str, length: int, *headers: str, kind: str = "application/json", close: bool = True
) -> bytes:
    """The head of a POST whose body has `length` bytes."""
    lines = [
        f"POST /webhooks/{name} HTTP/1.1",
        "host: gateway",
        f"content-type: {kind}",
        f"content-length: {length}",
        *(["connection: close"] if close else []),
        *headers,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def exchange(running: Site, request: bytes, seconds: float = 30) -> bytes:
    """Send raw bytes, and return all that comes back until the gateway hangs up."""
    async with asyncio.timeout(seconds):
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        try:
            with suppress(ConnectionError):
                writer.write(request)
                await writer.drain()
            return await rest(reader)
        finally:
            writer.close()


async def rest(reader: asyncio.StreamReader) -> bytes:
    received = b""
    with suppress(ConnectionError):
        while piece := await reader.read(65536):
            received += piece
    return received


async def delivered(running: Site, text: str, name: str = "whatsapp") -> None:
    """Send a genuine message, and wait until the core has it."""
    answers = await running.platforms[name].send(CONSUMERS[name], text)
    assert [answer.status for answer in answers] == [200]
    await running.until(
        lambda es: any(e["data"].get("message", {}).get("text") == text for e in es), seconds=20
    )


def memory(running: Site, field: str = "VmRSS") -> int:
    """The gateway's memory in bytes."""
    assert running.process is not None
    status = Path(f"/proc/{running.process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith(f"{field}:"))
    return int(line.split()[1]) * 1024


def processor_seconds(running: Site) -> float:
    """The processor time that the gateway has used."""
    assert running.process is not None
    fields = Path(f"/proc/{running.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def log_lines(running: Site, event: str) -> list[str]:
    log = (running.folder / "gateway.log").read_text().splitlines()
    return [line for line in log if f'"{event}"' in line]
