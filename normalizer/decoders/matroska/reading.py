"""A sender's WebM or Matroska file: its tracks, its length by the times of its blocks, and the copy for a library."""

from dataclasses import dataclass

from normalizer.ebml import INFO, TRACKS, Broken, Element, children, decimal, number
from normalizer.media import MediaRejected

from . import blocks, tracks
from .blocks import Block, Group
from .clean_copy import CleanCopy
from .segment import BLOCK_GROUP, SIMPLE_BLOCK, TIMESTAMP, Segment
from .tracks import Track, Tracks

_TIMESTAMP_SCALE, _DURATION = 0x2AD7B1, 0x4489

#: A tick is a millisecond unless the file says otherwise.
_DEFAULT_SCALE, _NANOSECONDS = 1_000_000, 1_000_000_000

#: The latest time that fits into a library's numbers, in nanoseconds: 146 years.
_MAX_TIME = 1 << 62

#: More than the time of a block can differ from its cluster's.
_MAX_RELATIVE = 1 << 16

#: Seconds by which the times of a track may step back: frames that depend on later ones come after them.
_MAX_STEP_BACK = 5


@dataclass(slots=True)
class Span:
    """The times of a track's blocks, in ticks, and the number of its frames."""

    first: int | None = None
    last: int = 0
    frames: int = 0
    #: Whether times go back further than reordered frames do.
    steps_back: bool = False

    def add(self, time: int, frames: int, most_back: float) -> None:
        if self.first is None:
            self.first = self.last = time
        self.steps_back = self.steps_back or self.last - time > most_back
        self.first = min(self.first, time)
        self.last = max(self.last, time)
        self.frames += frames


@dataclass(frozen=True, slots=True)
class Recording:
    """What was read of a file."""

    tracks: Tracks
    #: The copy that a library may see.
    content: bytes
    #: The time from the first to the last block.
    seconds: float
    #: Frames of pictures a second; None if there are too few to tell.
    rate: float | None
    #: What the header states; None if it states nothing. It is never more than a hint.
    stated_seconds: float | None
    #: Whether the file leaves its length open, as live recordings do.
    is_open: bool
    #: Whether it ends within a frame, or before the end that it states.
    is_cut: bool
    #: Places at which blocks are unreadable.
    gaps: int
    steps_back: bool


def read(data: memoryview, *, pictures: bool) -> Recording:
    """Read a file and copy its frames: pictures and sound, or sound alone. Raise MediaRejected."""
    try:
        return _read(data, pictures=pictures)
    except (Broken, IndexError, OverflowError) as exc:
        raise MediaRejected("corrupt", f"the file's elements are broken: {exc}") from None


def _read(data: memoryview, *, pictures: bool) -> Recording:
    info, table = _find(data)
    used = tracks.read(data, table)
    if pictures and used.picture is None:
        has_any = tracks.count_pictures(data, table) > 0
        detail = "the video has an unsupported coding" if has_any else "the file has no video track"
        raise MediaRejected("unsupported_type", detail)
    if not pictures:
        used = Tracks(None, used.sound)
        if used.sound is None:
            raise MediaRejected("unsupported_type", "the file has no sound in a supported coding")
    scale, stated = _info(data, info)
    segment = Segment(data)
    copy = CleanCopy(used.used, scale)
    spans = _copy_blocks(data, segment, used, copy, scale)
    return _recording(segment, used, copy, spans, scale, stated)


def _find(data: memoryview) -> tuple[Element | None, Element]:
    """Return the description of the segment and its table of tracks, wherever they are. The first of each counts."""
    found: dict[int, Element] = {}
    for element in Segment(data).elements():
        if element.kind in {INFO, TRACKS}:
            found.setdefault(element.kind, element)
            if len(found) == 2:
                break
    if TRACKS not in found:
        raise Broken("there is no table of tracks")
    return found.get(INFO), found[TRACKS]


def _info(data: memoryview, info: Element | None) -> tuple[int, float | None]:
    """Return the length of a tick in nanoseconds, and the seconds that the file states."""
    scale, duration = _DEFAULT_SCALE, 0.0
    if info is not None:
        assert info.end is not None
        for field in children(data, info.body, info.end):
            if field.kind == _TIMESTAMP_SCALE:
                scale = number(data, field)
            elif field.kind == _DURATION:
                duration = decimal(data, field)
    if not 1 <= scale <= _NANOSECONDS:
        raise Broken(f"a tick has {scale} nanoseconds")
    return scale, duration * scale / _NANOSECONDS if duration > 0 else None


def _copy_blocks(
    data: memoryview, segment: Segment, used: Tracks, copy: CleanCopy, scale: int
) -> dict[int, Span]:
    """Copy the blocks of the used tracks. Return their times, by the numbers of the tracks in the copy."""
    by_number: dict[int, Track] = {track.number: track for track in reversed(used.used)}
    spans = {track.copy_number: Span() for track in used.used}
    most_back, latest = _MAX_STEP_BACK * _NANOSECONDS / scale, _MAX_TIME // scale
    start = 0
    for element in segment.elements():
        if element.kind == TIMESTAMP:
            start = _time(data, element, latest)
        elif element.kind in {SIMPLE_BLOCK, BLOCK_GROUP}:
            found = _readable(segment, element)
            if found is None:
                continue
            block = found.block if isinstance(found, Group) else found
            track = by_number.get(block.track)
            if track is None:
                continue
            time = start + block.relative
            if time > latest:
                # This cluster is none, or it is damaged.
                segment.gaps += 1
                continue
            if time < 0 and track is used.sound:
                # Encoders begin with silence that players leave out.
                continue
            time = max(0, time)
            spans[track.copy_number].add(time, block.frames, most_back)
            copy.add(data, track, time, found)
    return spans


def _time(data: memoryview, element: Element, latest: int) -> int:
    """Return the time of a cluster; a time after the latest if it is unreadable."""
    try:
        return number(data, element)
    except Broken:
        return latest + _MAX_RELATIVE


def _readable(segment: Segment, element: Element) -> Block | Group | None:
    try:
        return blocks.read(segment, element)
    except Broken:
        segment.gaps += 1
        return None


def _recording(
    segment: Segment,
    used: Tracks,
    copy: CleanCopy,
    spans: dict[int, Span],
    scale: int,
    stated: float | None,
) -> Recording:
    begun = [span for span in spans.values() if span.first is not None]
    tick = scale / _NANOSECONDS
    first = min((span.first for span in begun if span.first is not None), default=0)
    seconds = (max((span.last for span in begun), default=0) - first) * tick
    picture = spans.get(tracks.PICTURE_TRACK)
    rate = None
    if picture and picture.first is not None and picture.last > picture.first:
        rate = (picture.frames - 1) / ((picture.last - picture.first) * tick)
    lacks = segment.overclaims and stated is not None and seconds < stated - 0.5
    return Recording(
        tracks=used,
        content=bytes(copy.content),
        seconds=seconds,
        rate=rate or None,
        stated_seconds=stated,
        is_open=segment.is_open,
        is_cut=segment.is_cut or lacks,
        gaps=segment.gaps,
        steps_back=any(span.steps_back for span in begun),
    )
