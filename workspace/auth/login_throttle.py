"""How often somebody may try to sign in: guessing must take years, a forgotten password only minutes."""

import time
from collections import deque
from collections.abc import Callable

#: Failures are forgotten after this many seconds.
WINDOW_SECONDS = 15 * 60.0

#: For one name from one address, which is where an honest mistake shows.
_PAIR_LIMIT = 5
#: For one name from anywhere, and one address with any names. Higher: an attacker must not lock others out
#: so easily, and a whole office may stand behind one address.
_NAME_LIMIT, _ADDRESS_LIMIT = 50, 100

#: Keys remembered before old ones are cleared away.
_MAX_KEYS = 20_000

_Key = tuple[str, str]


class LoginThrottle:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: dict[_Key, deque[float]] = {}

    def seconds_to_wait(self, name: str, address: str) -> float:
        """Seconds until this name may be tried from this address; 0 for now."""
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
        """Clear away what is over; under attack even younger ones, the oldest first."""
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
