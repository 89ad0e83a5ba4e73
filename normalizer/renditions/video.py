"""A video's way through the sandbox: first frame and new container, encoding if needed, and the audit."""

import asyncio
import mmap
import os
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from normalizer.canvas import Canvas
from normalizer.file_type import Format
from normalizer.isobmff import Broken
from normalizer.media import Clean, Limits, MediaFailed, MediaRejected, Rendition
from normalizer.sandbox.errors import SandboxLost, SandboxUnavailable
from normalizer.sandbox.pool import Pool
from normalizer.sandbox.turns import Claim

from . import answers
from .mp4_audit import AuditResult, audit
from .sandbox_job import SandboxRunner
from .shared_files import seal, sealed_content, shared_file
from .while_decoding import JobSpec

#: Called with the finished share while a video is being encoded.
OnProgress = Callable[[float], None]

#: The first frame is shown in a conversation, so it need not be larger.
_POSTER_SIDE = 1920

#: A video of the largest size allowed is copied in a tenth of a second.
_COPY_SECONDS = 30.0

#: Encoding adapts to the video's length; a busy machine gets a few times what an idle one needs.
_ENCODE_SECONDS = 900.0

#: The last frame may be shown beyond the stated length of the video.
_GRACE_SECONDS = 1.0


class VideoPipeline:
    """Makes videos safe."""

    def __init__(
        self, canvas: Canvas, limits: Limits, pool: Pool, runner: SandboxRunner, threads: Executor
    ) -> None:
        self._canvas, self._limits = canvas, limits
        self._pool, self._runner, self._threads = pool, runner, threads

    async def clean(
        self, source: int, size: int, format: Format, progress: OnProgress, claim: Claim
    ) -> Clean:
        """Return the renditions of a video. Raise MediaRejected or MediaFailed."""
        with shared_file("video") as video_file:
            job = await self._runner.run(self._first_job(source, size, format, video_file, claim))
            result, exit_status = job.result, job.exit_status
            painted = job.painted
            if isinstance(result.get("plan"), dict):
                result, exit_status = await self._encode(
                    source, size, format, video_file, result["plan"], progress, claim
                )
            content, audited = await self._seal_and_audit(video_file, result, exit_status)
        if audited.seconds > self._limits.video_max_seconds + _GRACE_SECONDS:
            # The index had stated less.
            content.close()
            raise MediaRejected("too_long", f"{audited.seconds:.0f} s")
        width, height = painted.width, painted.height
        if result.get("video") is True:
            # An encoded video may be smaller; its pixels are square and it is upright.
            width, height = audited.width, audited.height
        video = Rendition("video", "video/mp4", width, height, content)
        return Clean("video", painted.width, painted.height, audited.seconds, (*job.images, video))

    def _first_job(
        self, source: int, size: int, format: Format, video_file: int, claim: Claim
    ) -> JobSpec:
        message = {
            "job": "video",
            "format": format,
            "cpu_seconds": int(_COPY_SECONDS),
            "bytes": size,
            "always": self._limits.transcode == "always",
            "max_seconds": self._limits.video_max_seconds,
            "preview_side": self._canvas.side,
            "poster_side": min(_POSTER_SIDE, self._canvas.side),
        }
        return JobSpec(message, source, size, _COPY_SECONDS, "poster", video_file, claim)

    async def _encode(
        self,
        source: int,
        size: int,
        format: Format,
        video_file: int,
        plan: dict[str, Any],
        progress: OnProgress,
        claim: Claim,
    ) -> tuple[dict[str, Any], asyncio.Future[int]]:
        # Nothing of a first attempt may remain.
        os.ftruncate(video_file, 0)
        message = {
            "job": "encode",
            "format": format,
            "low_priority": True,
            "cpu_seconds": int(_ENCODE_SECONDS),
            "bytes": size,
            "plan": {part: plan.get(part) is True for part in ("video", "audio")},
        }

        def on_note(note: dict[str, Any]) -> None:
            share = note.get("progress")
            if isinstance(share, float):
                progress(min(1.0, max(0.0, share)))

        try:
            async with self._pool.sandbox("slow", claim) as sandbox:
                answer = await sandbox.ask(message, [source, video_file], _ENCODE_SECONDS, on_note)
        except SandboxLost as lost:
            if lost.timed_out:
                raise MediaRejected("too_long", "encoding it takes too long") from None
            raise MediaFailed("decoder_crashed", str(lost)) from None
        except SandboxUnavailable as exc:
            raise MediaFailed("decoder_crashed", str(exc)) from None
        return answers.result_of(answer), sandbox.exit_status

    async def _seal_and_audit(
        self, video_file: int, result: dict[str, Any], exit_status: asyncio.Future[int]
    ) -> tuple[mmap.mmap, AuditResult]:
        """Return the video as memory that can no longer be changed, and the result of its audit."""
        try:
            length = answers.parse_number(result["bytes"], os.fstat(video_file).st_size)
        except (KeyError, ValueError) as exc:
            raise answers.invalid_answer(exc) from None
        await seal(video_file, length, exit_status)
        content = sealed_content(video_file, length)
        try:
            loop = asyncio.get_running_loop()
            audited = await loop.run_in_executor(self._threads, _audit, content)
        except BaseException:
            content.close()
            raise
        return content, audited


def _audit(content: mmap.mmap) -> AuditResult:
    try:
        with memoryview(content) as data:
            return audit(data)
    except Broken as broken:
        raise answers.invalid_answer(broken) from None
