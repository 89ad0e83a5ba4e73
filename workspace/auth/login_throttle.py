"""Limit on failed sign-ins: guessing takes years, a forgotten password costs a user only minutes."""

import time
from collections import deque
from collections.abc import Callable

#: Failures are forgotten after this many seconds.
WINDOW_SECONDS = 15 * 60.0

#: For one name from one address. Honest mistakes reach this limit first.
_PAIR_LIMIT = 5
#: For one name from all addresses, and for one address with all names. These limits are higher because an attacker
#: must not lock others out easily, and a whole office may share one address.
_NAME_LIMIT, _ADDRESS_LIMIT = 50, 100

#: Keys that are kept before old ones are dropped.
_MAX_KEYS = 20_000

_Key = tuple[str, str]


class LoginThrottle:
    """Failed sign-ins of the last minutes, by name and address. They are kept in memory only."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: dict[_Key, deque[float]] = {}

    def seconds_to_wait(self, name: str, address: str) -> float:
        """Return the seconds until this name may be tried from this address; 0 means now."""
        now = self._clock()
        return max(self._seconds_to_wait(key, limit, now) for key, limit in _keys(name, address))

    def record_failure(self, name: str, address: str) -> None:
        now = self._clock()
        for key, limit in _keys(name, address):
            self._failures.setdefault(key, deque(maxlen=limit)).append(now)
        if len(self._failures) > _MAX_KEYS:
            self._drop_old(now)

    def record_success(self, name: str, address: str) -> None:
        self._failures.pop((name, address), None)

    def _seconds_to_wait(self, key: _Key, limit: int, now: float) -> float:
        failures = self._failures.get(key, deque())
        recent = [at for at in failures if now - at < WINDOW_SECONDS]
        return recent[0] + WINDOW_SECONDS - now if len(recent) >= limit else 0.0

    def _drop_old(self, now: float) -> None:
        """Drop failures that have expired. Under attack, drop younger ones too, oldest first."""
        recent = {
            key: times for key, times in self._failures.items() if now - times[-1] < WINDOW_SECONDS
        }
        latest = sorted(recent.items(), key=lambda entry: entry[1][-1])[-_MAX_KEYS // 2 :]
        self._failures = dict(latest)


def _keys(name: str, address: str) -> tuple[tuple[_Key, int], ...]:
    return (
        ((name, address), _PAIR_LIMIT),
        ((name, ""), _NAME_LIMIT),
        (("", address), _ADDRESS_LIMIT),
    )
