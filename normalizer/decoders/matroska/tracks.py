"""The tracks of a WebM or Matroska file: which are used, and how the copy describes them.

A description holds numbers, a coding of ours and the decoder's configuration. Names, languages, attachments and
everything else that could carry words are left out.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from normalizer.decoders.photo.orientation import UPRIGHT
from normalizer.ebml import (
    PICTURES,
    SOUND,
    TRACK_ENTRY,
    TRACK_TYPE,
    Broken,
    Element,
    children,
    content_of,
    decimal,
    number,
)
from normalizer.media import MediaRejected

from .writing import element, unsigned

_MAX_TRACKS = 64

#: Longest configuration of a decoder: that of Vorbis holds its tables and a comment.
_MAX_CONFIGURATION = 1 << 20

_NUMBER, _UID, _CODEC, _CONFIGURATION = 0xD7, 0x73C5, 0x86, 0x63A2
_DEFAULT_DURATION, _DELAY, _PREROLL = 0x23E383, 0x56AA, 0x56BB
_VIDEO, _AUDIO, _ENCODINGS = 0xE0, 0xE1, 0x6D80
_WIDTH, _HEIGHT = 0xB0, 0xBA
_SHOWN_WIDTH, _SHOWN_HEIGHT, _SHOWN_UNIT = 0x54B0, 0x54BA, 0x54B2
_COLOUR, _COLOURS = 0x55B0, (0x55B1, 0x55B9, 0x55BA, 0x55BB)
_PROJECTION, _PROJECTION_KIND, _YAW, _PITCH, _ROLL = 0x7670, 0x7671, 0x7673, 0x7674, 0x7675
_RATE, _RATE_OF_OUTPUT, _CHANNELS, _BITS = 0xB5, 0x78B5, 0x9F, 0x6264
_ENCODING, _ENCODING_SCOPE, _ENCODING_KIND = 0x6240, 0x5032, 0x5033
_COMPRESSION, _METHOD, _PREFIX = 0x5034, 0x4254, 0x4255

#: Codings of pictures and of sound (RFC 9559 and the Matroska codec registry). Others are not taken.
_PICTURE_CODINGS = frozenset(
    {b"V_VP8", b"V_VP9", b"V_AV1", b"V_MPEG4/ISO/AVC", b"V_MPEGH/ISO/HEVC"}
)
_SOUND_CODINGS = frozenset(
    {b"A_OPUS", b"A_VORBIS", b"A_AAC", b"A_MPEG/L3", b"A_MPEG/L2", b"A_AC3", b"A_EAC3", b"A_FLAC"}
    | {b"A_MPEG/L1", b"A_DTS"}
    | {b"A_PCM/INT/LIT", b"A_PCM/INT/BIG", b"A_PCM/FLOAT/IEEE", b"A_ALAC"}
)
_CODING_BYTES = 32

#: The only encoding that neither packs nor encrypts: the same first bytes are left out of every frame.
_LEAVES_PREFIX_OUT, _FRAMES_ONLY, _MAX_PREFIX = 3, 1, 64

#: Longest side that a description may state, and most channels.
_MAX_SIDE, _MAX_CHANNELS = 65_535, 64

#: Longest duration of a frame and longest delay, in nanoseconds.
_MAX_NANOSECONDS = 10**10

#: Rotations to the left about the line of sight, for pictures as they are and for mirrored ones, as EXIF's
#: orientations (RFC 9559, 5.1.4.1.28.41).
_TURNS = {
    (0, False): 1,
    (90, False): 8,
    (180, False): 3,
    (270, False): 6,
    (0, True): 2,
    (90, True): 5,
    (180, True): 4,
    (270, True): 7,
}

#: The numbers of the tracks in the copy.
PICTURE_TRACK, SOUND_TRACK = 1, 2


@dataclass(frozen=True, slots=True)
class Track:
    """A track that is used. `number` is that of the sender's file; `entry` describes the track in the copy."""

    number: int
    copy_number: int
    entry: bytes
    orientation: int


@dataclass(frozen=True, slots=True)
class Tracks:
    """The first track of pictures and the first of sound whose codings we decode."""

    picture: Track | None
    sound: Track | None

    @property
    def used(self) -> tuple[Track, ...]:
        return tuple(track for track in (self.picture, self.sound) if track is not None)


_Fields = Mapping[int, Element]


def read(data: memoryview, table: Element) -> Tracks:
    """Return the tracks that are used. Raise Broken, or MediaRejected for a used track that is encrypted or packed."""
    entries = [_fields(data, entry) for entry in _entries(data, table)]
    return Tracks(
        _first(data, entries, PICTURES, PICTURE_TRACK),
        _first(data, entries, SOUND, SOUND_TRACK),
    )


def count_pictures(data: memoryview, table: Element) -> int:
    """Return how many tracks of pictures there are, in any coding."""
    entries = (_fields(data, entry) for entry in _entries(data, table))
    return sum(_number(data, each, TRACK_TYPE) == PICTURES for each in entries)


def _entries(data: memoryview, table: Element) -> list[Element]:
    assert table.end is not None
    found = [each for each in children(data, table.body, table.end) if each.kind == TRACK_ENTRY]
    if len(found) > _MAX_TRACKS:
        raise Broken(f"there are {len(found)} tracks")
    return found


def _fields(data: memoryview, parent: Element) -> _Fields:
    """Return the elements in another one, by their kind. The first of a kind counts."""
    assert parent.end is not None
    found: dict[int, Element] = {}
    for each in children(data, parent.body, parent.end):
        found.setdefault(each.kind, each)
    return found


