"""Renditions in an S3 bucket: one folder for each attachment, one object for each rendition and try.

Objects never change: their keys contain the token of the try that stored them, which the journal keeps with the
attachment. So a try never overwrites what another one stored, and a removal never hits a newer try's objects. A try
that begins while nobody can have tried before lists nothing.
"""

import asyncio
import io
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

import structlog

from normalizer.media import Rendition

from .description import describe
from .filesystem import FileStore
from .interface import Store, Stored, StoredFile, StoreTry, StoreUnavailable
from .keys import Keys, begun_at, new_token, token_of
from .s3 import S3Bucket, within

log = structlog.get_logger(__name__)

#: Seconds for which an answer to `unavailable_reason` holds, and that the store may take to answer.
_PROBE_EVERY = 5.0
_PROBE_AGAIN = 0.5
_PROBE_SECONDS = 3.0
#: Seconds for which a failed `put` counts, unless another one succeeds: waiting attachments try more often.
_FAILURE_COUNTS = 60.0


class ObjectStore(Store):
    """Stores renditions in a bucket. Files that `before` holds, without a token, are still read and removed there."""

    accepts_deliveries_without = True

    def __init__(self, bucket: S3Bucket, keys: Keys, before: FileStore) -> None:
        self._bucket = bucket
        self._keys = keys
        self._before = before
        self._failed_at = -_FAILURE_COUNTS
        self._failure = ""
        self._probed_at = -_PROBE_EVERY
        self._probed: str | None = None

    def begin(self, attachment: str, *, is_first: bool) -> StoreTry:
        return StoreTry(attachment, new_token(), may_have_left_files=not is_first)

    async def put(self, attempt: StoreTry, renditions: Sequence[Rendition]) -> tuple[Stored, ...]:
        others_left_files, attempt.may_have_left_files = attempt.may_have_left_files, True
        results = await asyncio.gather(
            *(self._put(attempt, rendition) for rendition in renditions), return_exceptions=True
        )
        errors = [result for result in results if isinstance(result, BaseException)]
        if errors:
            self._failed_at, self._failure = time.monotonic(), str(errors[0])
            await self._give_up(attempt)
            raise errors[0]
        if others_left_files:
            await self._delete(attempt.attachment, lambda token: token < attempt.token)
        self._failed_at = -_FAILURE_COUNTS
        self._probed, self._probed_at = None, time.monotonic()
        return tuple(result for result in results if isinstance(result, Stored))

    async def clear(self, attempt: StoreTry) -> None:
        if attempt.may_have_left_files:
            await self._delete(attempt.attachment, lambda token: token <= attempt.token)

    async def discard(self, attempt: StoreTry, *, is_shown: bool) -> None:
        del is_shown  # by another try, whose objects have other keys
        if attempt.may_have_left_files:
            await self._delete(attempt.attachment, lambda token: token == attempt.token)

    async def remove(self, attachment: str) -> None:
        await self._before.remove(attachment)
        await self._delete(attachment, lambda _token: True)

    def path(self, file: StoredFile) -> Path | None:
        self._keys.rendition(file)  # raises for a name that no rendition has
        return None if file.token else self._before.path(file)

    def modified(self, file: StoredFile) -> datetime:
        """Return when the try began."""
        return begun_at(file.token)

    async def read(self, file: StoredFile, start: int, end: int) -> bytes:
        return await self._bucket.read(self._keys.rendition(file), start, end)

    def reader(self, file: StoredFile) -> Callable[[], BinaryIO]:
        if not file.token:
            return self._before.reader(file)
        read = partial(self._bucket.read_now, self._keys.rendition(file))
        return lambda: cast("BinaryIO", _RangeReader(read, file.size))

    async def unavailable_reason(self) -> str | None:
        """Judge by the last `put`, and by an answer of the store that is at most a few seconds old."""
        now = time.monotonic()
        if now - self._failed_at < _FAILURE_COUNTS:
            return f"{self._failure}; attachments wait"
        if now - self._probed_at >= (_PROBE_EVERY if self._probed is None else _PROBE_AGAIN):
            self._probed = await self._probe()
            self._probed_at = time.monotonic()
        return self._probed

    async def _probe(self) -> str | None:
        try:
            await within(_PROBE_SECONDS, self._bucket.probe(self._keys.probe), "the media store")
        except StoreUnavailable as exc:
            return f"{exc}; attachments wait"
        return None

    async def _put(self, attempt: StoreTry, rendition: Rendition) -> Stored:
        stored = await asyncio.to_thread(describe, rendition, attempt.token)
        file = StoredFile(
            attempt.attachment,
            rendition.name,
            rendition.media_type,
            attempt.token,
            len(rendition.content),
        )
        await self._bucket.put(self._keys.rendition(file), rendition.content, rendition.media_type)
        return stored

    async def _give_up(self, attempt: StoreTry) -> None:
        """Remove what a failed `put` stored, if that is possible: otherwise the next try does it."""
        try:
            await self._delete(attempt.attachment, lambda token: token == attempt.token)
        except StoreUnavailable:
            log.warning("objects_left", attachment=attempt.attachment)

    async def _delete(self, attachment: str, is_unwanted: Callable[[str], bool]) -> None:
        keys = await self._bucket.list(self._keys.folder(attachment))
        await self._bucket.delete([key for key in keys if is_unwanted(token_of(key))])


class _RangeReader(io.RawIOBase):
    """An object of known size, of which only what is read is fetched. Used in a thread."""

    def __init__(self, fetch: Callable[[int, int], bytes], size: int) -> None:
        super().__init__()
        self._fetch, self._size, self._at = fetch, size, 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def read(self, size: int = -1) -> bytes:
        end = self._size if size < 0 else min(self._at + size, self._size)
        if end <= self._at:
            return b""
        content = self._fetch(self._at, end)
        self._at += len(content)
        return content
