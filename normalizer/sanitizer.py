"""The only way to safe media: a file of unknown bytes goes in, renditions that we made come out."""

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Literal

from .canvas import Canvas
from .file_type import (
    HEAD_BYTES,
    FileType,
    Recognised,
    is_document,
    recognise,
    sniff,
    sniff_photo,
    sound_format,
)
from .media import Clean, Limits, MediaFailed, MediaRejected
from .renditions.audio import AudioPipeline
from .renditions.documents import DocumentPipeline
from .renditions.originals import OriginalsPipeline
from .renditions.sandbox_job import SandboxRunner
from .renditions.scanned import scan_while_cleaning
from .renditions.video import VideoPipeline
from .renditions.while_decoding import JobSpec
from .sandbox.pool import Isolation, Pool
from .sandbox.turns import Claim
from .scanner import Scanner

_log = logging.getLogger(__name__)

#: The step that a file is in: waiting for the scanner only, being re-created from its content, or waiting for that.
Stage = Literal["scanning", "making_safe", "waiting_for_turn"]

#: Called with the stage, and with the share done while a video is being encoded.
OnProgress = Callable[[Stage, float | None], None]

#: The priority of encoding threads, lower than that of the threads that answer requests, like that of sandboxes.
_NICENESS = 10

#: Enough for the slowest honest photo on a busy machine.
_PHOTO_SECONDS = 20.0


class Sanitizer:
    """Makes media safe. One instance serves the whole process; `sanitize` may be called concurrently."""

    def __init__(
        self,
        limits: Limits,
        *,
        sandboxes: int | None = None,
        isolation: Isolation = "full",
        scanner: Scanner | None = None,
    ) -> None:
        sandboxes = sandboxes or os.cpu_count() or 1
        self._limits, self._scanner = limits, scanner
        self._canvas = Canvas(limits.preview_max_side)
        self._pool = Pool(sandboxes, isolation)
        # Threads, not processes: encoding releases the interpreter lock and reads the pixels where the sandbox
        # wrote them.
        self._threads = ThreadPoolExecutor(sandboxes, "encode", _lower_priority)
        self._runner = SandboxRunner(self._canvas, limits, self._pool, self._threads, sandboxes)
        self._videos = VideoPipeline(self._canvas, limits, self._pool, self._runner, self._threads)
        self._sounds = AudioPipeline(limits, self._pool, self._threads)
        self._documents = DocumentPipeline(limits, self._pool, self._threads)
        # Only what a scanner found clean is offered as it is.
        offers = limits.originals == "unshown" and scanner is not None
        self._originals = OriginalsPipeline(self._pool) if offers else None

    async def start(self) -> None:
        """Start the decoder processes, test their isolation, and check that the scanner accepts files of our size.

        Raise SandboxUnavailable or ScannerMisfit. If the scanner cannot be reached, log a warning and start anyway.
        """
        await self._pool.start()
        if self._scanner:
            try:
                await self._scanner.check(self._limits.largest)
            except MediaFailed as exc:
                _log.warning("media wait for the scanner: %s", exc.detail)
            except BaseException:
                await self.close()
                raise

    async def close(self) -> None:
        """End all decoder processes."""
        await self._pool.close()
        await self._runner.close()
        self._threads.shutdown(wait=False)

    @property
    def missing_layers(self) -> dict[str, str]:
        """The isolation layers that are missing, each with the reason. Empty if all are in place."""
        return dict(self._pool.missing)

    @property
    def offers_originals(self) -> bool:
        """Whether the original is a rendition of files that cannot be shown."""
        return self._originals is not None

    @property
    def ready(self) -> bool:
        """Whether decoder processes are available."""
        return self._pool.ready

    async def sanitize(
        self,
        source: int,
        *,
        declared: str | None = None,  # noqa: ARG002  # accepted, so that callers need not filter it out
        progress: OnProgress | None = None,
        owner: Hashable | None = None,
    ) -> Clean:
        """Return the renditions of the file behind the readable descriptor `source`, read from its start.

        Files wait for a free sandbox. Owners, such as the conversations of the files, take turns for them.
        Raise MediaRejected or MediaFailed. `declared`, the platform's claim, has no influence.
        """
        report = progress or _ignore_progress
        # A separate file description: it has its own position, and the sandbox cannot write through it.
        readonly = os.open(f"/proc/self/fd/{source}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            size = os.fstat(readonly).st_size
            _check_size(size, self._limits.largest, "any file")
            report("making_safe", None)
            cleaning = self._clean_or_original(readonly, size, report, owner)
            if self._scanner is None:
                return await cleaning
            scan = self._scanner.scan(readonly, size)
            return await scan_while_cleaning(scan, cleaning, partial(report, "scanning", None))
        finally:
            os.close(readonly)

    async def scanner_error(self) -> MediaFailed | None:
        """Return why files cannot be scanned now, or None if they can or no scanner is configured."""
        return await self._scanner.error() if self._scanner else None

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

        limits, report = self._limits, partial(progress, "making_safe")
        # The first bytes tell a photo, without the thread that looks further: waking one takes as long as decoding a
        # tenth of a small photo.
        if file_type := sniff_photo(os.pread(source, HEAD_BYTES, 0)):
            _check_size(size, limits.photo_max_bytes, "a photo")
            return await self._photo(source, file_type, size, Claim(owner, size, on_wait=on_wait))
        if recognised is None:
            recognised = await asyncio.to_thread(recognise, source)
        seen = recognised.format
        if is_document(seen):
            _check_size(size, limits.document_max_bytes, "a document")
            claim = Claim(owner, size, is_photo=False, on_wait=on_wait)
            return await self._documents.clean(source, seen, size, claim)
        if sound := sound_format(source):
            _check_size(size, limits.audio_max_bytes, "sound")
            claim = Claim(owner, size, is_photo=False, on_wait=on_wait)
            return await self._sounds.clean(source, size, sound, report, claim)
        file_type = sniff(os.pread(source, HEAD_BYTES, 0))
        _check_size(size, limits.video_max_bytes, "a video")
        claim = Claim(owner, size, is_photo=False, on_wait=on_wait)
        return await self._videos.clean(source, size, file_type.format, report, claim)

    async def _photo(self, source: int, file_type: FileType, size: int, claim: Claim) -> Clean:
        message = {
            "job": "photo",
            "cpu_seconds": int(_PHOTO_SECONDS),
            "format": file_type.format,
            "bytes": size,
            "max_pixels": self._limits.photo_max_pixels,
            "preview_side": self._canvas.side,
        }
        spec = JobSpec(message, source, size, _PHOTO_SECONDS, "preview", claim=claim)
        job = await self._runner.run(spec)
        painted = job.painted
        return Clean("photo", painted.width, painted.height, None, job.images, painted.pages)


def _lower_priority() -> None:
    """Lower the priority of this thread below request threads."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


def _ignore_progress(stage: Stage, share: float | None) -> None:
    """Ignore progress when the caller did not ask for it."""


def _check_size(size: int, limit: int, what: str) -> None:
    if size > limit:
        raise MediaRejected("too_large", f"{size} bytes; the limit for {what} is {limit}")
