"""The units of an H.264 stream: keeps only those that make pictures.

All others may carry text: SEI messages hold encoder settings, captions, time codes, locations; filler and private
units can hold anything.
"""

import struct
from collections.abc import Iterator
from functools import lru_cache

from . import hidden_text
from .bitstream import Bits, IrregularStream

#: Rec. ITU-T H.264, table 7-1: slices, and slices in three partitions, which no browser plays.
_SLICES = frozenset({1, 5})
_PARTITIONS = frozenset({2, 3, 4})
_SEQUENCE, _PICTURE = 7, 8
_PARAMETERS = frozenset({_SEQUENCE, _PICTURE})
_KEPT = _SLICES | _PARAMETERS

#: The largest slice type (table 7-6), and more blocks than any level allows (table A-1).
_MAX_SLICE_TYPE, _MAX_BLOCKS = 9, 139_264

#: Slice types that do not depend on other pictures.
_INTRA = frozenset({2, 4})

_START = b"\0\0\1"

#: Profiles whose configuration record has four more bytes at its end (ISO/IEC 14496-15, 5.3.3.1).
_HIGH = frozenset({100, 110, 122, 144})


class UnitFilter:
    """The filter for one track, made from its configuration record (avcC)."""

    def __init__(self, record: bytes) -> None:
        if len(record) < 7 or record[0] != 1:
            raise IrregularStream("the configuration record is missing")
        self._length_bytes = (record[4] & 3) + 1
        if self._length_bytes == 3:
            raise IrregularStream("unit lengths have three bytes")
        self._started = False
        self._sets = _parameters(record)
        self._pictures = frozenset(Bits(each[1:]).number() for each in self._sets[_PICTURE])
        self.record = _record(record, self._sets)

    def filter_packet(self, packet: memoryview) -> bytes | None:
        """Return the packet with only the kept units, or None if all units are kept."""
        kept: list[memoryview] = []
        at, size = 0, len(packet)
        while at + self._length_bytes <= size:
            start = at + self._length_bytes
            end = start + int.from_bytes(packet[at:start], "big")
            if end > size:
                raise IrregularStream("a unit ends beyond its packet")
            kind = packet[start] & 31 if end > start else 0
            if kind in _SLICES:
                self._check_slice(bytes(packet[start + 1 : start + 9]), first=not kept)
                hidden_text.check_end(packet[start:end])
                kept.append(packet[at:end])
            else:
                self._check_other(kind, packet[start:end])
            at = end
        if not kept:
            raise IrregularStream("a frame contains no picture")
        return None if sum(map(len, kept)) == size else b"".join(kept)

    def _check_slice(self, head: bytes, *, first: bool) -> None:
        """Check that a slice has a valid header (7.3.3), and that the first slice of a picture has the first block."""
        block, kind, parameters = _short_head(head[:2]) or _short_head(head[:4]) or _head(head)
        if block >= _MAX_BLOCKS or kind > _MAX_SLICE_TYPE or parameters not in self._pictures:
            raise IrregularStream("a slice has an invalid header")
        if first and block:
            raise IrregularStream("a picture lacks its beginning")
        self._started = self._started or kind % 5 in _INTRA
        if not self._started:
            raise IrregularStream("the video does not begin with a key frame")

    def _check_other(self, kind: int, unit: memoryview) -> None:
        if kind in _PARTITIONS:
            raise IrregularStream("slices are partitioned")
        if kind in _PARAMETERS and bytes(unit) not in self._sets[kind]:
            raise IrregularStream("parameters differ from those of the track")


def _head(head: bytes) -> tuple[int, int, int]:
    bits = Bits(head)
    return bits.number(), bits.number(), bits.number()


@lru_cache(maxsize=512)
def _short_head(head: bytes) -> tuple[int, int, int] | None:
    """Most headers have two bytes, or four if a picture has several slices, and are much the same in a video."""
    try:
        return _head(head)
    except IrregularStream:
        return None


def strip_messages(packet: bytes) -> bytes:
    """Return our own encoder's output without messages: units after start codes (Annex B)."""
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
        # A zero before the code belongs to it.
        yield at - 1 if at and packet[at - 1] == 0 else at
        at = packet.find(_START, at + len(_START))


def _unit_kind(packet: bytes, at: int) -> int:
    return packet[packet.index(_START, at) + len(_START)] & 31


def _parameters(record: bytes) -> dict[int, list[bytes]]:
    at, count = 6, record[5] & 31
    sequences, at = _sets(record, at, count, _SEQUENCE)
    if at >= len(record):
        raise IrregularStream("the configuration record is incomplete")
    pictures, _ = _sets(record, at + 1, record[at], _PICTURE)
    if not sequences or not pictures:
        raise IrregularStream("the configuration record has no parameters")
    return {_SEQUENCE: sequences, _PICTURE: pictures}


def _record(record: bytes, sets: dict[int, list[bytes]]) -> bytes:
    """Return the record with its parameter sets and without trailing bytes."""
    sequences, pictures = sets[_SEQUENCE], sets[_PICTURE]
    first = sequences[0]
    parts = [bytes([1]), first[1:4], bytes([0xFC | (record[4] & 3), 0xE0 | len(sequences)])]
    parts += [struct.pack(">H", len(each)) + each for each in sequences]
    parts += [bytes([len(pictures)])]
    parts += [struct.pack(">H", len(each)) + each for each in pictures]
    at = 7 + sum(2 + len(each) for each in (*sequences, *pictures))
    if first[1] in _HIGH and at + 4 <= len(record):
        parts += [record[at : at + 3] + b"\0"]
    return b"".join(parts)


def _sets(record: bytes, at: int, count: int, kind: int) -> tuple[list[bytes], int]:
    found: list[bytes] = []
    for _ in range(count):
        if at + 2 > len(record):
            raise IrregularStream("the configuration record is incomplete")
        (size,) = struct.unpack_from(">H", record, at)
        unit = record[at + 2 : at + 2 + size]
        if len(unit) != size or size < 2 or unit[0] & 31 != kind:
            raise IrregularStream("a parameter set is invalid")
        hidden_text.check_parameters(unit)
        found.append(unit)
        at += 2 + size
    return found, at
