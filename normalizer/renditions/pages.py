"""The pages of a PDF: painted by a sandbox one at a time, encoded here meanwhile, and laid into a file of our own."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from normalizer.canvas import PAGE_PIXELS, PAGE_SIDE, PLACE_BYTES, PLACES, PixelLayout
from normalizer.media import Clean, Limits, MediaFailed, MediaRejected, Rendition, Unsafe
from normalizer.sandbox.errors import SandboxLost, SandboxUnavailable
from normalizer.sandbox.pool import Pool
from normalizer.sandbox.process import SandboxProcess
from normalizer.sandbox.turns import Claim

from . import answers
from .memory_files import memory_file, read_file
from .page_images import FirstPage, encode_first, encode_page
from .pdf_file import PagePicture, lay_out
from .pixel_buffers import PixelBuffer
from .plain_text import text_rendition

#: Of processor time, for the whole document.
_CPU_SECONDS = 30

#: On a busy machine, processor time passes slowly. This ends a sandbox that does not use any.
_SECONDS = 300.0

#: Of all pages together.
_MAX_BYTES = 25_000_000


class _Enough(Exception):
    """The pages so far have as many bytes as are allowed."""


class PagesPipeline:
    """Makes PDFs safe."""

    def __init__(self, limits: Limits, pool: Pool, threads: Executor) -> None:
        self._limits, self._pool, self._threads = limits, pool, threads

    async def clean(self, source: int, size: int, claim: Claim) -> Clean:
        """Return the pages and the text of a PDF. Raise MediaRejected or MediaFailed."""
        try:
            return await self._attempt_twice(source, size, claim)
        except (SandboxLost, SandboxUnavailable) as exc:
            raise MediaFailed("decoder_crashed", str(exc)) from None

    async def _attempt_twice(self, source: int, size: int, claim: Claim) -> Clean:
        try:
            return await self._attempt(source, size, claim)
        except SandboxLost as lost:
            first = lost
        try:
            return await self._attempt(source, size, claim)
        except SandboxLost as lost:
            if lost.crashed and lost.status == first.status:
                # pdfium answers a lack of memory with a crash. A third attempt would crash, too.
                raise MediaRejected("corrupt", f"the decoder {lost}, twice") from None
            raise

    async def _attempt(self, source: int, size: int, claim: Claim) -> Clean:
        buffer = PixelBuffer(PLACES * PLACE_BYTES)
        try:
            async with self._pool.sandbox("document", claim) as sandbox:
                with memory_file() as target:
                    pages = _Pages(buffer, self._limits, self._threads, sandbox.proceed)
                    files = [source, buffer.descriptor, target]
                    complete = await self._paint(sandbox, files, size, pages)
                    # The text is read only when the sandbox can no longer write it.
                    sandbox.end()
                    return await self._clean(pages, read_file(target, pages.text), complete)
        finally:
            buffer.close()

    async def _paint(
        self, sandbox: SandboxProcess, files: list[int], size: int, pages: "_Pages"
    ) -> bool:
        """Return whether every page was painted. Raise what ended the sandbox if none was."""
        message = {
            "job": "pdf",
            "low_priority": True,
            "cpu_seconds": _CPU_SECONDS,
            "bytes": size,
            "max_pages": self._limits.document_max_pages,
            "text_max_bytes": self._limits.text_max_bytes,
        }
        try:
            answer = await sandbox.ask(message, files, _SECONDS, pages.on_note)
            complete = answers.result_of(answer).get("complete") is True
        except _Enough:
            complete = False
        except (SandboxLost, Unsafe) as exc:
            complete = False
            if not pages.count:
                raise _without_pages(exc) from None
        await pages.finish()
        if not pages.finished:
            raise answers.invalid_answer("no page was painted")
        return complete

    async def _clean(self, pages: "_Pages", text: bytes, complete: bool) -> Clean:
        finished, (thumbnail, preview) = pages.finished, await pages.first
        loop = asyncio.get_running_loop()
        content = await loop.run_in_executor(self._threads, lay_out, finished)
        document = Rendition("document", "application/pdf", 0, 0, content)
        written, whole = text_rendition(text, self._limits)
        shown = (thumbnail, preview, document)
        facts = {
            "complete": complete and whole and len(finished) == pages.total,
            "pages": len(finished),
            "pages_total": pages.total,
            "text_differs": pages.differs,
        }
        return Clean("document", 0, 0, None, (*shown, written) if written else shown, facts=facts)


def _without_pages(exc: SandboxLost | Unsafe) -> Exception:
    """Return the outcome of a document of which no page was painted."""
    if isinstance(exc, SandboxLost) and (exc.timed_out or exc.used_up_processor):
        return MediaRejected("too_long", "painting the first page takes too long")
    return exc


class _Pages:
    """The pages that a sandbox has painted so far, each encoded by a thread as soon as it is there."""

    def __init__(
        self, buffer: PixelBuffer, limits: Limits, threads: Executor, proceed: Callable[[], None]
    ) -> None:
        self._buffer, self._limits, self._threads = buffer, limits, threads
        self._proceed = proceed
        self._encoding: list[asyncio.Task[PagePicture]] = []
        self._bytes = 0
        self.first: asyncio.Future[FirstPage]
        self.total = 1
        #: The length of the text, still unchecked.
        self.text: object = 0
        self.differs = False
        self.finished: list[PagePicture] = []

    @property
    def count(self) -> int:
        """The number of pages that were painted."""
        return len(self._encoding)

    def on_note(self, note: dict[str, Any]) -> None:
        """Handle a note of the sandbox. Raise MediaFailed if it is invalid, _Enough at the limit of bytes."""
        if "text" in note:
            self.text, self.differs = note["text"], self.differs or note.get("differs") is True
        elif "size" in note:
            self._start(*_checked(note))

    def _start(self, layout: PixelLayout, total: int) -> None:
        """Start to encode a page."""
        if self._bytes > _MAX_BYTES:
            raise _Enough
        if self.count >= self._limits.document_max_pages:
            raise answers.invalid_answer("there are more pages than were asked for")
        self.total = total
        pixels = self._buffer.part(self.count % PLACES * PLACE_BYTES, layout)
        previous = self._encoding[-1] if self._encoding else None
        self._encoding.append(asyncio.create_task(self._encode(pixels, layout, previous)))

    async def _encode(
        self, pixels: memoryview, layout: PixelLayout, previous: asyncio.Task[PagePicture] | None
    ) -> PagePicture:
        loop, threads = asyncio.get_running_loop(), self._threads
        if previous is None:
            self.first = loop.run_in_executor(threads, encode_first, pixels, layout, self._limits)
            await self.first
        page = await loop.run_in_executor(threads, encode_page, pixels, layout)
        self._bytes += len(page.content)
        if previous is not None:
            # The sandbox waits for the oldest place. A newer page that is done earlier must not free it.
            await asyncio.wait([previous])
        self._proceed()
        return page

    async def finish(self) -> None:
        """Wait until the pages are encoded, and keep those that are allowed together."""
        size = 0
        for page in await asyncio.gather(*self._encoding):
            size += len(page.content)
            if size > _MAX_BYTES and self.finished:
                return
            self.finished.append(page)


def _checked(note: dict[str, Any]) -> tuple[PixelLayout, int]:
    """Return the layout of a page, and the number of pages. Raise MediaFailed if they are invalid."""
    try:
        width, height = (answers.parse_number(side, PAGE_SIDE) for side in note["size"])
        if width * height > PAGE_PIXELS:
            raise ValueError("the page has too many pixels")
        return PixelLayout(width, height), answers.parse_number(
            note["pages_total"], answers.MAX_PAGES
        )
    except (KeyError, TypeError, ValueError) as exc:
        raise answers.invalid_answer(exc) from None
