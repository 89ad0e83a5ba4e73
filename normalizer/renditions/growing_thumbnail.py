"""A thumbnail that is scaled while the sandbox is still decoding: scaling takes longer than encoding a small photo."""

import threading
from concurrent.futures import Executor, Future

from normalizer.canvas import BYTES_PER_PIXEL, PixelLayout
from normalizer.media import Limits, Rendition

from . import image_files, images
from .thumbnail import SquareThumbnail


class GrowingThumbnail:
    """The thumbnail of an opaque picture whose rows are finished from the top. `result` is the rendition."""

    def __init__(
        self, pixels: memoryview, layout: PixelLayout, limits: Limits, threads: Executor
    ) -> None:
        self._pixels, self._layout, self._limits = pixels, layout, limits
        self._threads = threads
        self._square = SquareThumbnail((layout.width, layout.height), limits.thumbnail_side)
        self._reduced, self._image = self._square.reduced_image(), self._square.finished_image()
        self._lock = threading.Lock()
        self._busy = False
        #: Rows of the picture that are there, and those that have been added; finished rows of the thumbnail.
        self._ready = self._added = self._finished = 0
        # Waiting for it and giving up does not cancel it, because a thread sets it in any case.
        self.result: Future[Rendition] = Future()
        self.result.set_running_or_notify_cancel()

    def advance(self, rows: int) -> None:
        """Go on with the first `rows` rows, in a thread."""
        with self._lock:
            self._ready = rows
            if self._busy:
                return
            self._busy = True
        self._threads.submit(self._work)

    def _work(self) -> None:
        try:
            while step := self._next_step():
                self._add(*step)
        except Exception as exc:  # noqa: BLE001  # raised to the caller that waits for the result
            self.result.set_exception(exc)

    def _next_step(self) -> tuple[int, int] | None:
        """Return the rows to add, or None if the thread can go because there are no more."""
        with self._lock:
            self._busy = self._added < self._ready
            step = self._added, self._ready
            self._added = self._ready
            return step if self._busy else None

    def _add(self, top: int, bottom: int) -> None:
        layout = self._layout
        rows = self._pixels[: bottom * layout.width * BYTES_PER_PIXEL]
        picture = image_files.colours_over(rows, layout.width, bottom)
        if self._reduced:
            self._square.add(self._reduced, picture, top, bottom)
        first, last = self._finished, self._square.rows_within(bottom)
        if first < last:
            self._square.finish_rows(self._image, self._reduced or picture, first, last)
            self._finished = last
        if bottom == layout.height:
            self.result.set_result(images.finish_thumbnail(self._image, self._limits))
