"""A film's way through the cells: first frame and new container, encoding where it must be, a last look."""

import asyncio
import fcntl
import mmap
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any

from normalizer.canvas import Canvas
from normalizer.isobmff import Broken
from normalizer.media import Clean, Limits, MediaFailed, MediaRejected, Rendition
from normalizer.sandbox.errors import SandboxLost, SandboxUnavailable
from normalizer.sandbox.pool import Pool

from . import answers
from .mp4_audit import Finding, audit
from .sandbox_job import SandboxRunner
from .while_decoding import Job

#: What is called while a film is being encoded, with the share that is done.
OnProgress = Callable[[float], None]

#: The first frame is shown in a conversation, not hung on a wall.
_POSTER_SIDE = 1920

#: A film of the largest size allowed is copied in a tenth of a second.
_COPY_SECONDS = 30.0

#: Encoding adapts to the film's length; a busy machine gets a few times what an idle one needs.
_ENCODE_SECONDS = 900.0

#: The last frame may be shown for longer than the film is said to take.
_GRACE_SECONDS = 1.0

_SEALS = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL


class VideoPipeline:
    """Makes films safe."""

    def __init__(
        self, canvas: Canvas, limits: Limits, pool: Pool, studio: SandboxRunner, threads: Executor
    ) -> None:
        self._canvas, self._limits = canvas, limits
        self._pool, self._runner, self._threads = pool, studio, threads

    async def clean(self, source: int, size: int, progress: OnProgress) -> Clean:
        """Raises MediaRejected or MediaFailed."""
        with _film() as film:
            work = await self._runner.work(self._first_job(source, size, film))
            result, ending = work.result, work.ending
            seen = work.painted
            if isinstance(result.get("plan"), dict):
                result, ending = await self._encoded(source, size, film, result["plan"], progress)
            content, found = await self._sealed(film, result, ending)
        if found.seconds > self._limits.video_max_seconds + _GRACE_SECONDS:
            # Its index had said less.
            content.close()
            raise MediaRejected("too_long", f"{found.seconds:.0f} s")
        width, height = seen.width, seen.height
        if result.get("picture") is True:
            # Encoded anew it may have been made smaller; its pixels are square and it lies upright.
            width, height = found.width, found.height
        video = Rendition("video", "video/mp4", width, height, content)
        return Clean("video", seen.width, seen.height, found.seconds, (*work.pictures, video))

    def _first_job(self, source: int, size: int, film: int) -> Job:
        message = {
            "job": "film",
            "cpu_seconds": int(_COPY_SECONDS),
            "bytes": size,
            "always": self._limits.transcode == "always",
            "max_seconds": self._limits.video_max_seconds,
            "preview_side": self._canvas.side,
            "poster_side": min(_POSTER_SIDE, self._canvas.side),
        }
        return Job(message, source, size, _COPY_SECONDS, "poster", film)

    async def _encoded(
        self, source: int, size: int, film: int, plan: dict[str, Any], progress: OnProgress
    ) -> tuple[dict[str, Any], asyncio.Future[int]]:
        # Nothing of a first attempt may remain.
        os.ftruncate(film, 0)
        message = {
            "job": "encode",
            "patient": True,
            "cpu_seconds": int(_ENCODE_SECONDS),
            "bytes": size,
            "plan": {part: plan.get(part) is True for part in ("picture", "sound")},
        }

        def hear(note: dict[str, Any]) -> None:
            share = note.get("progress")
            if isinstance(share, float):
                progress(min(1.0, max(0.0, share)))

        try:
            async with self._pool.cell("slow") as cell:
                answer = await cell.ask(message, [source, film], _ENCODE_SECONDS, hear)
        except SandboxLost as lost:
            if lost.timed_out:
                raise MediaRejected("too_long", "encoding it takes too long") from None
            raise MediaFailed("decoder_crashed", str(lost)) from None
        except SandboxUnavailable as error:
            raise MediaFailed("decoder_crashed", str(error)) from None
        return answers.done(answer), cell.ending

    async def _sealed(
        self, film: int, result: dict[str, Any], ending: asyncio.Future[int]
    ) -> tuple[mmap.mmap, Finding]:
        """The film as memory that nobody can change any more, and what was found in it."""
        try:
            length = answers.whole(result["bytes"], os.fstat(film).st_size)
        except (KeyError, ValueError) as error:
            raise answers.nonsense(error) from None
        # As long as the cell lives it could change the film behind the audit's back.
        try:
            await asyncio.shield(ending)
        except SandboxUnavailable as error:
            raise MediaFailed("decoder_crashed", str(error)) from None
        os.ftruncate(film, length)
        fcntl.fcntl(film, fcntl.F_ADD_SEALS, _SEALS)
        content = mmap.mmap(film, length, access=mmap.ACCESS_READ)
        try:
            loop = asyncio.get_running_loop()
            finding = await loop.run_in_executor(self._threads, _audited, content)
        except BaseException:
            content.close()
            raise
        return content, finding


def _audited(content: mmap.mmap) -> Finding:
    try:
        with memoryview(content) as data:
            return audit(data)
    except Broken as broken:
        raise answers.nonsense(broken) from None


@contextmanager
def _film() -> Iterator[int]:
    """Memory for a film, which lives on in its map."""
    descriptor = os.memfd_create("film", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
