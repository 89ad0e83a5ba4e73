"""The machine's fonts, offered to pdfium from memory: a sandbox cannot open files.

pdfium asks for a font by name and Windows charset while it loads a page, and once more, for Helvetica, while it paints
a letter that the first font does not have. Only then is a font of the machine chosen by the letters of the page, so
that names of western fonts lead to the fonts inside pdfium, which have the right widths.
"""

import ctypes
import mmap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pypdfium2.raw as pdfium

from .script_fonts import ScriptFont, face_at, find_fonts

_SCRIPT_OF_CHARSET: Mapping[int, str] = {
    pdfium.FXFONT_SHIFTJIS_CHARSET: "Japanese",
    pdfium.FXFONT_GB2312_CHARSET: "Chinese",
    pdfium.FXFONT_CHINESEBIG5_CHARSET: "Chinese",
    pdfium.FXFONT_HANGEUL_CHARSET: "Korean",
    pdfium.FXFONT_HEBREW_CHARSET: "Hebrew",
    pdfium.FXFONT_ARABIC_CHARSET: "Arabic",
    pdfium.FXFONT_THAI_CHARSET: "Thai",
    pdfium.FXFONT_GREEK_CHARSET: "Greek",
    pdfium.FXFONT_CYRILLIC_CHARSET: "Cyrillic",
}

#: pdfium asks for a whole collection under this name of a table, and for its first face under 0.
_COLLECTION, _FACE = int.from_bytes(b"ttcf", "big"), 0


@dataclass(frozen=True, slots=True)
class _Loaded:
    font: ScriptFont
    content: mmap.mmap
    face: int

    def part(self, table: int) -> int | None:
        """Return where a part begins that pdfium asks for; None if the file does not have it."""
        if table == _COLLECTION:
            return 0 if self.face else None
        return self.face if table == _FACE else None


class FontSource:
    """Answers pdfium's questions. Handles are positions in the list of fonts, from 1."""

    def __init__(self, fonts: Mapping[str, ScriptFont]) -> None:
        self._fonts: list[_Loaded] = []
        for font in dict.fromkeys(fonts.values()):
            with font.path.open("rb") as file:
                content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            self._fonts.append(_Loaded(font, content, face_at(content[:16])))
        self._of_script = {
            script: 1 + next(n for n, each in enumerate(self._fonts) if each.font == font)
            for script, font in fonts.items()
        }
        self._missing_letters: int | None = None
        self._interface = self._described()

    def install(self) -> None:
        """Replace the source that looks into folders when a page needs a font. Once in a process."""
        pdfium.FPDF_SetSystemFontInfo(self._interface)

    @property
    def is_empty(self) -> bool:
        return not self._fonts

    @contextmanager
    def filling_in(self, scripts: frozenset[str]) -> Iterator[None]:
        """Offer the font with the most of these scripts for letters that a page's own font lacks."""
        known = scripts & self._of_script.keys()
        if known:
            best = max(self._fonts, key=lambda each: len(each.font.scripts & known))
            self._missing_letters = 1 + self._fonts.index(best)
        try:
            yield
        finally:
            self._missing_letters = None

    def _map(self, _this: Any, _weight: int, _italic: int, charset: int, *_: Any) -> int | None:
        script = _SCRIPT_OF_CHARSET.get(charset)
        return self._of_script.get(script) if script else self._missing_letters

    def _data(self, _this: Any, handle: int, table: int, buffer: Any, size: int) -> int:
        loaded = self._fonts[handle - 1]
        start = loaded.part(table)
        if start is None:
            return 0
        length = len(loaded.content) - start
        if buffer and size >= length:
            ctypes.memmove(buffer, loaded.content[start:], length)
        return length

    def _name(self, _this: Any, handle: int, buffer: Any, size: int) -> int:
        # pdfium keeps faces by this name.
        name = b"font%d\0" % handle
        if buffer and size >= len(name):
            ctypes.memmove(buffer, name, len(name))
        return len(name)

    def _described(self) -> Any:
        types = dict(pdfium.FPDF_SYSFONTINFO._fields_)
        # Version 2 does not list all fonts at first use.
        return pdfium.FPDF_SYSFONTINFO(
            version=2,
            Release=types["Release"](lambda _: None),
            EnumFonts=types["EnumFonts"](lambda *_: None),
            MapFont=types["MapFont"](self._map),
            GetFont=types["GetFont"](lambda *_: None),
            GetFontData=types["GetFontData"](self._data),
            GetFaceName=types["GetFaceName"](self._name),
            GetFontCharset=types["GetFontCharset"](lambda *_: pdfium.FXFONT_DEFAULT_CHARSET),
            DeleteFont=types["DeleteFont"](lambda *_: None),
        )


_sources: list[FontSource] = []


def install() -> None:
    """Find and load the fonts of this machine."""
    source = FontSource(find_fonts())
    source.install()
    _sources[:] = [source]


def source() -> FontSource | None:
    """Return the fonts that are installed."""
    return _sources[0] if _sources else None
