"""The ways of files to their renditions, all under one set of limits."""

import asyncio
import os
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from functools import partial
from typing import Literal

from normalizer.canvas import Canvas
from normalizer.file_type import (
    HEAD_BYTES,
    FileType,
    Recognised,
    is_document,
    recognise,
    sniff,
    sniff_photo,
    sound_format,
)
from normalizer.media import Clean, Limits, MediaRejected
from normalizer.sandbox.pool import Pool
from normalizer.sandbox.turns import Claim
from normalizer.scanner import Scanner

from .audio import AudioPipeline
from .documents import DocumentPipeline
from .originals import OriginalsPipeline
from .sandbox_job import SandboxRunner
from .scanned import scan_while_cleaning
from .video import VideoPipeline
from .while_decoding import JobSpec

#: The step that a file is in: waiting for the scanner only, being re-created from its content, or waiting for that.
Stage = Literal["scanning", "making_safe", "waiting_for_turn"]

#: Called with the stage, and with the share done while a video is being encoded.
OnProgress = Callable[[Stage, float | None], None]

#: Enough for the slowest honest photo on a busy machine.
_PHOTO_SECONDS = 20.0


class Pipelines:
    """Makes files safe under limits that never change; other limits need other pipelines."""

    def __init__(
        self,
        limits: Limits,
        scanner: Scanner | None,
        pool: Pool,
        threads: Executor,
        keep: int,
    ) -> None:
        self.limits, self.scanner = limits, scanner
        self._canvas = Canvas(limits.preview_max_side)
        self._runner = SandboxRunner(self._canvas, limits, pool, threads, keep)
        self._videos = VideoPipeline(self._canvas, limits, pool, self._runner, threads)
        self._sounds = AudioPipeline(limits, pool, threads)
        self._documents = DocumentPipeline(limits, pool, threads)
        # Only what a scanner found clean is offered as it is.
        offers = limits.originals == "unshown" and scanner is not None
        self._originals = OriginalsPipeline(pool) if offers else None
        self._files = 0
        self._unused = asyncio.Event()
        self._unused.set()

    @property
    def offers_originals(self) -> bool:
        """Whether the original is a rendition of files that cannot be shown."""
        return self._originals is not None

    @contextmanager
    def use(self) -> Iterator[None]:
        """The block makes a file safe."""
        self._files += 1
        self._unused.clear()
        try:
            yield
        finally:
            self._files -= 1
            if not self._files:
                self._unused.set()

    async def close(self) -> None:
        await self._runner.close()

    async def close_when_unused(self) -> None:
        """Close once no file is being made safe under these limits any more."""
        await self._unused.wait()
        await self.close()

    async def clean(
        self, source: int, size: int, report: OnProgress, owner: Hashable | None
    ) -> Clean:
        """Return the renditions of a file, scanned meanwhile. Raise MediaRejected or MediaFailed."""
        check_size(size, self.limits.largest, "any file")
        report("making_safe", None)
        cleaning = self._clean_or_original(source, size, report, owner)
        if self.scanner is None:
            return await cleaning
        scan = self.scanner.scan(source, size)
        return await scan_while_cleaning(scan, cleaning, partial(report, "scanning", None))

    async def _clean_or_original(
        self, source: int, size: int, progress: OnProgress, owner: Hashable | None
    ) -> Clean:
        if self._originals is None:
            return await self._clean(source, None, size, progress, owner)
        seen = await asyncio.to_thread(recognise, source)
        claim = Claim(owner, size, is_photo=False)
        try:
            clean = await self._clean(source, seen, size, progress, owner)
        except MediaRejected as refusal:
            return await self._originals.instead_of(refusal, source, seen, size, claim)
        return await self._originals.add_to(clean, source, seen, size, claim)

    async def _clean(
        self,
        source: int,
        recognised: Recognised | None,
        size: int,
        progress: OnProgress,
        owner: Hashable | None,
    ) -> Clean:
        """`recognised` is None if nobody has looked at the file yet."""

        def on_wait(waits: bool) -> None:
            progress("waiting_for_turn" if waits else "making_safe", None)

        limits, report = self.limits, partial(progress, "making_safe")
        # The first bytes tell a photo, without the thread that looks further: waking one takes as long as decoding a
        # tenth of a small photo.
        if file_type := sniff_photo(os.pread(source, HEAD_BYTES, 0)):
            check_size(size, limits.photo_max_bytes, "a photo")
            return await self._photo(source, file_type, size, Claim(owner, size, on_wait=on_wait))
        if recognised is None:
            recognised = await asyncio.to_thread(recognise, source)
        seen = recognised.format
        if is_document(seen):
            check_size(size, limits.document_max_bytes, "a document")
            claim = Claim(owner, size, is_photo=False, on_wait=on_wait)
            return await self._documents.clean(source, seen, size, claim)
        if sound := sound_format(source):
            check_size(size, limits.audio_max_bytes, "sound")
            claim = Claim(owner, size, is_photo=False, on_wait=on_wait)
            return await self._sounds.clean(source, size, sound, report, claim)
        file_type = sniff(os.pread(source, HEAD_BYTES, 0))
        check_size(size, limits.video_max_bytes, "a video")
        claim = Claim(owner, size, is_photo=False, on_wait=on_wait)
        return await self._videos.clean(source, size, file_type.format, report, claim)

    async def _photo(self, source: int, file_type: FileType, size: int, claim: Claim) -> Clean:
        message = {
            "job": "photo",
            "cpu_seconds": int(_PHOTO_SECONDS),
            "format": file_type.format,
            "bytes": size,
            "max_pixels": self.limits.photo_max_pixels,
            "preview_side": self._canvas.side,
        }
        spec = JobSpec(message, source, size, _PHOTO_SECONDS, "preview", claim=claim)
        job = await self._runner.run(spec)
        painted = job.painted
        return Clean("photo", painted.width, painted.height, None, job.images, painted.pages)


def check_size(size: int, limit: int, what: str) -> None:
    if size > limit:
        raise MediaRejected("too_large", f"{size} bytes; the limit for {what} is {limit}")
