"""Originals that wait for their next try, encrypted, in the bucket: another node may make that try.

They are not scanned yet, so nobody but the installation can read them: the key is derived from the installation's, and
the attachment's id is authenticated with the content.
"""

import asyncio
import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .storage.interface import FileMissing
from .storage.keys import Keys
from .storage.s3 import S3Bucket

_PURPOSE = b"airlock shared original v1"
#: The first byte of an object: the format of what follows, a nonce and the content with its tag.
_FORMAT = b"\x01"
_NONCE_BYTES = 12
#: Originals that are encrypted or decrypted at a time, each of which is in memory twice.
_PARALLEL = 2
_CHUNK = 4 * 1024 * 1024
_MEDIA_TYPE = "application/octet-stream"


class SharedOriginals:
    """Keeps encrypted originals in the bucket. Raises StoreUnavailable."""

    def __init__(self, bucket: S3Bucket, keys: Keys, installation_key: bytes) -> None:
        key = hashlib.blake2b(_PURPOSE, key=installation_key, digest_size=32).digest()
        self._bucket = bucket
        self._keys = keys
        self._cipher = AESGCM(key)
        self._turn = asyncio.Semaphore(_PARALLEL)

    async def put(self, attachment: str, original: int) -> None:
        """Store the file behind a descriptor."""
        async with self._turn:
            sealed = await asyncio.to_thread(self._seal, attachment, original)
            await self._bucket.put(self._keys.original(attachment), sealed, _MEDIA_TYPE)

    async def fetch(self, attachment: str, into: int) -> str | None:
        """Write an original to a descriptor and return its SHA-256; None if there is none that is whole."""
        key = self._keys.original(attachment)
        async with self._turn:
            try:
                sealed = await self._bucket.read(key, 0, await self._bucket.size(key))
            except FileMissing:
                return None
            return await asyncio.to_thread(self._unseal, attachment, sealed, into)

    async def remove(self, attachment: str) -> None:
        await self._bucket.delete([self._keys.original(attachment)])

    async def attachments(self) -> list[str]:
        """Return the ids of the attachments whose originals are stored."""
        keys = await self._bucket.list(self._keys.originals)
        return [key.rpartition("/")[2] for key in keys]

    def _seal(self, attachment: str, original: int) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return _FORMAT + nonce + self._cipher.encrypt(nonce, _content(original), _bound(attachment))

    def _unseal(self, attachment: str, sealed: bytes, into: int) -> str | None:
        nonce, content = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            original = self._cipher.decrypt(nonce, content, _bound(attachment))
        except (InvalidTag, ValueError):
            return None
        view = memoryview(original)
        while view:
            view = view[os.write(into, view) :]
        return hashlib.sha256(original).hexdigest()


def _bound(attachment: str) -> bytes:
    return _FORMAT + attachment.encode()


def _content(descriptor: int) -> bytes:
    parts, at = [], 0
    while part := os.pread(descriptor, _CHUNK, at):
        parts.append(part)
        at += len(part)
    return b"".join(parts)
