"""Bodies that nobody has proved yet: all of them together may take only so much memory.

Anybody can send bodies and hold back their ends. When there are too many, the one that has waited longest is given up:
a platform sends a body within milliseconds, and sends it again if it is refused. So strangers who hold many bodies open
lose their own, and a delivery that arrives meanwhile is read.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

#: Bytes of all unproved bodies together: eight of the largest that the built-in connectors accept.
MAX_BYTES = 32 * 1024 * 1024
#: Unproved bodies at the same time. Each keeps a connection open, and buffers of its own beside its bytes.
MAX_BODIES = 256
#: Seconds that a body may take to arrive. Platforms wait about as long for an answer.
MAX_SECONDS = 10.0


class NoRoom(Exception):
    """A body was given up because there are too many."""


class TooSlow(Exception):
    """A body did not arrive in time."""


class Share:
    """One body, as far as it has arrived. It can be given up until it is complete."""

    def __init__(self) -> None:
        self.size = 0
        self._pieces: list[bytes] = []
        self._given_up = False
        self._deadline: asyncio.Timeout | None = None

    @asynccontextmanager
    async def arriving(self, seconds: float) -> AsyncIterator[None]:
        """Limit the time of the block, which reads the body. Raises TooSlow and NoRoom."""
        try:
            async with asyncio.timeout(seconds) as self._deadline:
                yield
        except TimeoutError:
            if self._given_up:
                raise NoRoom from None
            raise TooSlow from None
        finally:
            self._deadline = None

    def add(self, piece: bytes) -> None:
        if self._given_up:
            raise NoRoom
        self._pieces.append(piece)
        self.size += len(piece)

    def body(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def give_up(self) -> None:
        """Free the memory at once, and end the reading, which takes some turns of the event loop."""
        self._given_up = True
        self._pieces.clear()
        self.size = 0
        if self._deadline is not None:
            self._deadline.reschedule(asyncio.get_running_loop().time())


class UnprovedBodies:
    """The shares of all unproved bodies."""

    def __init__(
        self,
        max_bytes: int = MAX_BYTES,
        max_bodies: int = MAX_BODIES,
        max_seconds: float = MAX_SECONDS,
    ) -> None:
        self.max_bytes = max_bytes
        self._max_bodies = max_bodies
        self._max_seconds = max_seconds
        #: Bytes of all shares.
        self.bytes = 0
        #: Those that can be given up, in the order of their arrival.
        self._arriving: dict[Share, None] = {}

    @contextmanager
    def share(self) -> Iterator[Share]:
        """Yield the share of one body, which lasts until the body is proved or refused."""
        share = Share()
        try:
            yield share
        finally:
            self._arriving.pop(share, None)
            self.bytes -= share.size

    @asynccontextmanager
    async def arriving(self, share: Share) -> AsyncIterator[None]:
        """The block reads the body and calls `add`. Raises TooSlow and NoRoom."""
        self._arriving[share] = None
        if len(self._arriving) > self._max_bodies:
            self._give_up_longest()
        async with share.arriving(self._max_seconds):
            yield
        # Complete: from now on it takes its room until it is verified, which is soon.
        self._arriving.pop(share, None)

    def add(self, share: Share, piece: bytes) -> None:
        """Keep a piece that has arrived, and give up the bodies that have waited longest if there is too much."""
        share.add(piece)
        self.bytes += len(piece)
        while self.bytes > self.max_bytes and self._arriving:
            if self._give_up_longest() is share:
                raise NoRoom

    def _give_up_longest(self) -> Share:
        share = next(iter(self._arriving))
        del self._arriving[share]
        self.bytes -= share.size
        share.give_up()
        return share
