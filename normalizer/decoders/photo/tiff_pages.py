"""The directories of a TIFF, one for each picture in it: pages, thumbnails, and the data of a camera's sensor."""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice

#: Bytes of one value of each field type (TIFF 6.0, page 15).
VALUE_BYTES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
#: Types of whole numbers, as struct formats. Fractions are pairs of them.
_NUMBERS = {1: "B", 3: "H", 4: "I", 5: "II", 13: "I", 16: "Q", 18: "Q"}

MAX_ENTRIES = 512
_MAX_VALUES = 64

#: A fax of a whole book has fewer pages. Only the first ones are looked at closely.
MAX_PAGES = 10_000
_READ_PAGES, _MAX_INNER = 16, 16

_KIND, _WIDTH, _HEIGHT, _COMPRESSION, _PHOTOMETRIC = 254, 256, 257, 259, 262
_STRIPS, _ORIENTATION, _STRIP_BYTES = 273, 274, 279
_ACROSS, _DOWN, _INNER, _JPEG, _JPEG_BYTES, _DNG = 282, 283, 330, 513, 514, 50706

_REDUCED, _MASK = 1, 4
_SENSOR = frozenset({32803, 34892})
_JPEG_COMPRESSIONS = frozenset({6, 7, 99, 34892})

#: Resolutions that differ by less mean square pixels, and by more are an error.
_SQUARE, _IMPLAUSIBLE = 0.01, 4.0

_CANON = b"CR"


@dataclass(frozen=True, slots=True)
class Layout:
    """The layout of a directory: classic TIFF, or BigTIFF with wider numbers."""

    order: str
    start: str
    start_at: int
    count: str
    entry: str
    value_at: int

    @property
    def entry_bytes(self) -> int:
        return struct.calcsize(self.order + self.entry) + struct.calcsize(self.order + self.start)

    @property
    def value_bytes(self) -> int:
        return struct.calcsize(self.order + self.start)


_BIG_VERSION = 43


def layout(data: memoryview) -> Layout:
    """Return the layout of a file. Raise struct.error for a file that ends too early."""
    order = "<" if bytes(data[:2]) == b"II" else ">"
    (version,) = struct.unpack_from(order + "H", data, 2)
    if version == _BIG_VERSION:
        return Layout(order, "Q", 8, "Q", "HHQ", 12)
    return Layout(order, "I", 4, "H", "HHI", 8)


@dataclass(frozen=True, slots=True)
class Page:
    """A directory: its offset, and the numbers of the fields that are used here."""

    start: int
    fields: Mapping[int, tuple[int, ...]]

    def number(self, tag: int, default: int = 0) -> int:
        values = self.fields.get(tag, ())
        return values[0] if values else default

    @property
    def longest(self) -> int:
        return max(self.number(_WIDTH), self.number(_HEIGHT))

    @property
    def orientation(self) -> int:
        return self.number(_ORIENTATION, 1)

    @property
    def is_reduced(self) -> bool:
        """Whether the picture is a small copy of another one."""
        return bool(self.number(_KIND) & _REDUCED)

    @property
    def is_page(self) -> bool:
        return not self.number(_KIND) & (_REDUCED | _MASK)

    @property
    def is_sensor_data(self) -> bool:
        """Whether the pixels are those of a sensor, to be developed like a negative."""
        return self.number(_PHOTOMETRIC) in _SENSOR

    @property
    def aspect(self) -> float:
        """Width of a pixel over its height, both as stored: a fax has twice or half as many rows as columns an inch."""
        across, down = (self.fields.get(tag, ()) for tag in (_ACROSS, _DOWN))
        if len(across) < 2 or len(down) < 2 or 0 in (*across[:2], *down[:2]):
            return 1.0
        aspect = (down[0] / down[1]) / (across[0] / across[1])
        unusual = max(aspect, 1 / aspect)
        return aspect if 1 + _SQUARE < unusual <= _IMPLAUSIBLE else 1.0

    def embedded_jpeg(self, data: memoryview) -> memoryview | None:
        """Return a whole JPEG that is this picture, or None if it has another form."""
        start, size = self.number(_JPEG), self.number(_JPEG_BYTES)
        if not start and self.number(_COMPRESSION) in _JPEG_COMPRESSIONS:
            strips, sizes = self.fields.get(_STRIPS, ()), self.fields.get(_STRIP_BYTES, ())
            if len(strips) == len(sizes) == 1:
                start, size = strips[0], sizes[0]
        found = data[start : start + size] if start else data[:0]
        return found if bytes(found[:2]) == b"\xff\xd8" else None


