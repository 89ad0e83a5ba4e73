"""Malware scanning by ClamAV's daemon clamd, over a Unix socket or TCP, with its INSTREAM command.

The scanner fails closed: a file is clean only if clamd says so for the whole file. Two traps of clamd are handled.
Beyond its StreamMaxLength, clamd answers and disconnects while we are still sending, so the reply is read before
the error counts. Beyond its other limits, clamd says OK without having scanned, so our size limit is tested against
it when the gateway starts.
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

#: Every chunk costs clamd a read and a write; with the 1 KiB chunks of other clients that is most of its work.
_CHUNK_BYTES = 256 * 1024

#: clamd itself gives up on a file after two minutes.
_SCAN_SECONDS = 130.0

#: For commands that clamd answers without scanning.
_COMMAND_SECONDS = 10.0

#: How long one ping answers for all callers.
_PING_SECONDS = 1.0

#: A reply is one line: a name and a verdict.
_REPLY_BYTES = 4096

#: clamd scans ten files at a time by default, and queues the rest where we cannot see them.
_MAX_SCANS = 8

#: The harmless test file that every scanner detects (EICAR), in two parts so that this file is not detected.
_TEST_VIRUS = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-" + b"ANTIVIRUS-TEST-FILE!$H+H*"

#: A length below every limit.
_SHORT_FILE_BYTES = 1024

#: clamd's name for a file that it did not scan, if it is configured to alert.
_LIMITS_EXCEEDED = "Heuristics.Limits.Exceeded"

#: clamd's names for files with a password, if it is configured to alert. It also gives them to PDFs that open without.
_ENCRYPTED = "Heuristics.Encrypted."

_FOUND = re.compile(r"^stream: (.+) FOUND$")
_CLEAN = "stream: OK"
_SIZE_LIMIT_EXCEEDED = "size limit exceeded"


class ScannerMisfit(Exception):
    """clamd does not scan files as long as we accept; the text says what to change."""


@dataclass(frozen=True, slots=True)
class _Unix:
    path: str


@dataclass(frozen=True, slots=True)
class _Tcp:
    host: str
    port: int


class Scanner:
    """A clamd at `unix:/run/clamav/clamd.ctl` or `tcp://127.0.0.1:3310`."""

    def __init__(self, address: str, *, seconds: float = _SCAN_SECONDS) -> None:
        self._address, self._endpoint, self._seconds = address, _parse_address(address), seconds
        self._slots = asyncio.Semaphore(_MAX_SCANS)
        self._ping_task: asyncio.Task[MediaFailed | None] | None = None
        self._ping_expires = 0.0
        self._max_bytes, self._verified, self._verify_lock = 0, False, asyncio.Lock()

    async def scan(self, source: int, size: int) -> bool:
        """Return whether the file, which is clean, is encrypted, so that its inside was not scanned.

        Raise MediaRejected with the name of the malware, or MediaFailed.
        """
        await self.prove()
        return await self._scan(source, size)

    async def _scan(self, source: int, size: int) -> bool:
        try:
            async with self._slots, asyncio.timeout(self._seconds):
                reply = await self._instream(source, size)
        except TimeoutError:
            raise self._unavailable(f"no answer in {self._seconds:g} s") from None
        except (OSError, EOFError) as exc:
            raise self._unavailable(_words_of(exc)) from None
        if reply == _CLEAN:
            return False
        found = _FOUND.match(reply)
        if found and found[1].startswith(_ENCRYPTED):
            # Not malware: what we can open is decoded like any other file, what we cannot is `protected`.
            return True
        if found:
            raise MediaRejected("malware", found[1])
        raise self._unavailable(f"unexpected reply: {reply}")

    async def version(self) -> str:
        """Return clamd's version and signature date. Raise MediaFailed if clamd cannot be reached."""
        return await self._command(b"zVERSION\0")

    async def error(self) -> MediaFailed | None:
        """Return why files cannot be scanned now, or None if clamd answers. Callers share one ping a second."""
        now = asyncio.get_running_loop().time()
        if self._ping_task is None or (self._ping_task.done() and now >= self._ping_expires):
            self._ping_task = asyncio.create_task(self._ping())
        return await asyncio.shield(self._ping_task)

    async def check(self, max_bytes: int) -> None:
        """Raise ScannerMisfit if clamd would not scan our largest files, MediaFailed if it cannot be reached.

        After this call, the check is repeated before the next file whenever clamd could not be reached.
        """
        self._max_bytes = max_bytes
        async with self._verify_lock:
            await self._check()

    async def prove(self) -> None:
        """Raise MediaFailed if clamd would not scan our largest files. Checks only after clamd could not be reached."""
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
            raise self._misfit("accepts only files shorter than", "StreamMaxLength, ") from None
        # Custom signatures may not include the test virus; then the check has no result.
        if not found and await self._detects_test_virus(_SHORT_FILE_BYTES):
            raise self._misfit("does not scan files as long as", "")
        self._verified = True

    async def _detects_test_virus(self, size: int) -> bool:
        """Return whether clamd detects the test virus at the beginning of a file of `size` bytes."""
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
            f"clamd at {self._address} {what} the {self._max_bytes} bytes that the largest of media.photo_max_bytes, "
            f"media.video_max_bytes, media.audio_max_bytes and media.document_max_bytes allows: raise "
            f"{limit}MaxFileSize and MaxScanSize in clamd.conf, or lower our limits."
        )

    async def _ping(self) -> MediaFailed | None:
        try:
            reply = await self._command(b"zPING\0")
            return None if reply == "PONG" else self._unavailable(f"unexpected reply: {reply}")
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
            raise self._unavailable(_words_of(exc)) from None

    async def _instream(self, source: int, size: int) -> str:
        async with self._connection() as connection:
            try:
                await _send(connection, b"zINSTREAM\0")
                if size:
                    await _send_chunks(connection, mmap.mmap(source, size, access=mmap.ACCESS_READ))
                await _send(connection, bytes(4))
            except ConnectionError:
                # clamd disconnected: its reply matters more than the error.
                reply = await _read_reply(connection)
                if reply == _CLEAN:
                    raise EOFError(
                        "clamd called a file clean before it had received all of it"
                    ) from None
                return reply
            return await _read_reply(connection)

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[socket.socket]:
        connection = await _connect(self._endpoint)
        with connection:
            yield connection

    def _unavailable(self, reason: str) -> MediaFailed:
        # A clamd that comes back may have other limits.
        self._verified = False
        return MediaFailed("scanner_unavailable", f"clamd at {self._address}: {reason}")


