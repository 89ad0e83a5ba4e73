"""The one door to safe media: a file of unknown bytes goes in, renditions of our own making come out."""

import mmap
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from .cell.pool import Isolation, Pool
from .media import Clean, Limits, MediaRejected, Rendition
from .photo.canvas import Canvas
from .sniffing import HEAD_BYTES, Content, sniff
from .studio import Job, Studio

#: Long enough for the slowest honest photo on a busy machine.
_PHOTO_SECONDS = 20.0


class Scanner(Protocol):
    """Looks for malware in a whole file; raises MediaRejected or MediaFailed."""

    async def scan(self, source: int) -> None: ...


class Sanitizer:
    """Makes media safe. One for the whole process; `sanitize` may be called any number of times at once."""

    def __init__(
        self,
        limits: Limits,
        *,
        cells: int | None = None,
        isolation: Isolation = "full",
        scanner: Scanner | None = None,
    ) -> None:
        self._limits, self._scanner = limits, scanner
        self._cells = cells or os.cpu_count() or 1
        self._canvas = Canvas(limits.thumbnail_side, limits.preview_max_side)
        self._pool = Pool(self._cells, isolation)
        self._encoders = ThreadPoolExecutor(self._cells, "encode")
        self._studio = Studio(self._canvas, limits, self._pool, self._encoders, self._cells)

    async def start(self) -> None:
        """Starts the decoder processes and proves their walls; raises CellsUnavailable."""
        await self._pool.start()

    async def close(self) -> None:
        """Ends all decoder processes."""
        await self._pool.close()
        await self._studio.close()
        self._encoders.shutdown(wait=False)

    async def sanitize(self, source: int, *, declared: str | None = None) -> Clean:
        """The renditions of the file behind the readable descriptor `source`, read from its start.

        Raises MediaRejected or MediaFailed. `declared`, the platform's claim, decides nothing.
        """
        readonly = os.open(f"/proc/self/fd/{source}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            content, size = self._recognise(readonly)
            if content.kind == "photo":
                return await self._photo(readonly, content, size)
            return await self._video(readonly)
        finally:
            os.close(readonly)

    def _recognise(self, source: int) -> tuple[Content, int]:
        content = sniff(os.pread(source, HEAD_BYTES, 0))
        size = os.fstat(source).st_size
        limit = (
            self._limits.photo_max_bytes
            if content.kind == "photo"
            else self._limits.video_max_bytes
        )
        if size > limit:
            raise MediaRejected("too_large", f"{size} bytes, the limit is {limit}")
        return content, size

    async def _photo(self, source: int, content: Content, size: int) -> Clean:
        job = {
            "job": "photo",
            "cpu_seconds": 20,
            "format": content.format,
            "bytes": size,
            "max_pixels": self._limits.photo_max_pixels,
            "thumbnail_side": self._canvas.thumbnail_side,
            "preview_side": self._canvas.preview_side,
        }
        work = await self._studio.work(Job(job, source, size, _PHOTO_SECONDS, "preview"))
        painted = work.painted
        return Clean("photo", painted.width, painted.height, None, work.pictures)

    async def _video(self, source: int) -> Clean:
        film = os.memfd_create("film", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            job = {
                "job": "video",
                "cpu_seconds": 60,
                "max_seconds": self._limits.video_max_seconds,
                "thumbnail_side": self._canvas.thumbnail_side,
                "preview_side": min(1280, self._canvas.preview_side),
            }
            work = await self._studio.work(Job(job, source, 0, 60, "poster", film))
            content = mmap.mmap(film, 0, access=mmap.ACCESS_READ)
        finally:
            os.close(film)
        seen = work.painted
        video = Rendition("video", "video/mp4", seen.width, seen.height, content)
        seconds = work.result["duration"]
        return Clean("video", seen.width, seen.height, seconds, (*work.pictures, video))
