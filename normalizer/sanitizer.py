"""The one door to safe media: a file of unknown bytes goes in, renditions of our own making come out."""

import asyncio
import mmap
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, Protocol

from .cell.pool import CellLost, CellsUnavailable, Pool
from .media import Clean, Limits, MediaFailed, MediaRejected, Rendition
from .photo import encode
from .photo.canvas import Canvas, picture
from .sniffing import HEAD_BYTES, Content, sniff

#: Long enough for the slowest honest photo on a busy machine.
_PHOTO_SECONDS = 20.0
_VIDEO_SECONDS = 60.0

#: The poster is a photo for the chat window, not a print.
_POSTER_SIDE = 1280


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
        isolation: Literal["full", "reduced"] = "full",
        scanner: Scanner | None = None,
    ) -> None:
        self._limits, self._isolation, self._scanner = limits, isolation, scanner
        self._cells = cells or os.cpu_count() or 1
        self._canvas = Canvas(limits.thumbnail_side, limits.preview_max_side)
        self._pool: Pool | None = None
        self._encoders: ThreadPoolExecutor | None = None

    async def start(self) -> None:
        """Starts the decoder processes; raises CellsUnavailable."""
        self._encoders = ThreadPoolExecutor(self._cells, "encode")
        self._pool = Pool(self._cells, self._canvas.size)
        await self._pool.start()

    async def close(self) -> None:
        """Ends all decoder processes."""
        if self._pool:
            await self._pool.close()
        if self._encoders:
            self._encoders.shutdown(wait=False)

    async def sanitize(self, source: int, *, declared: str | None = None) -> Clean:
        """The renditions of the file behind the readable descriptor `source`, read from its start.

        Raises MediaRejected or MediaFailed. `declared`, the platform's claim, decides nothing.
        """
        readonly = os.open(f"/proc/self/fd/{source}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            content = self._recognise(readonly)
            return await (self._photo if content.kind == "photo" else self._video)(
                readonly, content
            )
        finally:
            os.close(readonly)

    def _recognise(self, source: int) -> Content:
        content = sniff(os.pread(source, HEAD_BYTES, 0))
        size = os.fstat(source).st_size
        limit = (
            self._limits.photo_max_bytes
            if content.kind == "photo"
            else self._limits.video_max_bytes
        )
        if size > limit:
            raise MediaRejected("too_large", f"{size} bytes, the limit is {limit}")
        return content

    async def _photo(self, source: int, content: Content) -> Clean:
        job = {
            "job": "photo",
            "format": content.format,
            "max_pixels": self._limits.photo_max_pixels,
            "thumbnail_side": self._canvas.thumbnail_side,
            "preview_side": self._canvas.preview_side,
        }
        answer, renditions = await self._work(job, [source], _PHOTO_SECONDS, "preview")
        return Clean("photo", answer["width"], answer["height"], None, renditions)

    async def _video(self, source: int, content: Content) -> Clean:
        film = os.memfd_create("film", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            job = {
                "job": "video",
                "max_seconds": self._limits.video_max_seconds,
                "thumbnail_side": self._canvas.thumbnail_side,
                "preview_side": min(_POSTER_SIDE, self._canvas.preview_side),
            }
            answer, pictures = await self._work(job, [source, film], _VIDEO_SECONDS, "poster")
            content_map = mmap.mmap(film, 0, access=mmap.ACCESS_READ)
        finally:
            os.close(film)
        width, height = answer["width"], answer["height"]
        video = Rendition("video", "video/mp4", width, height, content_map)
        return Clean("video", width, height, answer["duration"], (*pictures, video))

    async def _work(
        self,
        job: dict[str, Any],
        files: list[int],
        seconds: float,
        large: Literal["preview", "poster"],
    ) -> tuple[dict[str, Any], tuple[Rendition, ...]]:
        assert self._pool and self._encoders
        try:
            async with self._pool.cell() as cell:
                answer = _done(await cell.ask(job, files, seconds))
                pixels = os.dup(cell.pixels)
        except CellLost as error:
            raise MediaFailed("decoder_crashed", str(error)) from None
        except CellsUnavailable as error:
            raise MediaFailed("decoder_crashed", str(error)) from None
        loop = asyncio.get_running_loop()
        renditions = await loop.run_in_executor(self._encoders, self._encode, pixels, answer, large)
        return answer, renditions

    def _encode(
        self, pixels: int, answer: dict[str, Any], large: Literal["preview", "poster"]
    ) -> tuple[Rendition, ...]:
        try:
            return (
                self._rendition("thumbnail", pixels, answer),
                self._rendition(large, pixels, answer),
            )
        finally:
            os.close(pixels)

    def _rendition(self, name: Any, pixels: int, answer: dict[str, Any]) -> Rendition:
        slot: Any = "thumbnail" if name == "thumbnail" else "preview"
        width, height = answer[slot]
        transparent = bool(answer["transparent"])
        with self._canvas.view(slot, pixels, width, height, mmap.ACCESS_READ) as memory:
            image = picture(memory, width, height, "RGBA" if transparent else "RGBX")
            try:
                return self._file(name, image)
            finally:
                del image

    def _file(self, name: Any, image: Any) -> Rendition:
        if name == "thumbnail":
            flat = encode.on_white(image) if image.mode == "RGBA" else image
            content, image = encode.jpeg(flat, self._limits.thumbnail_max_bytes, (75, 60, 45, 30))
            return Rendition(name, "image/jpeg", image.width, image.height, content)
        limit = self._limits.preview_max_bytes
        if image.mode == "RGBA":
            content = encode.png(image)
            if len(content) <= limit:
                return Rendition(name, "image/png", image.width, image.height, content)
            image = encode.on_white(image)
        content, image = encode.jpeg(image, limit)
        return Rendition(name, "image/jpeg", image.width, image.height, content)


def _done(answer: dict[str, Any]) -> dict[str, Any]:
    if "done" in answer:
        return answer["done"]
    if "rejected" in answer:
        raise MediaRejected(answer["rejected"], answer["detail"])
    raise MediaFailed("decoder_crashed", answer.get("failed", "no answer"))
