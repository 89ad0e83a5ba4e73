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
_SECONDS = 130.0

#: For questions that clamd answers without working.
_QUESTION_SECONDS = 10.0

#: How long the answer to one who asks whether clamd is there counts for all.
_FRESH_SECONDS = 1.0

#: Answers are one line: a name and a verdict.
_ANSWER_BYTES = 4096

#: clamd works on ten files at a time unless told otherwise, and queues the rest where we cannot see them.
_AT_ONCE = 8

#: What every scanner knows and nobody need fear (EICAR), in two halves: this file is no test file.
_TEST_VIRUS = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-" + b"ANTIVIRUS-TEST-FILE!$H+H*"

#: A length that no limit is below.
_SHORT = 1024

#: What clamd calls a file that it did not look into, where it is told to alert.
_NOT_LOOKED_INTO = "Heuristics.Limits.Exceeded"

_FOUND = re.compile(r"^stream: (.+) FOUND$")
_CLEAN = "stream: OK"
_TOO_LONG = "size limit exceeded"


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

    def __init__(self, address: str, *, seconds: float = _SECONDS) -> None:
        self._address, self._where, self._seconds = address, _parsed(address), seconds
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._look: asyncio.Task[MediaFailed | None] | None = None
        self._look_again = 0.0
        self._longest, self._proved, self._proving = 0, False, asyncio.Lock()

    async def scan(self, source: int, size: int) -> None:
        """Returns for a clean file; raises MediaRejected naming what was found, or MediaFailed."""
        await self.prove()
        await self._scan(source, size)

    async def _scan(self, source: int, size: int) -> None:
        try:
            async with self._turns, asyncio.timeout(self._seconds):
                answer = await self._instream(source, size)
        except TimeoutError:
            raise self._unavailable(f"no answer in {self._seconds:g} s") from None
        except (OSError, EOFError) as error:
            raise self._unavailable(str(error) or type(error).__name__) from None
        if answer == _CLEAN:
            return
        found = _FOUND.match(answer)
        if found:
            raise MediaRejected("malware", found[1])
        raise self._unavailable(f"it answered: {answer}")

    async def version(self) -> str:
        """The engine and its signatures, as clamd names them; raises MediaFailed where it is away."""
        return await self._ask(b"zVERSION\0")

    async def trouble(self) -> MediaFailed | None:
        """Why nothing can be scanned now; None where clamd answers. Asked by many, looked into once a second."""
        now = asyncio.get_running_loop().time()
        if self._look is None or (self._look.done() and now >= self._look_again):
            self._look = asyncio.create_task(self._looked())
        return await asyncio.shield(self._look)

    async def check(self, longest: int) -> None:
        """Raises ScannerMisfit when clamd would not look into a file as long as ours, MediaFailed when away.

        From now on it is asked the same before the next file whenever it has been away.
        """
        self._longest = longest
        async with self._proving:
            await self._check()

    async def prove(self) -> None:
        """Raises MediaFailed where clamd would not look into what we accept; asks only after it was away."""
        if self._proved or not self._longest:
            return
        async with self._proving:
            if self._proved:
                return
            try:
                await self._check()
            except ScannerMisfit as misfit:
                raise MediaFailed("scanner_unavailable", str(misfit)) from None

    async def _check(self) -> None:
        try:
            found = await self._finds(self._longest)
        except MediaFailed as failure:
            if _TOO_LONG not in failure.detail:
                raise
            raise self._misfit("takes shorter files than", "StreamMaxLength, ") from None
        # Signatures of somebody's own may not know the test virus; then nothing can be told.
        if not found and await self._finds(_SHORT):
            raise self._misfit("does not look into files as long as", "")
        self._proved = True

    async def _finds(self, size: int) -> bool:
        """Whether the test virus is found at the beginning of so long a file."""
        descriptor = os.memfd_create("test", os.MFD_CLOEXEC)
        try:
            os.write(descriptor, _TEST_VIRUS)
            os.ftruncate(descriptor, size)
            await self._scan(descriptor, size)
        except MediaRejected as rejection:
            return not rejection.detail.startswith(_NOT_LOOKED_INTO)
        finally:
            os.close(descriptor)
        return False

    def _misfit(self, what: str, limit: str) -> ScannerMisfit:
        return ScannerMisfit(
            f"clamd at {self._address} {what} the {self._longest} bytes that media.photo_max_bytes and "
            f"media.video_max_bytes allow: raise {limit}MaxFileSize and MaxScanSize in clamd.conf, "
            "or lower ours."
        )

    async def _looked(self) -> MediaFailed | None:
        try:
            answer = await self._ask(b"zPING\0")
            return None if answer == "PONG" else self._unavailable(f"it answered: {answer}")
        except MediaFailed as failure:
            return failure
        finally:
            self._look_again = asyncio.get_running_loop().time() + _FRESH_SECONDS

    async def _ask(self, command: bytes) -> str:
        seconds = min(self._seconds, _QUESTION_SECONDS)
        try:
            async with asyncio.timeout(seconds), self._connected() as line:
                await _send(line, command)
                return await _answer(line)
        except TimeoutError:
            raise self._unavailable(f"no answer in {seconds:g} s") from None
        except (OSError, EOFError) as error:
            raise self._unavailable(str(error) or type(error).__name__) from None

    async def _instream(self, source: int, size: int) -> str:
        async with self._connected() as line:
            try:
                await _send(line, b"zINSTREAM\0")
                if size:
                    await _send_chunks(line, mmap.mmap(source, size, access=mmap.ACCESS_READ))
                await _send(line, bytes(4))
            except ConnectionError:
                # It hung up on us: what it had to say comes first.
                answer = await _answer(line)
                if answer == _CLEAN:
                    raise EOFError("it called a file clean that it had not read") from None
                return answer
            return await _answer(line)

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[socket.socket]:
        line = await _connect(self._where)
        with line:
            yield line

    def _unavailable(self, why: str) -> MediaFailed:
        # Whoever comes back may be another, with other limits.
        self._proved = False
        return MediaFailed("scanner_unavailable", f"clamd at {self._address}: {why}")


