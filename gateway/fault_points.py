"""Numbered steps of the pipeline at which a test may end the process as a power switch would.

AIRLOCK_FAULT_POINT=after-append:3 kills the process (SIGKILL) when it passes that step for the third time.
Unset, as always but in tests, `fault_point` does nothing.
"""

import os
import signal
import threading
from collections.abc import Callable, Mapping

VARIABLE = "AIRLOCK_FAULT_POINT"

#: In the order in which a message passes them.
STEPS: tuple[str, ...] = (
    # a new data folder
    "journal-made",
    # accept
    "accepted-before-append",
    "before-commit",
    "after-commit",
    "after-sync",
    "before-checkpoint",
    "after-checkpoint",
    "after-append",
    # read
    "after-read",
    "before-record",
    "after-record",
    # media
    "before-fetch",
    "after-fetch",
    "after-keep",
    "after-sanitize",
    "part-written",
    "before-folder-sync",
    "after-store",
    "after-postpone",
    "before-clear",
    "before-finish",
    "after-finish",
    # forward
    "before-freeze",
    "after-freeze",
    "before-post",
    "after-post-before-mark",
    "after-mark",
    # housekeeping
    "after-expire",
    "after-forget",
    "after-erase",
    "before-remove",
    "after-remove",
    "after-sweep",
    # by hand
    "after-retry",
)


class NoSuchStep(ValueError):
    """The variable names something that is no step."""


def armed(environment: Mapping[str, str]) -> Callable[[str], None]:
    """What `fault_point` is under these variables."""
    value = environment.get(VARIABLE)
    if not value:
        return _do_nothing
    name, _, count = value.partition(":")
    if name not in STEPS or not (count or "1").isdigit():
        raise NoSuchStep(f"{VARIABLE}={value}: it is name or name:count, with one of {STEPS}")
    return _Trap(name, int(count or 1))


def _do_nothing(name: str) -> None:
    """Nothing is switched on."""


class _Trap:
    def __init__(self, name: str, count: int) -> None:
        self._name, self._left = name, count
        self._lock = threading.Lock()

    def __call__(self, name: str) -> None:
        if name != self._name:
            return
        with self._lock:
            self._left -= 1
            if self._left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)


#: Called with the name of each step.
fault_point: Callable[[str], None] = armed(os.environ)
