"""A photo encoded in bands by several threads while the sandbox is still decoding it.

Nothing waits for the event loop between two bands: waking a thread takes as long as encoding a small band.
"""

import contextlib
import threading
from concurrent.futures import Executor, Future, InvalidStateError

from normalizer.canvas import BAND_ROWS, PixelLayout
from normalizer.media import Limits, Rendition

from . import images
from .images import Large


class Bands:
    """A photo whose finished rows are encoded. `result` is None if it exceeds its limit of bytes."""

    def __init__(
        self,
        pixels: memoryview,
        layout: PixelLayout,
        name: Large,
        limits: Limits,
        threads: Executor,
    ) -> None:
        self._pixels, self._layout, self._name = pixels, layout, name
        self._limits, self._threads = limits, threads
        self._parts = [b""] * -(-layout.height // BAND_ROWS)
        self._started = self._encoded = 0
        self._lock = threading.Lock()
        # Waiting for it and giving up does not cancel it, because a thread sets it in any case.
        self.result: Future[Rendition | None] = Future()
        self.result.set_running_or_notify_cancel()

    @property
    def may_fit(self) -> bool:
        """Whether all bands may fit the limit, judged by those that are encoded already."""
        ready = [part for part in self._parts if part]
        return images.may_fit(ready, self._layout, self._limits)

    def advance(self, rows: int) -> None:
        """Start the bands within the first `rows` rows."""
        whole = rows == self._layout.height
        while (top := self._started * BAND_ROWS) < rows and (whole or top + BAND_ROWS <= rows):
            self._threads.submit(self._make, self._started)
            self._started += 1

    def _make(self, number: int) -> None:
        # A band that failed has ended it already.
        with contextlib.suppress(InvalidStateError):
            try:
                self._encode(number)
            except Exception as exc:  # noqa: BLE001  # raised to the caller that waits for the result
                self.result.set_exception(exc)

    def _encode(self, number: int) -> None:
        self._parts[number] = images.encode_band(self._pixels, self._layout, number * BAND_ROWS)
        with self._lock:
            self._encoded += 1
            complete = self._encoded == len(self._parts)
        if complete:
            joined = images.image_from_bands(self._parts, self._layout, self._name, self._limits)
            self.result.set_result(joined)
