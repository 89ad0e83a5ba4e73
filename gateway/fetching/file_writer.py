"""File writer: decrypts, hashes and writes a body block by block, in threads and with little memory."""

import asyncio
import hashlib
import os
from concurrent.futures import Executor, Future

import structlog
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes

from connectors import AesCtr, Rejected
from normalizer.media import MediaRejected

log = structlog.get_logger(__name__)

#: Large enough that handing a block to a thread costs little, small enough for a hundred downloads at once.
_BLOCK = 256 * 1024


class FileWriter:
    """Writes from the descriptor's current position on; the file is valid once `finish` has returned."""

    def __init__(self, into: int, decrypt: AesCtr | None, *, limit: int, threads: Executor) -> None:
        self._into = into
        self._limit = limit
        self._threads = threads
        self._cipher = _decryptor(decrypt) if decrypt else None
        self._sha256 = hashlib.sha256()
        self._buffer = bytearray()
        self._size = 0

    async def write(self, chunk: bytes) -> None:
        """Write the next bytes of the body; raise MediaRejected as soon as there are too many."""
        self._size += len(chunk)
        if self._size > self._limit:
            # The workspace reads the number of this text (`workspace/text/wording.py`).
            raise MediaRejected("too_large", f"more than {self._limit} bytes came")
        self._buffer += chunk
        if len(self._buffer) >= _BLOCK:
            await self._flush()

    async def finish(self) -> None:
        """Write the bytes that are still buffered."""
        await self._flush()

    def result(self) -> tuple[int, bytes]:
        """Return the size and SHA-256 of the plaintext, once all of it is written."""
        return self._size, self._sha256.digest()

    async def _flush(self) -> None:
        block, self._buffer = bytes(self._buffer), bytearray()
        await _wait_for_thread(self._threads.submit(self._write, block))

    def _write(self, block: bytes) -> None:
        plain = self._cipher.update(block) if self._cipher else block
        self._sha256.update(plain)
        rest = memoryview(plain)
        try:
            while rest:
                rest = rest[os.write(self._into, rest) :]
        except OSError as exc:
            log.error("scratch_unwritable", error=exc.strerror)
            detail = f"the local scratch file: {exc.strerror}"
            raise Rejected("unreachable", retry=True, detail=detail, operator=True) from exc


def _decryptor(secret: AesCtr) -> CipherContext:
    try:
        return Cipher(algorithms.AES(secret.key), modes.CTR(secret.counter)).decryptor()
    except ValueError as exc:
        sizes = f"{len(secret.key)} and {len(secret.counter)} bytes"
        detail = f"AES-CTR does not accept a key and a counter of {sizes}"
        raise MediaRejected("corrupt", detail) from exc


async def _wait_for_thread(future: Future[None]) -> None:
    """Wait for a thread even when cancelled: the caller may close the descriptor only when no thread writes to it."""
    waiting = asyncio.wrap_future(future)
    cancelled: asyncio.CancelledError | None = None
    while not waiting.done():
        try:
            await asyncio.wait({waiting})
        except asyncio.CancelledError as request:
            cancelled = request
    error = waiting.exception()
    if cancelled is not None:
        raise cancelled
    if error is not None:
        raise error
