"""Malware scanning by ClamAV's daemon: clamd, over a Unix socket or TCP, with its INSTREAM command.

Fails closed: a file is clean only when clamd says so of the whole of it. Two traps of clamd are met here.
Beyond its StreamMaxLength it answers and hangs up in the middle of our sending, so the answer is read
before the error counts. Beyond its other limits it says OK without having looked, so what we accept is
checked against the one limit that can be learned from outside, when the gateway starts.
"""

import asyncio
import contextlib
import mmap
import os
import re
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from .media import MediaFailed, MediaRejected

#: Every chunk costs clamd a read and a write; with the 1 KiB of other clients that is most of its work.
_CHUNK_BYTES = 256 * 1024

#: clamd itself gives up on a file after two minutes.
_SCAN_SECONDS = 130.0

#: For questions that clamd answers without working.
_COMMAND_SECONDS = 10.0

#: How long the answer to one who asks whether clamd is there counts for all.
_PING_SECONDS = 1.0

#: Answers are one line: a name and a verdict.
_REPLY_BYTES = 4096

#: clamd works on ten files at a time unless told otherwise, and queues the rest where we cannot see them.
_MAX_SCANS = 8

#: What every scanner knows and nobody need fear (EICAR), in two halves: this file is no test file.
_TEST_VIRUS = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-" + b"ANTIVIRUS-TEST-FILE!$H+H*"

#: A length that no limit is below.
_SHORT_FILE_BYTES = 1024

#: What clamd calls a file that it did not look into, where it is told to alert.
_LIMITS_EXCEEDED = "Heuristics.Limits.Exceeded"

_FOUND = re.compile(r"^stream: (.+) FOUND$")
_CLEAN = "stream: OK"
_SIZE_LIMIT_EXCEEDED = "size limit exceeded"


class ScannerMisfit(Exception):
    """clamd does not look into files as long as we accept; the text says what to change."""


@dataclass(frozen=True, slots=True)
class _Unix:
    path: str


@dataclass(frozen=True, slots=True)
class _Tcp:
    host: str
    port: int


class Scanner:
    """One clamd, at `unix:/run/clamav/clamd.ctl` or `tcp://127.0.0.1:3310`."""

    def __init__(self, address: str, *, seconds: float = _SCAN_SECONDS) -> None:
        self._address, self._endpoint, self._seconds = address, _parse_address(address), seconds
        self._slots = asyncio.Semaphore(_MAX_SCANS)
        self._ping_task: asyncio.Task[MediaFailed | None] | None = None
        self._ping_expires = 0.0
        self._max_bytes, self._verified, self._verify_lock = 0, False, asyncio.Lock()

    async def scan(self, source: int, size: int) -> None:
        """Returns for a clean file; raises MediaRejected naming what was found, or MediaFailed."""
        await self.prove()
        await self._scan(source, size)

    async def _scan(self, source: int, size: int) -> None:
        try:
            async with self._slots, asyncio.timeout(self._seconds):
                reply = await self._instream(source, size)
        except TimeoutError:
            raise self._unavailable(f"no answer in {self._seconds:g} s") from None
        except (OSError, EOFError) as exc:
            raise self._unavailable(str(exc) or type(exc).__name__) from None
        if reply == _CLEAN:
            return
        found = _FOUND.match(reply)
        if found:
            raise MediaRejected("malware", found[1])
        raise self._unavailable(f"it answered: {reply}")

    async def version(self) -> str:
        """The engine and its signatures, as clamd names them; raises MediaFailed where it is away."""
        return await self._command(b"zVERSION\0")

    async def error(self) -> MediaFailed | None:
        """Why nothing can be scanned now; None where clamd answers. Asked by many, looked into once a second."""
        now = asyncio.get_running_loop().time()
        if self._ping_task is None or (self._ping_task.done() and now >= self._ping_expires):
            self._ping_task = asyncio.create_task(self._ping())
        return await asyncio.shield(self._ping_task)

    async def check(self, max_bytes: int) -> None:
        """Raises ScannerMisfit when clamd would not look into a file as long as ours, MediaFailed when away.

        From now on it is asked the same before the next file whenever it has been away.
        """
        self._max_bytes = max_bytes
        async with self._verify_lock:
            await self._check()

    async def prove(self) -> None:
        """Raises MediaFailed where clamd would not look into what we accept; asks only after it was away."""
        if self._verified or not self._max_bytes:
            return
        async with self._verify_lock:
            if self._verified:
                return
            try:
                await self._check()
            except ScannerMisfit as misfit:
                raise MediaFailed("scanner_unavailable", str(misfit)) from None

    async def _check(self) -> None:
        try:
            found = await self._detects_test_virus(self._max_bytes)
        except MediaFailed as exc:
            if _SIZE_LIMIT_EXCEEDED not in exc.detail:
                raise
            raise self._misfit("takes shorter files than", "StreamMaxLength, ") from None
        # Signatures of somebody's own may not know the test virus; then nothing can be told.
        if not found and await self._detects_test_virus(_SHORT_FILE_BYTES):
            raise self._misfit("does not look into files as long as", "")
        self._verified = True

    async def _detects_test_virus(self, size: int) -> bool:
        """Whether the test virus is found at the beginning of so long a file."""
        descriptor = os.memfd_create("test", os.MFD_CLOEXEC)
        try:
            os.write(descriptor, _TEST_VIRUS)
            os.ftruncate(descriptor, size)
            await self._scan(descriptor, size)
        except MediaRejected as rejection:
            return not rejection.detail.startswith(_LIMITS_EXCEEDED)
        finally:
            os.close(descriptor)
        return False

    def _misfit(self, what: str, limit: str) -> ScannerMisfit:
        return ScannerMisfit(
            f"clamd at {self._address} {what} the {self._max_bytes} bytes that media.photo_max_bytes and "
            f"media.video_max_bytes allow: raise {limit}MaxFileSize and MaxScanSize in clamd.conf, "
            "or lower ours."
        )

    async def _ping(self) -> MediaFailed | None:
        try:
            reply = await self._command(b"zPING\0")
            return None if reply == "PONG" else self._unavailable(f"it answered: {reply}")
        except MediaFailed as exc:
            return exc
        finally:
            self._ping_expires = asyncio.get_running_loop().time() + _PING_SECONDS

    async def _command(self, command: bytes) -> str:
        seconds = min(self._seconds, _COMMAND_SECONDS)
        try:
            async with asyncio.timeout(seconds), self._connection() as connection:
                await _send(connection, command)
                return await _read_reply(connection)
        except TimeoutError:
            raise self._unavailable(f"no answer in {seconds:g} s") from None
        except (OSError, EOFError) as exc:
            raise self._unavailable(str(exc) or type(exc).__name__) from None

    async def _instream(self, source: int, size: int) -> str:
        async with self._connection() as connection:
            try:
                await _send(connection, b"zINSTREAM\0")
                if size:
                    await _send_chunks(connection, mmap.mmap(source, size, access=mmap.ACCESS_READ))
                await _send(connection, bytes(4))
            except ConnectionError:
                # It hung up on us: what it had to say comes first.
                reply = await _read_reply(connection)
                if reply == _CLEAN:
                    raise EOFError("it called a file clean that it had not read") from None
                return reply
            return await _read_reply(connection)

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[socket.socket]:
        connection = await _connect(self._endpoint)
        with connection:
            yield connection

    def _unavailable(self, reason: str) -> MediaFailed:
        # Whoever comes back may be another, with other limits.
        self._verified = False
        return MediaFailed("scanner_unavailable", f"clamd at {self._address}: {reason}")


