"""The text layer of a PDF's page, and whether a part of it is not seen on the page.

The text is for search and for people who cannot see the page. It is not what the page shows: text in the colour of the
paper, or below a picture, cannot be found cheaply. What can be found is text that is painted invisibly, off the page or
too small to read.
"""

import ctypes
import math
from collections.abc import Iterator
from typing import Any

import pypdfium2.raw as pdfium

#: Render modes that paint nothing (ISO 32000-1, 9.3.6).
_INVISIBLE = frozenset({pdfium.FPDF_TEXTRENDERMODE_INVISIBLE, pdfium.FPDF_TEXTRENDERMODE_CLIP})

#: In points. Nobody reads smaller letters.
_SMALLEST = 1.0

#: More objects of a page, or deeper ones, are not looked at.
_MAX_OBJECTS, _MAX_DEPTH = 20_000, 8


def text_of_page(page: Any, most: int) -> str:
    """Return at most `most` characters of text."""
    text_page = pdfium.FPDFText_LoadPage(page)
    if not text_page:
        return ""
    try:
        count = min(most, pdfium.FPDFText_CountChars(text_page))
        if count < 1:
            return ""
        # A character may be two units of UTF-16; the end is marked by a zero.
        units = (ctypes.c_ushort * (2 * count + 1))()
        written = pdfium.FPDFText_GetText(text_page, 0, count, units)
        return bytes(units)[: max(0, written - 1) * 2].decode("utf-16-le", "replace")
    finally:
        pdfium.FPDFText_ClosePage(text_page)


def hides_text(page: Any) -> bool:
    """Whether a text of the page is invisible, off the page or too small to read."""
    box = pdfium.FS_RECTF()
    if not pdfium.FPDF_GetPageBoundingBox(page, box):
        return False
    return any(_is_hidden(each, box) for each in _texts(page))


def _texts(page: Any) -> Iterator[Any]:
    waiting = [
        (pdfium.FPDFPage_GetObject(page, number), 0)
        for number in range(min(_MAX_OBJECTS, pdfium.FPDFPage_CountObjects(page)))
    ]
    seen = 0
    while waiting and seen < _MAX_OBJECTS:
        each, depth = waiting.pop()
        seen += 1
        kind = pdfium.FPDFPageObj_GetType(each)
        if kind == pdfium.FPDF_PAGEOBJ_TEXT:
            yield each
        elif kind == pdfium.FPDF_PAGEOBJ_FORM and depth < _MAX_DEPTH:
            count = min(_MAX_OBJECTS - seen, pdfium.FPDFFormObj_CountObjects(each))
            waiting += [(pdfium.FPDFFormObj_GetObject(each, n), depth + 1) for n in range(count)]


def _is_hidden(text: Any, box: Any) -> bool:
    if pdfium.FPDFTextObj_GetTextRenderMode(text) in _INVISIBLE:
        return True
    size = ctypes.c_float()
    matrix = pdfium.FS_MATRIX()
    if pdfium.FPDFTextObj_GetFontSize(text, size) and pdfium.FPDFPageObj_GetMatrix(text, matrix):
        height = abs(size.value) * math.hypot(matrix.c, matrix.d)
        if height < _SMALLEST:
            return True
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    if not pdfium.FPDFPageObj_GetBounds(text, left, bottom, right, top):
        return False
    beside = right.value < box.left or left.value > box.right
    return bool(beside or top.value < box.bottom or bottom.value > box.top)