def _words_of(exc: Exception) -> str:
    """Return an error's words for people, without its number."""
    code = exc.errno if isinstance(exc, OSError) else None
    return os.strerror(code) if code and code > 0 else str(exc) or type(exc).__name__


def _parse_address(address: str) -> _Unix | _Tcp:
    if address.startswith("unix:"):
        return _Unix(address.removeprefix("unix:"))
    match = re.fullmatch(r"tcp://(\[[0-9a-fA-F:]+\]|[^:/\[\]]+):(\d{1,5})/?", address)
    if match:
        return _Tcp(match[1].strip("[]"), int(match[2]))
    raise ValueError(
        f"{address!r} is not the address of a scanner; write unix:/run/clamav/clamd.ctl or "
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
    # The map is not closed explicitly: a failed send may still hold a view, and the last view releases the map.
    whole = memoryview(content)
    for start in range(0, len(whole), _CHUNK_BYTES):
        chunk = whole[start : start + _CHUNK_BYTES]
        await _send(connection, len(chunk).to_bytes(4, "big"))
        await _send(connection, chunk)


async def _read_reply(connection: socket.socket) -> str:
    """Read one line and replace unprintable characters, because it may end in a log."""
    received = b""
    while not received.endswith(b"\0") and len(received) < _REPLY_BYTES:
        part = await asyncio.get_running_loop().sock_recv(connection, _REPLY_BYTES)
        if not part:
            break
        received += part
    if not received:
        raise EOFError("clamd disconnected without a reply")
    text = received.rstrip(b"\0\n").decode("ascii", "replace")
    return "".join(c if " " <= c <= "~" else "?" for c in text)