def _parsed(address: str) -> _Unix | _Tcp:
    if address.startswith("unix:"):
        return _Unix(address.removeprefix("unix:"))
    match = re.fullmatch(r"tcp://(\[[0-9a-fA-F:]+\]|[^:/\[\]]+):(\d{1,5})/?", address)
    if match:
        return _Tcp(match[1].strip("[]"), int(match[2]))
    raise ValueError(
        f"{address!r} is no address of a scanner; write unix:/run/clamav/clamd.ctl or "
        "tcp://127.0.0.1:3310"
    )


async def _connect(where: _Unix | _Tcp) -> socket.socket:
    if isinstance(where, _Unix):
        return await _connect_to(socket.AF_UNIX, where.path)
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(where.host, where.port, type=socket.SOCK_STREAM)
    *others, last = [(family, address) for family, _, _, _, address in found]
    for family, address in others:
        with contextlib.suppress(OSError):
            return await _connect_to(family, address)
    return await _connect_to(*last)


async def _connect_to(family: int, address: Any) -> socket.socket:
    line = socket.socket(family)
    try:
        line.setblocking(False)
        if family != socket.AF_UNIX:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(line, address)
    except BaseException:
        line.close()
        raise
    return line


async def _send(line: socket.socket, data: bytes | memoryview) -> None:
    await asyncio.get_running_loop().sock_sendall(line, data)


async def _send_chunks(line: socket.socket, content: mmap.mmap) -> None:
    # Nothing is closed here by hand: a send that failed may still hold a view, and the last one to go
    # takes the map with it.
    whole = memoryview(content)
    for start in range(0, len(whole), _CHUNK_BYTES):
        chunk = whole[start : start + _CHUNK_BYTES]
        await _send(line, len(chunk).to_bytes(4, "big"))
        await _send(line, chunk)


async def _answer(line: socket.socket) -> str:
    """One line, of printable letters: it may end in a log."""
    received = b""
    while not received.endswith(b"\0") and len(received) < _ANSWER_BYTES:
        part = await asyncio.get_running_loop().sock_recv(line, _ANSWER_BYTES)
        if not part:
            break
        received += part
    if not received:
        raise EOFError("it hung up")
    text = received.rstrip(b"\0\n").decode("ascii", "replace")
    return "".join(c if " " <= c <= "~" else "?" for c in text)
