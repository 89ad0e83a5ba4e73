"""The structure of a sender's video, read from its boxes before a library sees the file.

Early refusals protect the libraries: truncated files, data in other files, indexes that claim more samples than the
file has bytes.
"""

import struct
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from normalizer.decoders.photo.orientation import UPRIGHT
from normalizer.isobmff import CONTAINERS, Box, Broken, find_boxes, walk
from normalizer.media import MediaRejected

from .index_limits import IndexLimits

#: Top-level boxes that make a video. If one of them is truncated, the video is.
_MEDIA = frozenset({b"ftyp", b"moov", b"mdat", b"moof"})

#: Boxes that some recorders end a few bytes too late. Their content decides whether something is missing.
_CLIPPED = frozenset({b"mdat", b"moov"})

#: The parent of the top-level boxes, in place of a box name.
_FILE = b""

#: The other known top-level boxes. Everything after the last known box is ignored.
_OTHERS = frozenset(
    {b"free", b"skip", b"wide", b"pnot", b"uuid", b"meta", b"styp", b"sidx", b"ssix", b"prft"}
    | {b"emsg", b"mfra", b"PICT", b"udta", b"pdin", b"junk"}
)

#: The boxes that a library needs to find and decode frames, by their parent: libraries look everywhere.
_NEEDED: Mapping[bytes, frozenset[bytes]] = {
    _FILE: _MEDIA,
    b"moov": frozenset({b"mvhd", b"trak", b"mvex"}),
    b"mvex": frozenset({b"mehd", b"trex"}),
    b"trak": frozenset({b"tkhd", b"edts", b"mdia"}),
    b"edts": frozenset({b"elst"}),
    b"mdia": frozenset({b"mdhd", b"hdlr", b"minf"}),
    b"minf": frozenset({b"vmhd", b"smhd", b"dinf", b"stbl"}),
    b"dinf": frozenset({b"dref"}),
    b"stbl": frozenset({b"stsd", b"stts", b"ctts", b"cslg", b"stss", b"stps", b"sdtp", b"stsc"})
    | {b"stsz", b"stz2", b"stco", b"co64"},
    b"moof": frozenset({b"mfhd", b"traf"}),
    b"traf": frozenset({b"tfhd", b"tfdt", b"trun"}),
}

#: Boxes that may be repeated. Of the others only the first counts, and libraries give up at a second one.
_REPEATED = frozenset({b"mdat", b"moof", b"trak", b"trex", b"traf", b"trun"})

_ENCRYPTED = frozenset({b"encv", b"enca", b"drmi", b"drms"})
_PLAYABLE = frozenset({b"vide", b"soun"})

#: The path from a track to its tables.
_TABLE = b"mdia", b"minf", b"stbl"

_MAX_TRACKS = 64

#: The rotation in a display matrix (ISO/IEC 14496-12, 6.2.2), as EXIF's orientations.
_TURNS = {
    (1, 0, 0, 1): 1,
    (-1, 0, 0, 1): 2,
    (-1, 0, 0, -1): 3,
    (1, 0, 0, -1): 4,
    (0, 1, 1, 0): 5,
    (0, 1, -1, 0): 6,
    (0, -1, -1, 0): 7,
    (0, -1, 1, 0): 8,
}


@dataclass(frozen=True, slots=True)
class Track:
    """A track of the file, as its index describes it."""

    number: int
    kind: bytes
    orientation: int
    #: How many codings the track switches between.
    descriptions: int

    @property
    def plays(self) -> bool:
        return self.kind in _PLAYABLE


@dataclass(frozen=True, slots=True)
class Structure:
    tracks: tuple[Track, ...]
    #: The end of the video; the rest of the file is ignored.
    end: int
    #: The offsets of names of boxes that no library needs to see.
    hidden: tuple[int, ...]
    #: The offsets at which media begin and end, alternately.
    media: tuple[int, ...]
    #: Whether the last box claims more bytes than the file has. All frames may be there nevertheless.
    overclaims: bool

    def orientation(self, number: int) -> int:
        """Return the EXIF orientation of a track."""
        return next((t.orientation for t in self.tracks if t.number == number), UPRIGHT)

    def is_uniform(self, number: int) -> bool:
        """Whether one description holds for the whole track. Browsers stop where another one begins."""
        return all(t.descriptions <= 1 for t in self.tracks if t.number == number)

    def media_around(self, start: int) -> range:
        """Return the media around an offset, or an empty range: an index can point anywhere."""
        at = bisect_right(self.media, start)
        return range(self.media[at - 1], self.media[at]) if at % 2 == 1 else range(0)


def read(data: memoryview) -> Structure:
    """Return the structure. Raise MediaRejected for a broken file."""
    try:
        return _read(data)
    except (Broken, struct.error, IndexError) as exc:
        raise MediaRejected("corrupt", f"the video's boxes are broken: {exc}") from None


