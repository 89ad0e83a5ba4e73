"""Named steps of the pipeline at which a test can kill the process, as a power failure would.

AIRLOCK_FAULT_POINT=after-append:3 kills the process (SIGKILL) when it reaches that step for the third time. The
variable is set only in tests; without it `fault_point` does nothing.
"""

import os
import signal
import threading
from collections.abc import Callable, Mapping

VARIABLE = "AIRLOCK_FAULT_POINT"

#: In the order in which a message reaches them.
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
    # parse
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
    # deliver
    "before-freeze",
    "after-freeze",
    "before-post",
    "after-post-before-mark",
    "after-mark",
    # retention
    "after-expire",
    "after-forget",
    "after-erase",
    "before-remove",
    "after-remove",
    "after-sweep",
    # manual retry
    "after-retry",
)


class NoSuchStep(ValueError):
    """The variable names an unknown step."""


def armed(environment: Mapping[str, str]) -> Callable[[str], None]:
    """Return the function that `fault_point` is in this environment."""
    value = environment.get(VARIABLE)
    if not value:
        return _do_nothing
    name, _, count = value.partition(":")
    if name not in STEPS or not (count or "1").isdigit():
        raise NoSuchStep(f"{VARIABLE}={value}: must be name or name:count; the names are {STEPS}")
    return _Trap(name, int(count or 1))


def _do_nothing(name: str) -> None:
    """No fault point is armed."""


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
