"""Fonts of the machine for scripts that the fonts inside the PDF library do not have, found at start in named folders.

Many PDFs do not embed their fonts: invoices from Japan name MS-Gothic and expect that it is installed.
"""

import os
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

#: Where Debian's packages and operators put fonts.
FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))

#: Scripts with letters that a font must have to be one for the script, and the ranges of its letters (Unicode, Blocks).
SCRIPTS: Mapping[str, tuple[str, tuple[tuple[int, int], ...]]] = {
    "Greek": ("\u03b1\u03c9\u0394", ((0x370, 0x3FF), (0x1F00, 0x1FFF))),
    "Cyrillic": ("\u0436\u044f\u0411", ((0x400, 0x52F),)),
    "Hebrew": ("\u05d0\u05e9\u05ea", ((0x590, 0x5FF), (0xFB1D, 0xFB4F))),
    "Arabic": (
        "\u0639\u0628\ufe91",
        ((0x600, 0x6FF), (0x750, 0x77F), (0xFB50, 0xFDFF), (0xFE70, 0xFEFF)),
    ),
    "Devanagari": ("\u0915\u0928\u0940", ((0x900, 0x97F),)),
    "Thai": ("\u0e01\u0e2a\u0e35", ((0xE00, 0xE7F),)),
    "Japanese": ("\u304a\u30a2\u8fd4", ((0x3040, 0x30FF), (0x31F0, 0x31FF), (0xFF66, 0xFF9F))),
    "Chinese": ("\u9000\u6b3e\u8acb", ((0x3400, 0x9FFF), (0xF900, 0xFAFF))),
    "Korean": ("\ud658\ubd88\uac00", ((0x1100, 0x11FF), (0xAC00, 0xD7AF))),
}

#: More files are not looked at, and larger ones are not loaded.
_MAX_FILES, _MAX_BYTES = 3_000, 40_000_000

#: Faces that are not meant for reading a page of any kind come last.
_SPECIAL = (
    "bold",
    "italic",
    "oblique",
    "light",
    "thin",
    "black",
    "mono",
    "condensed",
    "math",
    "ui",
)


@dataclass(frozen=True, slots=True)
class ScriptFont:
    """A font file, and the scripts that it has letters of."""

    path: Path
    scripts: frozenset[str]


def find_fonts(folders: Iterable[Path] = FOLDERS) -> Mapping[str, ScriptFont]:
    """Return the font for each script; a script without a font is missing."""
    found: dict[str, ScriptFont] = {}
    for path in _files(folders):
        missing = SCRIPTS.keys() - found.keys()
        if not missing:
            break
        font = ScriptFont(path, _scripts_of(path))
        found.update(dict.fromkeys(font.scripts & missing, font))
    return found


def scripts_in(text: str) -> frozenset[str]:
    """Return the scripts of a text. Chinese letters are part of Japanese and Korean texts, too."""
    points = {ord(letter) for letter in text if letter >= "\u0370"}
    return frozenset(
        script
        for script, (_, ranges) in SCRIPTS.items()
        if any(first <= point <= last for point in points for first, last in ranges)
    )


def face_at(start: bytes) -> int:
    """Return where the first face of a font file begins, which is not 0 in a collection."""
    return int(struct.unpack_from(">I", start, 12)[0]) if start[:4] == b"ttcf" else 0


def _files(folders: Iterable[Path]) -> list[Path]:
    walked = (
        Path(folder, name)
        for each in folders
        for folder, _, names in os.walk(each)
        for name in sorted(names)
        if name.lower().endswith((".ttf", ".otf", ".ttc"))
    )
    files = [path for path, _ in zip(walked, range(_MAX_FILES), strict=False)]
    return sorted(files, key=_order)


def _order(path: Path) -> tuple[int, bool, str]:
    name = path.name.lower()
    return sum(word in name for word in _SPECIAL), "serif" in name, name


def _scripts_of(path: Path) -> frozenset[str]:
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size > _MAX_BYTES:
                return frozenset()
            segments = list(_segments(_character_map(file.read())))
    except (OSError, struct.error, StopIteration):
        return frozenset()
    return frozenset(
        script
        for script, (letters, _) in SCRIPTS.items()
        if all(any(a <= ord(letter) <= b for a, b in segments) for letter in letters)
    )


def _character_map(content: bytes) -> bytes:
    """Return the largest Unicode table of a font (OpenType, cmap). Raise StopIteration if there is none."""
    start = face_at(content)
    (count,) = struct.unpack_from(">H", content, start + 4)
    tables = (struct.unpack_from(">4s4xI", content, start + 12 + 16 * n) for n in range(count))
    table = next(at for tag, at in tables if tag == b"cmap")
    (count,) = struct.unpack_from(">H", content, table + 2)
    entries = [struct.unpack_from(">HHI", content, table + 4 + 8 * n) for n in range(count)]
    unicode = {(platform, kind): at for platform, kind, at in entries}
    known = ((3, 10), (0, 4), (0, 6), (3, 1), (0, 3))
    return content[table + next(unicode[each] for each in known if each in unicode) :]


def _segments(table: bytes) -> Iterator[tuple[int, int]]:
    """Yield the ranges of letters. In format 4, a few letters of a range may be missing."""
    (format,) = struct.unpack_from(">H", table)
    if format == 12:
        (count,) = struct.unpack_from(">I", table, 12)
        for n in range(min(count, 100_000)):
            first, last, _ = struct.unpack_from(">III", table, 16 + 12 * n)
            yield first, last
    elif format == 4:
        (double,) = struct.unpack_from(">H", table, 6)
        for at in range(0, double, 2):
            (last,) = struct.unpack_from(">H", table, 14 + at)
            (first,) = struct.unpack_from(">H", table, 16 + double + at)
            yield first, last
