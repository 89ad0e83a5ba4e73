"""The units of an H.264 stream: only those that make pictures are kept.

Everything else may carry text: SEI messages hold the encoder's settings, captions, time codes, locations;
filler and private units hold whatever somebody put there.
"""

import struct
from collections.abc import Iterator

#: Slices, sequence and picture parameters, ends (Rec. ITU-T H.264, table 7-1).
_KEPT = frozenset({1, 2, 3, 4, 5, 7, 8, 10, 11})
_SLICES = frozenset({1, 2, 3, 4, 5})
_SEQUENCE, _PICTURE = 7, 8

_START = b"\0\0\1"

#: Profiles whose configuration record ends in four more bytes (ISO/IEC 14496-15, 5.3.3.1).
_HIGH = frozenset({100, 110, 122, 144})


class Irregular(Exception):
    """Not the stream its container says it is: better decode it and encode it anew."""


class Units:
    """The filter for one track, made from its configuration record (avcC)."""

    def __init__(self, record: bytes) -> None:
        if len(record) < 7 or record[0] != 1:
            raise Irregular("no configuration record")
        self._length_bytes = (record[4] & 3) + 1
        if self._length_bytes == 3:
            raise Irregular("lengths of three bytes")
        self.record = _clean(record)

    def filtered(self, packet: memoryview) -> bytes | None:
        """The packet without what is not kept; None where all of it is."""
        kept: list[memoryview] = []
        at, size, whole, shown = 0, len(packet), True, False
        while at + self._length_bytes <= size:
            start = at + self._length_bytes
            end = start + int.from_bytes(packet[at:start], "big")
            if end > size:
                raise Irregular("a unit that ends beyond its packet")
            kind = packet[start] & 31 if end > start else 0
            if kind in _KEPT:
                kept.append(packet[at:end])
                shown = shown or kind in _SLICES
            else:
                whole = False
            at = end
        if not shown:
            raise Irregular("a frame without a picture in it")
        return None if whole and at == size else b"".join(kept)


def without_messages(packet: bytes) -> bytes:
    """The same for what our own encoder makes: units behind start codes (Annex B)."""
    starts = list(_start_codes(packet))
    kept = [
        packet[at:end]
        for at, end in zip(starts, [*starts[1:], len(packet)], strict=True)
        if _unit_kind(packet, at) in _KEPT
    ]
    return b"".join(kept)


def _start_codes(packet: bytes) -> Iterator[int]:
    at = packet.find(_START)
    while at >= 0:
        # A zero before belongs to the code.
        yield at - 1 if at and packet[at - 1] == 0 else at
        at = packet.find(_START, at + len(_START))


def _unit_kind(packet: bytes, at: int) -> int:
    return packet[packet.index(_START, at) + len(_START)] & 31


def _clean(record: bytes) -> bytes:
    """The record with its parameter sets and nothing behind them."""
    at, count = 6, record[5] & 31
    sequences, at = _sets(record, at, count, _SEQUENCE)
    if at >= len(record):
        raise Irregular("half a configuration record")
    pictures, at = _sets(record, at + 1, record[at], _PICTURE)
    if not sequences or not pictures:
        raise Irregular("no parameters")
    first = sequences[0]
    parts = [bytes([1]), first[1:4], bytes([0xFC | (record[4] & 3), 0xE0 | len(sequences)])]
    parts += [struct.pack(">H", len(each)) + each for each in sequences]
    parts += [bytes([len(pictures)])]
    parts += [struct.pack(">H", len(each)) + each for each in pictures]
    if first[1] in _HIGH and at + 4 <= len(record):
        parts += [record[at : at + 3] + b"\0"]
    return b"".join(parts)


def _sets(record: bytes, at: int, count: int, kind: int) -> tuple[list[bytes], int]:
    found: list[bytes] = []
    for _ in range(count):
        if at + 2 > len(record):
            raise Irregular("half a configuration record")
        (size,) = struct.unpack_from(">H", record, at)
        unit = record[at + 2 : at + 2 + size]
        if len(unit) != size or size < 2 or unit[0] & 31 != kind:
            raise Irregular("a parameter set that is none")
        found.append(unit)
        at += 2 + size
    return found, at
