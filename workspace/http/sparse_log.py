"""Log lines about strangers' requests: one a second at most, with how many it stands for."""

import logging
import time

_SECONDS = 1.0


class SparseLog:
    """Warnings of one kind."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._written = -_SECONDS
        self._held_back = 0

    def warning(self, text: str, *values: object) -> None:
        """Log a warning, or count it if there was one within the last second."""
        now = time.monotonic()
        if now - self._written < _SECONDS:
            self._held_back += 1
            return
        more = f" (and {self._held_back} more since the last line)" if self._held_back else ""
        self._written, self._held_back = now, 0
        self._log.warning(text + more, *values)