@dataclass(frozen=True, slots=True)
class Pages:
    """The pictures of a file: the chain of pages, and those that pages name as their own."""

    chain: tuple[Page, ...]
    inner: tuple[Page, ...]
    #: How many pages the chain has, without thumbnails and masks.
    total: int
    is_camera_file: bool

    @property
    def all(self) -> tuple[Page, ...]:
        return self.chain + self.inner

    @property
    def is_raw(self) -> bool:
        """Whether the real picture is a camera's sensor data."""
        return any(page.is_sensor_data for page in self.all) or (
            self.is_camera_file and self.chain[0].is_reduced
        )


def read(data: memoryview) -> Pages:
    """Return the pictures. Raise struct.error if there is no first one."""
    form = layout(data)
    (first,) = struct.unpack_from(form.order + form.start, data, form.start_at)
    pages, total = [_page(data, form, first)], 0
    for number, start in enumerate(_chain(data, form, first)):
        # The kind is the first field, because fields are in order.
        page = _page_or_none(data, form, start, MAX_ENTRIES if number < _READ_PAGES else 1)
        if page is None:
            break
        total += page.is_page
        if 0 < number < _READ_PAGES:
            pages.append(page)
    starts = chain.from_iterable(page.fields.get(_INNER, ()) for page in pages)
    inner = [_page_or_none(data, form, start) for start in islice(starts, _MAX_INNER)]
    is_camera_file = _DNG in pages[0].fields or bytes(data[8:10]) == _CANON
    return Pages(tuple(pages), tuple(page for page in inner if page), max(1, total), is_camera_file)


def pointing_to(data: memoryview, page: Page) -> memoryview:
    """Return a copy of the file whose first page is that one."""
    form, changed = layout(data), bytearray(data)
    struct.pack_into(form.order + form.start, changed, form.start_at, page.start)
    return memoryview(changed)


def _chain(data: memoryview, form: Layout, start: int) -> Iterator[int]:
    """Yield the offsets of the directories, each once."""
    seen: set[int] = set()
    while 0 < start < len(data) and start not in seen and len(seen) < MAX_PAGES:
        seen.add(start)
        yield start
        try:
            (count,) = struct.unpack_from(form.order + form.count, data, start)
            at = start + struct.calcsize(form.order + form.count) + count * form.entry_bytes
            (start,) = struct.unpack_from(form.order + form.start, data, at)
        except struct.error:
            return


def _page_or_none(
    data: memoryview, form: Layout, start: int, entries: int = MAX_ENTRIES
) -> Page | None:
    try:
        return _page(data, form, start, entries)
    except struct.error:
        return None


_USED = frozenset(
    {_KIND, _WIDTH, _HEIGHT, _COMPRESSION, _PHOTOMETRIC, _STRIPS, _ORIENTATION, _STRIP_BYTES}
    | {_ACROSS, _DOWN, _INNER, _JPEG, _JPEG_BYTES, _DNG}
)


def _page(data: memoryview, form: Layout, start: int, entries: int = MAX_ENTRIES) -> Page:
    (count,) = struct.unpack_from(form.order + form.count, data, start)
    first = start + struct.calcsize(form.order + form.count)
    fields: dict[int, tuple[int, ...]] = {}
    for number in range(min(count, entries)):
        at = first + number * form.entry_bytes
        tag, kind, values = struct.unpack_from(form.order + form.entry, data, at)
        if tag in _USED and kind in _NUMBERS and tag not in fields:
            fields[tag] = _values(data, form, at + form.value_at, kind, values)
    return Page(start, fields)


def _values(data: memoryview, form: Layout, at: int, kind: int, count: int) -> tuple[int, ...]:
    count = min(count, _MAX_VALUES)
    if count * VALUE_BYTES[kind] > form.value_bytes:
        (at,) = struct.unpack_from(form.order + form.start, data, at)
    try:
        return struct.unpack_from(form.order + _NUMBERS[kind] * count, data, at)
    except struct.error:
        return ()
