"""The only way to safe media: a file of unknown bytes goes in, renditions that we made come out."""

import asyncio
import contextlib
import logging
import os
import threading
from collections.abc import Callable, Coroutine, Hashable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Literal

from .canvas import Canvas
from .file_type import HEAD_BYTES, FileType, is_document, recognise, sniff, sound_format
from .media import Clean, Limits, MediaFailed, MediaRejected
from .renditions.audio import AudioPipeline
from .renditions.documents import DocumentPipeline
from .renditions.sandbox_job import SandboxRunner
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

#: The priority of encoding threads, lower than that of threads that answer requests.
_NICENESS = 5

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
            cleaning = self._clean(readonly, size, report, owner)
            if self._scanner is None:
                return await cleaning
            return await _scan_while_cleaning(self._scanner.scan(readonly, size), cleaning, report)
        finally:
            os.close(readonly)

    async def scanner_error(self) -> MediaFailed | None:
        """Return why files cannot be scanned now, or None if they can or no scanner is configured."""
        return await self._scanner.error() if self._scanner else None

    async def _clean(
        self, source: int, size: int, progress: OnProgress, owner: Hashable | None
    ) -> Clean:
        def on_wait(waits: bool) -> None:
            progress("waiting_for_turn" if waits else "making_safe", None)

        limits, report = self._limits, partial(progress, "making_safe")
        seen = (await asyncio.to_thread(recognise, source)).format
        if is_document(seen):
            _check_size(size, limits.document_max_bytes, "a document")
            claim = Claim(owner, size, is_photo=False, on_wait=on_wait)
            return await self._documents.clean(source, seen, size, claim)
        if sound := sound_format(source):
            _check_size(size, limits.audio_max_bytes, "sound")
            claim = Claim(owner, size, is_photo=False, on_wait=on_wait)
            return await self._sounds.clean(source, size, sound, report, claim)
        file_type = sniff(os.pread(source, HEAD_BYTES, 0))
        if file_type.kind == "video":
            _check_size(size, limits.video_max_bytes, "a video")
            claim = Claim(owner, size, is_photo=False, on_wait=on_wait)
            return await self._videos.clean(source, size, file_type.format, report, claim)
        _check_size(size, limits.photo_max_bytes, "a photo")
        return await self._photo(source, file_type, size, Claim(owner, size, on_wait=on_wait))

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
    """Lower the priority of this thread below request threads and sandboxes."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


def _ignore_progress(stage: Stage, share: float | None) -> None:
    """Ignore progress when the caller did not ask for it."""


def _check_size(size: int, limit: int, what: str) -> None:
    if size > limit:
        raise MediaRejected("too_large", f"{size} bytes; the limit for {what} is {limit}")


async def _scan_while_cleaning(
    scan: Coroutine[Any, Any, None], clean: Coroutine[Any, Any, Clean], progress: OnProgress
) -> Clean:
    """Scan and clean at the same time. Malware outweighs every other error of the file."""
    scanning, cleaning = asyncio.create_task(scan), asyncio.create_task(clean)
    cleaning.add_done_callback(lambda _: progress("scanning", None))
    try:
        await asyncio.wait({scanning, cleaning}, return_when=asyncio.FIRST_EXCEPTION)
        if not scanning.done() and isinstance(cleaning.exception(), MediaRejected):
            # The rejection is final, unless the scanner finds malware.
            with contextlib.suppress(MediaFailed):
                await scanning
            return await cleaning
        await scanning
        return await cleaning
    finally:
        for task in (scanning, cleaning):
            task.cancel()
        await asyncio.gather(scanning, cleaning, return_exceptions=True)