def _first(
    data: memoryview, entries: Iterable[_Fields], kind: int, copy_number: int
) -> Track | None:
    codings = _PICTURE_CODINGS if kind == PICTURES else _SOUND_CODINGS
    for fields in entries:
        coding = _coding(data, fields)
        if _number(data, fields, TRACK_TYPE) == kind and coding in codings:
            return _track(data, fields, kind, copy_number, coding)
    return None


def _coding(data: memoryview, fields: _Fields) -> bytes:
    if _CODEC not in fields:
        return b""
    coding = content_of(data, fields[_CODEC], _CODING_BYTES).rstrip(b"\0")
    # Old files name the profile, too: A_AAC/MPEG4/LC.
    return b"A_AAC" if coding.startswith(b"A_AAC/") else coding


def _track(data: memoryview, fields: _Fields, kind: int, copy_number: int, coding: bytes) -> Track:
    parts = [
        unsigned(_NUMBER, copy_number),
        unsigned(_UID, copy_number),
        unsigned(TRACK_TYPE, kind),
        element(_CODEC, coding),
        *_copied(data, fields, (_DEFAULT_DURATION, _DELAY, _PREROLL), _MAX_NANOSECONDS),
        *_encodings(data, fields),
    ]
    if _CONFIGURATION in fields:
        configuration = content_of(data, fields[_CONFIGURATION], _MAX_CONFIGURATION)
        parts.append(element(_CONFIGURATION, configuration))
    inner = _inner(data, fields, _VIDEO if kind == PICTURES else _AUDIO)
    parts.append(_video(data, inner) if kind == PICTURES else _audio(data, inner))
    entry = element(TRACK_ENTRY, *parts)
    number = _number(data, fields, _NUMBER)
    return Track(number, copy_number, entry, _orientation(data, inner))


def _inner(data: memoryview, fields: _Fields, kind: int) -> _Fields:
    return _fields(data, fields[kind]) if kind in fields else {}


def _video(data: memoryview, fields: _Fields) -> bytes:
    stated = list(_copied(data, fields, (_WIDTH, _HEIGHT), _MAX_SIDE, least=1))
    parts = [b"".join(stated)]
    if len(stated) == 2:
        # The shape of pixels follows from both pairs of sides.
        parts += _copied(data, fields, (_SHOWN_WIDTH, _SHOWN_HEIGHT), _MAX_SIDE, least=1)
        parts += _copied(data, fields, (_SHOWN_UNIT,), 4)
    colours = _copied(data, _inner(data, fields, _COLOUR), _COLOURS, 255)
    return element(_VIDEO, *parts, element(_COLOUR, *colours))


def _audio(data: memoryview, fields: _Fields) -> bytes:
    rates = (
        element(kind, struct.pack(">d", rate))
        for kind in (_RATE, _RATE_OF_OUTPUT)
        if 1 <= (rate := _decimal(data, fields, kind)) <= 10**7
    )
    channels = _copied(data, fields, (_CHANNELS,), _MAX_CHANNELS, least=1)
    return element(_AUDIO, *rates, *channels, *_copied(data, fields, (_BITS,), 64, least=1))


def _copied(
    data: memoryview, fields: _Fields, kinds: Iterable[int], most: int, *, least: int = 0
) -> Iterator[bytes]:
    """Yield the numbers of these kinds that are within their limits."""
    for kind in kinds:
        if kind in fields and least <= (value := number(data, fields[kind])) <= most:
            yield unsigned(kind, value)


def _number(data: memoryview, fields: _Fields, kind: int) -> int:
    return number(data, fields[kind]) if kind in fields else 0


def _decimal(data: memoryview, fields: _Fields, kind: int) -> float:
    return decimal(data, fields[kind]) if kind in fields else 0.0


def _encodings(data: memoryview, fields: _Fields) -> Iterator[bytes]:
    """Yield the prefix that is left out of each frame, if any. Refuse frames that are packed or encrypted."""
    if _ENCODINGS not in fields:
        return
    for encoding in children(data, fields[_ENCODINGS].body, fields[_ENCODINGS].end or 0):
        if encoding.kind != _ENCODING:
            continue
        inner = _fields(data, encoding)
        if _number(data, inner, _ENCODING_KIND):
            raise MediaRejected("unsupported_type", "the file is encrypted")
        compression = _inner(data, inner, _COMPRESSION)
        if _number(data, compression, _METHOD) != _LEAVES_PREFIX_OUT:
            raise MediaRejected("unsupported_type", "the file's frames are compressed once more")
        yield _prefix(data, compression)
        return


def _prefix(data: memoryview, compression: _Fields) -> bytes:
    prefix = b""
    if _PREFIX in compression:
        prefix = content_of(data, compression[_PREFIX], _MAX_PREFIX)
    method = unsigned(_METHOD, _LEAVES_PREFIX_OUT)
    encoding = element(
        _ENCODING,
        unsigned(_ENCODING_SCOPE, _FRAMES_ONLY),
        element(_COMPRESSION, method, element(_PREFIX, prefix)),
    )
    return element(_ENCODINGS, encoding)


def _orientation(data: memoryview, video: _Fields) -> int:
    """Return the EXIF orientation that the projection of the pictures amounts to."""
    fields = _inner(data, video, _PROJECTION)
    yaw, pitch, roll = (_decimal(data, fields, kind) for kind in (_YAW, _PITCH, _ROLL))
    if _number(data, fields, _PROJECTION_KIND) or pitch or abs(yaw) not in {0, 180}:
        return UPRIGHT
    return _TURNS.get((round(roll) % 360, bool(yaw)), UPRIGHT)
