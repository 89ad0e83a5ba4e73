"""The intake as the parse worker sees it: rows in the order of acceptance, each until it is recorded.

Numbers of rows say nothing about what was committed before: a lower one may appear after a higher one. So there is no
position in the table to go on from. The oldest rows are read, except those that are being parsed already.
"""

import asyncio
import itertools
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from gateway.journal.frames import unpack
from gateway.journal.operations.shards import Shards
from gateway.journal.operations.transaction import Transaction
from gateway.journal.records import IntakeRow

from .adapters import Bigints

#: Bytes of deliveries in one row for the parse worker, so that parsing it never blocks the event loop for long.
_ROW_BYTES = 16 * 1024
#: Ids below the oldest row within which others may still appear, and seconds after which older ones are looked for.
_MARGIN = 10_000
_EVERYTHING_EVERY = 5.0
#: Seconds that deliveries may take to be recorded when their streams are handed over.
_GRACE_SECONDS = 3.0
#: The most deliveries that are read at a time.
_MAX_DELIVERIES = 1000

_OLDEST = """SELECT stream, id, delivery FROM (
    SELECT owned.stream, found.id, found.delivery, sum(found.size) OVER (ORDER BY found.id) - found.size AS before
    FROM unnest(CAST(? AS bigint[])) AS owned (stream) CROSS JOIN LATERAL (
        SELECT id, delivery, octet_length(delivery) AS size FROM intake
        WHERE intake.stream = owned.stream AND id >= ? AND id != ALL (CAST(? AS bigint[]))
        ORDER BY id LIMIT ?) found
    ORDER BY found.id LIMIT ?) oldest
    WHERE before < ? ORDER BY id"""

_REMOVE = """DELETE FROM intake USING unnest(CAST(? AS bigint[]), CAST(? AS bigint[])) AS done (stream, id)
    WHERE intake.stream = done.stream AND intake.id = done.id"""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A row of the table."""

    stream: int
    id: int
    frame: bytes


def oldest(
    transaction: Transaction,
    streams: Sequence[int],
    beside: Sequence[int],
    rows: int,
    *,
    floor: int = 0,
) -> list[Delivery]:
    """Return the oldest deliveries of these streams, except those with the ids `beside`: about so many rows of them.

    Those with an id below `floor` are left out.
    """
    limit = min(rows * 64, _MAX_DELIVERIES)
    found = transaction.execute(
        _OLDEST, (Bigints(streams), floor, Bigints(beside), limit, limit, rows * _ROW_BYTES)
    )
    return [Delivery(*row) for row in found]


def remove(transaction: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Remove deliveries that are recorded."""
    if deliveries:
        keys = Bigints(one.stream for one in deliveries), Bigints(one.id for one in deliveries)
        transaction.execute(_REMOVE, keys)


class Floor:
    """The id below which deliveries need not be looked for each time.

    Rows that were removed stay in the table while anybody has an old transaction open, such as a report or a dump.
    Reading over all of them each time was measured to halve the rate after seconds. A row may still appear below: its
    transaction took long. So now and then everything is read, and at once if other streams are read than before.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._floor = 0
        self._streams = frozenset[int]()
        self._reset_at = 0.0

    def of(self, streams: Iterable[int]) -> int:
        """Return the floor for these streams."""
        wanted, now = frozenset(streams), self._clock()
        if wanted != self._streams or now - self._reset_at >= _EVERYTHING_EVERY:
            self._floor, self._streams, self._reset_at = 0, wanted, now
        return self._floor

    def found(self, deliveries: Sequence[Delivery]) -> None:
        """Note the oldest deliveries that there were."""
        if deliveries:
            self._floor = max(0, deliveries[0].id - _MARGIN)


class HandedOut:
    """The rows that the parse worker has and that are not recorded yet, numbered as they were handed out."""

    def __init__(self) -> None:
        self._rows: dict[int, tuple[Delivery, ...]] = {}
        #: Rows of which another node reads a part: the parse worker has to read the rest once more.
        self._spoilt: set[int] = set()
        self._numbers = itertools.count(1)

    @property
    def ids(self) -> list[int]:
        """The ids of all deliveries in these rows."""
        return [delivery.id for row in self._rows.values() for delivery in row]

    def after(self, number: int, limit: int) -> list[IntakeRow]:
        """Return at most `limit` rows after row `number`, again."""
        numbers = [one for one in self._rows if one > number][:limit]
        self._spoilt.difference_update(numbers)
        return [self._row(one) for one in numbers]

    def add(self, deliveries: Iterable[Delivery], limit: int) -> list[IntakeRow]:
        """Hand out at most `limit` rows of deliveries."""
        rows: list[IntakeRow] = []
        for group in itertools.islice(_grouped(deliveries), limit):
            number = next(self._numbers)
            self._rows[number] = group
            rows.append(self._row(number))
        return rows

    def deliveries(self, numbers: Iterable[int]) -> list[Delivery]:
        """Return the deliveries in these rows."""
        return [delivery for number in numbers for delivery in self._rows.get(number, ())]

    def done(self, numbers: Iterable[int]) -> None:
        """Forget rows that are recorded."""
        for number in numbers:
            self._rows.pop(number, None)

    def forget(self, streams: Iterable[int]) -> None:
        """Forget the rows of streams that another node reads now."""
        gone = frozenset(streams)
        for number, row in list(self._rows.items()):
            left = tuple(delivery for delivery in row if delivery.stream not in gone)
            if left != row:
                self._spoilt.add(number)
            if left:
                self._rows[number] = left
            else:
                del self._rows[number]

    def have(self, streams: Iterable[int]) -> bool:
        """Whether a row holds deliveries of these streams."""
        wanted = frozenset(streams)
        return any(delivery.stream in wanted for row in self._rows.values() for delivery in row)

    def are_spoilt(self, numbers: Iterable[int]) -> bool:
        """Whether what the parse worker made of these rows must not be recorded. It is asked once."""
        spoilt = self._spoilt.intersection(numbers)
        self._spoilt -= spoilt
        return bool(spoilt)

    def _row(self, number: int) -> IntakeRow:
        frames = (delivery.frame for delivery in self._rows[number])
        return IntakeRow(number, tuple(one for frame in frames for one in unpack(frame)))


class IntakeShards:
    """Lets the parse worker read the streams of shards that are gained, and forget those that are lost."""

    def __init__(self, handed_out: HandedOut, arrived: asyncio.Event) -> None:
        self._handed_out = handed_out
        self._arrived = arrived

    async def pick_up(self, shards: Shards | None = None) -> None:  # noqa: ARG002 - it reads all
        self._arrived.set()

    def drop(self, shards: Shards) -> None:
        self._handed_out.forget(shards)

    async def release(self, shards: Shards) -> None:
        """Let what is being parsed be recorded first."""
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(_GRACE_SECONDS):
                    while self._handed_out.have(shards):  # noqa: ASYNC110 - once in a hand-over
                        await asyncio.sleep(0.01)
        finally:
            self.drop(shards)


def _grouped(deliveries: Iterable[Delivery]) -> Iterable[tuple[Delivery, ...]]:
    """Yield consecutive deliveries that together are not too large for a row."""
    group: list[Delivery] = []
    size = 0
    for delivery in deliveries:
        if group and size + len(delivery.frame) > _ROW_BYTES:
            yield tuple(group)
            group, size = [], 0
        group.append(delivery)
        size += len(delivery.frame)
    if group:
        yield tuple(group)
