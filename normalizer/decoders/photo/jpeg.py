"""JPEG: the structure is read here, and the decoder receives only what makes the picture.

No other code parses a sender's EXIF, XMP, maker notes, comments, previews or multi-picture index.
"""

import io
import mmap
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, cast

from PIL import Image, JpegImagePlugin

from normalizer.canvas import Size
from normalizer.media import MediaRejected

from . import orientation
from .opened import DecodeLimits, OnRows, OpenedPhoto
from .pixel_memory import image_over, pixels

_SOS, _EOI = 0xDA, 0xD9
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_ARITHMETIC = frozenset(range(0xC9, 0xD0))
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})

#: Frames that the decoder paints grey or in wrong colours (ISO/IEC 10918-1, table B.1, and 14495-1).
_UNSUPPORTED: Mapping[int, str] = {
    0xC3: "lossless",
    **dict.fromkeys((0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF), "hierarchical"),
    0xCB: "lossless",
    0xF7: "JPEG-LS",
}
_SUPPORTED_BITS, _SUPPORTED_COMPONENTS = 8, frozenset({1, 3, 4})

#: Frames, Huffman and arithmetic tables, quantisation, restart interval.
_ESSENTIAL = frozenset({*range(0xC0, 0xD0), 0xDB, 0xDD})
_JFIF, _EXIF, _ICC, _ADOBE = 0xE0, 0xE1, 0xE2, 0xEE
#: Decoders ignore a shorter segment (ISO/IEC 10918-5, 10.1).
_JFIF_BYTES = 14
_XMP = b"http://ns.adobe.com/xap/1.0/\0"

_FACTORS = (1, 2, 4, 8)

#: A photo has about twenty; a profile or an extended XMP may add a few hundred.
_MAX_SEGMENTS = 5000

#: A progressive photo has about ten scans over all pixels. Each scan takes time even if it changes nothing.
_MAX_SCANS = 100
_MAX_SCANNED_PIXELS = 800_000_000

#: A pixel whose fourth byte is full.
_OPAQUE = 0xFF000000

#: The decoder reads so many bytes at a time: finished rows are known after each read, and encoded meanwhile.
_LEAST_READ, _MOST_READ, _READS = 8192, 65536, 16

_SCAN = re.compile(rb"\xff\xda")
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")


@dataclass(slots=True)
class Structure:
    """The segments before the first scan."""

    scan: int = 0
    width: int = 0
    height: int = 0
    frame: int = 0
    blocks: int = 0
    #: Orientations stated by EXIF and XMP; None if missing.
    exif_orientation: int | None = None
    xmp_orientation: int | None = None
    kept: list[bytes] = field(default_factory=list)
    profile_parts: dict[int, bytes] = field(default_factory=dict)

    @property
    def orientation(self) -> int:
        """The orientation. EXIF wins: software that turns photos upright updates EXIF, but not an older XMP."""
        return self.exif_orientation or self.xmp_orientation or orientation.UPRIGHT

    @property
    def profile(self) -> bytes | None:
        parts = [self.profile_parts[number] for number in sorted(self.profile_parts)]
        return b"".join(parts) or None


