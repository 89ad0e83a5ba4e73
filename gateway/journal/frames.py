"""How deliveries stand in an intake row: one after the other, each with its length before it.

One row holds a whole group commit. Measured against a row for each delivery: a third less CPU, and as
cheap as a bare append-only file, while SQLite keeps the recovery.
"""

import struct
from collections.abc import Iterator

import orjson

from .records import Accepted

_LENGTHS = struct.Struct(">II")


def pack(delivery: Accepted) -> bytes:
    head = orjson.dumps(
        (delivery.connector, delivery.received_at, delivery.headers, delivery.query)
    )
    return _LENGTHS.pack(len(head), len(delivery.body)) + head + delivery.body


def unpack(row: bytes) -> Iterator[Accepted]:
    """Each delivery of a row."""
    view, start = memoryview(row), 0
    while start < len(view):
        head_length, body_length = _LENGTHS.unpack_from(view, start)
        body_start = start + _LENGTHS.size + head_length
        end = body_start + body_length
        connector, received_at, headers, query = orjson.loads(
            view[start + _LENGTHS.size : body_start]
        )
        yield Accepted(connector, received_at, headers, query, bytes(view[body_start:end]))
        start = end
