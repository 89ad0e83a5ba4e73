"""clamd's alerts about passwords are not malware: it also alerts about PDFs that open without one."""

import asyncio
import os

import pytest

from normalizer.media import MediaRejected
from normalizer.scanner import Scanner

from .media_samples import descriptor


async def verdict(found: bytes) -> str:
    """Return what a scan says if clamd finds that."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(bytes(4))
        writer.write(b"stream: " + found + b" FOUND\0")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    source = descriptor(b"words")
    try:
        await Scanner(f"tcp://127.0.0.1:{port}", seconds=5).scan(source, 5)
    except MediaRejected as refusal:
        return refusal.reason
    finally:
        os.close(source)
        server.close()
        await server.wait_closed()
    return "clean"


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (b"Heuristics.Encrypted.PDF", "clean"),
        (b"Heuristics.Encrypted.Zip", "clean"),
        (b"Heuristics.Limits.Exceeded.MaxFileSize", "malware"),
        (b"Pdf.Exploit.Heuristics.Encrypted.Fake", "malware"),
        (b"Eicar-Test-Signature", "malware"),
    ],
)
async def test_an_alert_about_a_password_is_not_malware(found: bytes, expected: str) -> None:
    assert await verdict(found) == expected