def open_jpeg(data: memoryview, limits: DecodeLimits) -> OpenedPhoto:
    """Open the photo. The decoder can skip half, three quarters or seven eighths of its sides at no cost."""
    structure = read(data)
    size = (structure.width, structure.height)
    limits.check(size)
    _check_scans(data, structure)
    _check_density(data, structure)
    fit = limits.fit(size, _FACTORS)
    image = _open_plugin(data, structure)
    if fit.factor > 1:
        # The library divides by what it is asked for, so a side narrower than the factor asks for one pixel.
        wanted = (max(1, image.width // fit.factor), max(1, image.height // fit.factor))
        image.draft(None, wanted)

    def load(memory: mmap.mmap | None, on_rows: OnRows) -> Image.Image:
        if memory is not None:
            image.im = image_over(memory, *image.size, "RGB").im
            image.before_read = _row_counter(memory, image.size, on_rows)
        image.load()
        return image

    return OpenedPhoto(
        size=size,
        fit=fit,
        load=load,
        canvas_mode="RGB" if image.mode == "RGB" and image.size == fit.size else None,
        orientation=structure.orientation,
        profile=structure.profile,
    )


def read(data: memoryview) -> Structure:
    """Return the structure up to the first scan. Raise MediaRejected if there is none."""
    found = Structure()
    at = 2
    for _ in range(_MAX_SEGMENTS):
        marker, at = _next_marker(data, at)
        if marker in _STANDALONE:
            continue
        if marker == _EOI or at + 2 > len(data):
            break
        (length,) = struct.unpack_from(">H", data, at)
        if marker == _SOS:
            found.scan = at - 2
            if not found.width or not found.height:
                break
            return found
        _keep_segment(found, marker, bytes(data[at + 2 : at + length]))
        at += max(length, 2)
    raise MediaRejected("corrupt", "the JPEG has no picture")


def _next_marker(data: memoryview, at: int) -> tuple[int, int]:
    """Return the marker at or after `at`, and the start of its segment. Bytes between segments are skipped."""
    match = _MARKER.search(data, at)
    if match is None:
        raise MediaRejected("corrupt", "the JPEG ends before its picture")
    return data[match.end() - 1], match.end()


def _keep_segment(found: Structure, marker: int, body: bytes) -> None:
    if marker in _UNSUPPORTED:
        raise MediaRejected("unsupported_type", f"a {_UNSUPPORTED[marker]} JPEG")
    if marker in _FRAMES:
        _read_frame(found, marker, body)
    elif marker == _EXIF and body.startswith(b"Exif\0\0"):
        found.exif_orientation = found.exif_orientation or orientation.from_exif(body)
    elif marker == _EXIF and body.startswith(_XMP):
        found.xmp_orientation = found.xmp_orientation or orientation.from_xmp(body)
    elif marker == _ICC and body.startswith(b"ICC_PROFILE\0") and len(body) > 14:
        found.profile_parts.setdefault(body[12], body[14:])
    # JFIF and Adobe segments state the colour coding.
    keep = (
        marker in _ESSENTIAL
        or (marker == _JFIF and body.startswith(b"JFIF\0") and len(body) >= _JFIF_BYTES)
        or (marker == _ADOBE and body.startswith(b"Adobe"))
    )
    if keep:
        body = _without_thumbnail(body) if marker == _JFIF else body
        found.kept.append(struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body)


def _without_thumbnail(jfif: bytes) -> bytes:
    return jfif[: _JFIF_BYTES - 2] + b"\0\0"


def _read_frame(found: Structure, marker: int, body: bytes) -> None:
    if found.frame:
        raise MediaRejected("corrupt", "the JPEG has two frames")
    found.frame = marker
    if len(body) < 6 or len(body) < 6 + 3 * body[5]:
        raise MediaRejected("corrupt", "the JPEG's frame header is incomplete")
    bits, found.height, found.width, components = struct.unpack_from(">BHHB", body)
    if bits != _SUPPORTED_BITS:
        raise MediaRejected("unsupported_type", f"a JPEG of {bits} bits a channel")
    if components not in _SUPPORTED_COMPONENTS:
        raise MediaRejected("unsupported_type", f"a JPEG of {components} channels")
    samplings = [body[7 + 3 * index] for index in range(components)]
    found.blocks = _blocks(found.width, found.height, [(s >> 4, s & 15) for s in samplings])


def _blocks(width: int, height: int, samplings: list[tuple[int, int]]) -> int:
    across = max((h for h, _ in samplings), default=1) or 1
    down = max((v for _, v in samplings), default=1) or 1
    return sum(-(-width * h // (8 * across)) * -(-height * v // (8 * down)) for h, v in samplings)


def _check_scans(data: memoryview, structure: Structure) -> None:
    limit = min(_MAX_SCANS, _MAX_SCANNED_PIXELS // (structure.width * structure.height) + 1)
    # The quick count also finds scans of embedded pictures, so a high count is checked exactly.
    if sum(1 for _ in _SCAN.finditer(data, structure.scan)) <= limit:
        return
    if _scans(data, structure.scan, limit) > limit:
        raise MediaRejected("corrupt", "the JPEG has far too many scans")


def _scans(data: memoryview, at: int, limit: int) -> int:
    count = 0
    for match in _MARKER.finditer(data, at):
        marker = data[match.end() - 1]
        if match.start() < at:
            continue
        if marker == _EOI:
            break
        if marker in _STANDALONE:
            continue
        count += marker == _SOS
        if count > limit:
            break
        at = match.end() + int.from_bytes(data[match.end() : match.end() + 2], "big")
    return count


def _check_density(data: memoryview, structure: Structure) -> None:
    """Refuse too few bytes for the number of blocks, because decoders silently paint missing data grey."""
    if structure.frame in _ARITHMETIC:
        return
    least_bits = 1 if structure.frame in _PROGRESSIVE else 2
    if (len(data) - structure.scan) * 8 < structure.blocks * least_bits:
        raise MediaRejected("corrupt", "the JPEG is too short for its number of pixels")


class _JpegFile(JpegImagePlugin.JpegImageFile):
    """Calls `before_read` whenever the decoder asks for more of the file."""

    before_read: Callable[[], None] | None = None

    def load_read(self, read_bytes: int) -> bytes:
        if self.before_read:
            self.before_read()
        return super().load_read(read_bytes)


def _row_counter(memory: mmap.mmap, size: Size, on_rows: OnRows) -> Callable[[], None]:
    """Return a function that reports finished rows: the decoder sets the fourth byte of each pixel, which was zero."""
    last = pixels(memory, *size)[:, -1]
    done = 0

    def count() -> None:
        nonlocal done
        while done < len(last) and last[done] >= _OPAQUE:
            done += 1
        on_rows(done)

    return count


class _EssentialFile(io.RawIOBase):
    """The file as the decoder sees it: the kept segments, then the original from the first scan on, without a copy."""

    def __init__(self, head: bytes, scans: memoryview) -> None:
        super().__init__()
        self._head, self._scans, self._at = head, scans, 0

    def read(self, size: int = -1) -> bytes:
        start, length = self._at, len(self._head)
        end = length + len(self._scans) if size < 0 else start + size
        found = self._head[start:end]
        if end > length:
            found += self._scans[max(start - length, 0) : end - length]
        self._at += len(found)
        return found

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        starts = (0, self._at, len(self._head) + len(self._scans))
        self._at = max(0, starts[whence] + offset)
        return self._at

    def tell(self) -> int:
        return self._at


def _open_plugin(data: memoryview, structure: Structure) -> _JpegFile:
    head = b"".join([b"\xff\xd8", *structure.kept])
    # The class, not `Image.open`, which would look for more pictures after the first.
    image = _JpegFile(cast("BinaryIO", _EssentialFile(head, data[structure.scan :])))
    image.decodermaxblock = max(_LEAST_READ, min(_MOST_READ, len(data) // _READS))
    return image
