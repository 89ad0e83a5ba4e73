"""Turns: which of the waiting files is fetched next.

Files wait in a line for each host, and in it for each conversation. Hosts take turns, and so do the conversations of
a host; a conversation's small files come before its large ones. A file takes a place only when it is its turn, and no
host and no conversation may hold more places than are free: one that is slow never holds those of the others.
"""

import heapq
import itertools
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from .retry_policy import FailedTries

K = TypeVar("K")

#: Bytes that a file of unknown size is taken to have: it waits behind small files and before large ones.
UNKNOWN_SIZE = 3_000_000
#: Of so many turns of a host, one goes to a file whose last attempt timed out although others wait.
_LATE_TURNS = 8


@dataclass(frozen=True, slots=True)
class Limits:
    """Places for files that are being fetched, and shares in them."""

    #: Files being fetched, and as many that are fetched and being made safe.
    places: int
    #: Files being fetched from one host.
    at_one_host: int = 32
    #: Files of one conversation, and their bytes. One file is allowed in any case.
    files: int = 8
    bytes: int = 64_000_000


@dataclass(slots=True)
class Waiting:
    """A file that waits for its turn, or has it. Hosts are learned: a look-up may lead to another one."""

    message: int
    position: int
    due: int
    conversation: int
    host: str
    #: Bytes, as the platform announced them.
    size: int = UNKNOWN_SIZE
    #: Whether its last attempt timed out.
    is_late: bool = False
    #: Whether nobody can have tried before.
    is_new: bool = False
    failed: FailedTries = field(default_factory=FailedTries)
    #: Orders a file that was dropped, and still stands in a line, and the same one taken up again.
    serial: int = field(default_factory=itertools.count().__next__)

    @property
    def key(self) -> tuple[int, int]:
        return self.message, self.position

    @property
    def rank(self) -> tuple[int, int, int, int, int]:
        return self.size, self.due, *self.key, self.serial


class HostBusy(Exception):
    """The host to which a file led is at its limit; the file has to wait in that host's line."""

    def __init__(self, host: str) -> None:
        super().__init__(host)
        self.host = host


class _Ring:
    """The conversations of one host that take turns."""

    def __init__(self) -> None:
        self._files: OrderedDict[int, list[tuple[tuple[int, int, int, int, int], Waiting]]] = (
            OrderedDict()
        )

    def __bool__(self) -> bool:
        return bool(self._files)

    def add(self, file: Waiting) -> None:
        heapq.heappush(self._files.setdefault(file.conversation, []), (file.rank, file))

    def take(self, may_start: Callable[[Waiting], bool]) -> Waiting | None:
        startable = (key for key, files in self._files.items() if may_start(files[0][1]))
        conversation = next(startable, None)
        if conversation is None:
            return None
        files = self._files[conversation]
        _, file = heapq.heappop(files)
        if files:
            self._files.move_to_end(conversation)
        else:
            del self._files[conversation]
        return file


@dataclass(slots=True)
class _Line:
    """The files that wait for one host. Those whose last attempt timed out come last."""

    fresh: _Ring = field(default_factory=_Ring)
    late: _Ring = field(default_factory=_Ring)
    turns: int = 0

    def __bool__(self) -> bool:
        return bool(self.fresh) or bool(self.late)

    def add(self, file: Waiting) -> None:
        (self.late if file.is_late else self.fresh).add(file)

    def take(self, may_start: Callable[[Waiting], bool]) -> Waiting | None:
        # A host that is never idle must not keep late files waiting forever.
        late_first = self.turns % _LATE_TURNS == _LATE_TURNS - 1
        for ring in (self.late, self.fresh) if late_first else (self.fresh, self.late):
            if (file := ring.take(may_start)) is not None:
                self.turns += 1
                return file
        return None


class Turns:
    """The lines, and the places that are taken. `share` is a node's part of a limit that holds for all nodes."""

    def __init__(self, limits: Limits, share: Callable[[int], int] = lambda limit: limit) -> None:
        self._limits = limits
        self._share = share
        self._lines: OrderedDict[str, _Line] = OrderedDict()
        self._fetching: Counter[str] = Counter()
        #: Files that are being fetched, and files that are being made safe.
        self._in_fetch = self._in_safe = 0
        self._files: Counter[int] = Counter()
        self._bytes: Counter[int] = Counter()

    def add(self, file: Waiting) -> None:
        """Queue a file that is due."""
        self._lines.setdefault(file.host, _Line()).add(file)

    def take(self) -> Waiting | None:
        """Return the file whose turn it is, which now has a place; None if none may start."""
        if self._free <= 0 or self._in_safe >= self._limits.places:
            return None
        for host, line in self._lines.items():
            if self._has_room(host) and (file := line.take(self._may_start)) is not None:
                break
        else:
            return None
        self._lines.move_to_end(host)
        if not line:
            del self._lines[host]
        self._fetching[host] += 1
        self._in_fetch += 1
        self._files[file.conversation] += 1
        self._bytes[file.conversation] += file.size
        return file

    def move(self, file: Waiting, host: str) -> None:
        """Take the place of a file with it to the host to which it led; raise HostBusy if there is no room."""
        if host == file.host:
            return
        # The file frees a place at the host from which it comes.
        if not self._has_room(host, self._free + 1):
            raise HostBusy(host)
        _subtract(self._fetching, file.host, 1)
        self._fetching[host] += 1
        file.host = host

    def fetched(self, file: Waiting) -> None:
        """Free the file's place at its host; it is being made safe now."""
        self._leave_host(file)
        self._in_safe += 1

    def done(self, file: Waiting, *, was_fetched: bool) -> None:
        """Free the file's place."""
        if was_fetched:
            self._in_safe -= 1
        else:
            self._leave_host(file)
        _subtract(self._files, file.conversation, 1)
        _subtract(self._bytes, file.conversation, file.size)

    def _leave_host(self, file: Waiting) -> None:
        _subtract(self._fetching, file.host, 1)
        self._in_fetch -= 1

    @property
    def _free(self) -> int:
        return self._limits.places - self._in_fetch

    def _has_room(self, host: str, free: int | None = None) -> bool:
        free = self._free if free is None else free
        return self._fetching[host] < min(self._share(self._limits.at_one_host), free)

    def _may_start(self, file: Waiting) -> bool:
        held = self._files[file.conversation]
        if held == 0:
            return True
        # Conversations that hold a place leave half of the others to those that hold none.
        free = min(self._free, self._limits.places // 2 - self._in_safe)
        fits = self._bytes[file.conversation] + file.size <= self._limits.bytes
        return fits and held < min(self._limits.files, free)


def _subtract(counter: Counter[K], key: K, count: int) -> None:
    """Subtract, and forget what is zero: there are thousands of hosts and conversations."""
    counter[key] -= count
    if counter[key] <= 0:
        del counter[key]
