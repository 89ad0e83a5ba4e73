"""A clamd whose answers are set by tests of what follows from its verdicts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

_EICAR = b"EICAR-STANDARD-"


@dataclass
class FakeClamd:
    """`verdict` is the answer about every file that does not begin as the test virus does."""

    address: str = ""
    verdict: bytes = b"OK"
    #: The answer about a file that begins as the test virus does.
    found: bytes = b"Eicar FOUND"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        command = await reader.readuntil(b"\0")
        writer.write({b"zPING\0": b"PONG\0"}.get(command) or await self._scanned(command, reader))
        writer.close()

    async def _scanned(self, command: bytes, reader: asyncio.StreamReader) -> bytes:
        if command != b"zINSTREAM\0":
            return b"ClamAV 1.0\0"
        start = b""
        while size := int.from_bytes(await reader.readexactly(4), "big"):
            chunk = await reader.readexactly(size)
            start = start or chunk[:100]
        found = self.found if _EICAR in start else self.verdict
        return b"stream: " + found + b"\0"


@asynccontextmanager
async def fake_clamd(verdict: bytes = b"OK") -> AsyncIterator[FakeClamd]:
    clamd = FakeClamd(verdict=verdict)
    server = await asyncio.start_server(clamd.serve, "127.0.0.1", 0, limit=1 << 20)
    clamd.address = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield clamd
    finally:
        server.close()
        await server.wait_closed()