def _read(data: memoryview) -> Structure:
    top, overclaims = _top(data)
    kinds = {box.kind for box in top}
    index = next((box for box in top if box.kind == b"moov"), None)
    if index is None:
        raise MediaRejected("corrupt", "the video has no index")
    if not kinds & {b"mdat", b"moof"}:
        raise MediaRejected("corrupt", "the video has no media")
    if any(find_boxes(data, index, b"cmov")):
        raise MediaRejected("unsupported_type", "the video's index is compressed")
    boxes = list(find_boxes(data, index, b"trak"))
    if len(boxes) > _MAX_TRACKS:
        raise MediaRejected("corrupt", f"the video has {len(boxes)} tracks")
    tracks = tuple(_track(data, box) for box in boxes)
    others = {box.start for box, track in zip(boxes, tracks, strict=True) if not track.plays}
    uncompressed = [box for box in boxes if _is_uncompressed_audio(data, box)]
    index_limits = IndexLimits(
        {size.start for box in uncompressed for size in find_boxes(data, box, *_TABLE, b"stsz")}
    )
    for box in uncompressed:
        _add_chunks(data, box, index_limits)
    hidden = tuple(_unneeded_names(data, top, others, index_limits))
    media = tuple(at for box in top if box.kind == b"mdat" for at in (box.body, box.end))
    return Structure(tuple(t for t in tracks if t.plays), top[-1].end, hidden, media, overclaims)


def _top(data: memoryview) -> tuple[list[Box], bool]:
    """Return the boxes up to the last known one, and whether that claims more than the file has.

    Players skip unknown boxes, and the rest is not part of the video.
    """
    found: list[Box] = []
    try:
        # One by one, because the boxes before the first broken one count.
        found.extend(walk(data, 0, len(data)))
    except Broken:
        last = _clipped(data, found[-1].end if found else 0)
        if last.kind in _CLIPPED:
            return [*found, last], True
        if last.kind in _MEDIA:
            raise
    while found and found[-1].kind not in _MEDIA | _OTHERS:
        found.pop()
    return found, False


def _clipped(data: memoryview, start: int) -> Box:
    """Return a box that claims more than the file has, as if it ended with the file."""
    size, kind = struct.unpack_from(">I4s", data, start)
    return Box(kind, start, min(start + (16 if size == 1 else 8), len(data)), len(data))


def _unneeded_names(
    data: memoryview,
    boxes: Iterable[Box],
    others: set[int],
    index_limits: IndexLimits,
    parent: bytes = _FILE,
) -> Iterator[int]:
    """Yield the offsets of the names of all unneeded boxes, at any depth. Check the needed ones."""
    seen: set[bytes] = set()
    for box in boxes:
        repeated = box.kind in seen and box.kind not in _REPEATED
        seen.add(box.kind)
        if repeated or box.kind not in _NEEDED[parent] or box.start in others:
            yield box.start + 4
        elif box.kind in CONTAINERS:
            inner = walk(data, box.body, box.end)
            yield from _unneeded_names(data, inner, others, index_limits, box.kind)
        else:
            index_limits.check(data, box)


def _track(data: memoryview, box: Box) -> Track:
    header = next(find_boxes(data, box, b"tkhd"), None)
    if header is None:
        raise Broken("a track has no header")
    version = data[header.body]
    at = header.body + (20 if version == 1 else 12)
    (number,) = struct.unpack_from(">I", data, at)
    a, b, _, c, d = struct.unpack_from(">iiiii", data, at + (28 if version == 0 else 32))
    handlers = [
        bytes(data[h.body + 8 : h.body + 12]) for h in find_boxes(data, box, b"mdia", b"hdlr")
    ]
    kind = handlers[0] if handlers else b""
    if kind in _PLAYABLE:
        _check_unencrypted(data, box)
        _check_references(data, box)
    turn = _TURNS.get((_sign(a), _sign(b), _sign(c), _sign(d)), UPRIGHT)
    return Track(number, kind, turn, len(_descriptions(data, box)))


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)


def _check_unencrypted(data: memoryview, track: Box) -> None:
    """Refuse encrypted tracks, which decode to noise or nothing without an error (ISO/IEC 14496-12, 8.12)."""
    if any(entry.kind in _ENCRYPTED for entry in _descriptions(data, track)):
        raise MediaRejected("unsupported_type", "the video is encrypted")


def _descriptions(data: memoryview, track: Box) -> list[Box]:
    return [
        entry
        for table in find_boxes(data, track, *_TABLE, b"stsd")
        for entry in walk(data, table.body + 8, table.end)
    ]


def _is_uncompressed_audio(data: memoryview, track: Box) -> bool:
    """Whether each sample is one value of a wave, as in uncompressed sound. Such samples come in chunks."""
    kinds = [
        bytes(data[h.body + 8 : h.body + 12]) for h in find_boxes(data, track, b"mdia", b"hdlr")
    ]
    times = [
        struct.unpack_from(">III", data, box.body + 4)
        for box in find_boxes(data, track, *_TABLE, b"stts")
    ]
    return kinds[:1] == [b"soun"] and any(
        entries == duration == 1 for entries, _, duration in times
    )


def _add_chunks(data: memoryview, track: Box, index_limits: IndexLimits) -> None:
    chunks = [
        struct.unpack_from(">I", data, box.body + 4)[0]
        for kind in (b"stco", b"co64")
        for box in find_boxes(data, track, *_TABLE, kind)
    ]
    for runs in find_boxes(data, track, *_TABLE, b"stsc"):
        index_limits.add_joined(data, runs, max(chunks, default=0))


def _check_references(data: memoryview, track: Box) -> None:
    """Refuse data outside this file: a reference would make us open a file that the sender names."""
    for references in find_boxes(data, track, b"mdia", b"minf", b"dinf", b"dref"):
        for box in walk(data, references.body + 8, references.end):
            if box.body + 4 > box.end or not data[box.body + 3] & 1:
                raise MediaRejected("unsupported_type", "the video's media are in another file")