def _parse_address(address: str) -> _Unix | _Tcp:
    if address.startswith("unix:"):
        return _Unix(address.removeprefix("unix:"))
    match = re.fullmatch(r"tcp://(\[[0-9a-fA-F:]+\]|[^:/\[\]]+):(\d{1,5})/?", address)
    if match:
        return _Tcp(match[1].strip("[]"), int(match[2]))
    raise ValueError(
        f"{address!r} is no address of a scanner; write unix:/run/clamav/clamd.ctl or "
        "tcp://127.0.0.1:3310"
    )


async def _connect(endpoint: _Unix | _Tcp) -> socket.socket:
    if isinstance(endpoint, _Unix):
        return await _connect_to(socket.AF_UNIX, endpoint.path)
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    *others, last = [(family, address) for family, _, _, _, address in found]
    for family, address in others:
        with contextlib.suppress(OSError):
            return await _connect_to(family, address)
    return await _connect_to(*last)


async def _connect_to(family: int, address: Any) -> socket.socket:
    connection = socket.socket(family)
    try:
        connection.setblocking(False)
        if family != socket.AF_UNIX:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(connection, address)
    except BaseException:
        connection.close()
        raise
    return connection


async def _send(connection: socket.socket, data: bytes | memoryview) -> None:
    await asyncio.get_running_loop().sock_sendall(connection, data)


async def _send_chunks(connection: socket.socket, content: mmap.mmap) -> None:
    # Nothing is closed here by hand: a send that failed may still hold a view, and the last one to go
    # takes the map with it.
    whole = memoryview(content)
    for start in range(0, len(whole), _CHUNK_BYTES):
        chunk = whole[start : start + _CHUNK_BYTES]
        await _send(connection, len(chunk).to_bytes(4, "big"))
        await _send(connection, chunk)


async def _read_reply(connection: socket.socket) -> str:
    """One line, of printable letters: it may end in a log."""
    received = b""
    while not received.endswith(b"\0") and len(received) < _REPLY_BYTES:
        part = await asyncio.get_running_loop().sock_recv(connection, _REPLY_BYTES)
        if not part:
            break
        received += part
    if not received:
        raise EOFError("it hung up")
    text = received.rstrip(b"\0\n").decode("ascii", "replace")
    return "".join(c if " " <= c <= "~" else "?" for c in text)
