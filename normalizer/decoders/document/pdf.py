"""The pages of a PDF, painted by pdfium one after the other, each into one of two places of the canvas.

The gateway encodes a page while the next one is painted. A file that ends the sandbox, by a crash or by its time, loses
only the pages that are not painted yet. Scripts, XFA and actions of the file are never run: this pdfium has no engine
for them.
"""

import ctypes
import math
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pypdfium2.raw as pdfium

from normalizer.canvas import BYTES_PER_PIXEL, PAGE_PIXELS, PAGE_SIDE, PLACE_BYTES, PLACES, Size
from normalizer.media import MediaRejected
from normalizer.sandbox.job import JobRequest

from . import fonts
from .pdf_fields import written_on_page
from .pdf_text import hides_text, text_of_page
from .script_fonts import scripts_in

_DPI = 150
_POINTS_PER_INCH = 72

#: What rounding up may add to the sides of the largest page.
_ROUNDING = 0.01

#: So many letters of a page show which scripts it is written in.
_LETTERS_LOOKED_AT = 5_000

#: More pages are not counted.
_MAX_PAGES = 10_000

#: pdfium's errors (fpdfview.h) that mean a password, or a protection that it does not know.
_PROTECTED = frozenset({pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY})

_FLAGS = pdfium.FPDF_ANNOT | pdfium.FPDF_REVERSE_BYTE_ORDER
_WHITE = 0xFFFFFFFF

#: The version of the form interface for a library without XFA.
_FORMS = pdfium.FPDF_FORMFILLINFO(version=2)


def pdf(request: JobRequest) -> dict[str, Any]:
    """Paint the pages and write their text. A note follows each page, another the text of the page."""
    source, canvas, target = request.files
    message = request.message
    content = mmap.mmap(source, message["bytes"], access=mmap.ACCESS_READ)
    pixels = mmap.mmap(canvas, PLACES * PLACE_BYTES)
    request.keep_alive.extend((content, pixels))
    document = _open(content)
    total = min(_MAX_PAGES, pdfium.FPDF_GetPageCount(document))
    if total < 1:
        raise MediaRejected("corrupt", "the document has no pages")
    forms = pdfium.FPDFDOC_InitFormFillEnvironment(document, _FORMS)
    pdfium.FPDF_SetFormFieldHighlightAlpha(forms, 0)
    text = _Text(target, message["text_max_bytes"])
    painted = 0
    for number in range(min(total, message["max_pages"])):
        with _page(document, forms, number) as page:
            if page is None:
                continue
            if painted >= PLACES:
                request.wait()
            place = painted % PLACES * PLACE_BYTES
            letters = text_of_page(page, max(text.left, _LETTERS_LOOKED_AT))
            written, hides = written_on_page(page, forms)
            letters = f"{letters.rstrip()}\n{written}" if written else letters
            with _letters_filled_in(letters):
                size = _paint(page, forms, np.frombuffer(pixels, np.uint8)[place:])
            painted += 1
            request.notify({"size": size, "pages_total": total})
            text.add(page, letters, hides=hides)
            request.notify({"text": text.size, "differs": text.differs})
    if not painted:
        raise MediaRejected("corrupt", "no page of the document can be shown")
    return {"complete": painted == total and not text.is_full}


class _Text:
    """The text of the pages so far, as a file."""

    def __init__(self, target: int, limit: int) -> None:
        self._target, self._limit = target, limit
        self.size = 0
        self.differs = self.is_full = False

    @property
    def left(self) -> int:
        return self._limit - self.size

    def add(self, page: Any, letters: str, *, hides: bool) -> None:
        if self.is_full:
            return
        self.differs = self.differs or hides or hides_text(page)
        found = letters[: self.left].strip()
        content = f"{found}\n\n".encode("utf-8", "replace")[: self.left]
        self.is_full = len(content) == self.left
        self.size += os.pwrite(self._target, content, self.size) if found else 0


@contextmanager
def _letters_filled_in(letters: str) -> Iterator[None]:
    """Offer a font of the machine for letters of a page whose own fonts do not have them."""
    source = fonts.source()
    if source is None or source.is_empty:
        yield
        return
    with source.filling_in(scripts_in(letters)):
        yield


def _open(content: mmap.mmap) -> Any:
    start = np.frombuffer(content, np.uint8).ctypes.data
    document = pdfium.FPDF_LoadMemDocument64(start, len(content), None)
    if document:
        return document
    error = pdfium.FPDF_GetLastError()
    if error in _PROTECTED:
        raise MediaRejected("protected", "the document needs a password")
    raise MediaRejected("corrupt", f"the document cannot be opened: error {error}")


@contextmanager
def _page(document: Any, forms: Any, number: int) -> Iterator[Any]:
    page = pdfium.FPDF_LoadPage(document, number)
    if not page:
        yield None
        return
    pdfium.FORM_OnAfterLoadPage(page, forms)
    yield page
    pdfium.FORM_OnBeforeClosePage(page, forms)
    pdfium.FPDF_ClosePage(page)


def _paint(page: Any, forms: Any, place: "np.ndarray[Any, np.dtype[np.uint8]]") -> Size:
    """Paint a page and its form fields on white. Return its size in pixels."""
    width, height = page_size(pdfium.FPDF_GetPageWidthF(page), pdfium.FPDF_GetPageHeightF(page))
    bitmap = pdfium.FPDFBitmap_CreateEx(
        width,
        height,
        pdfium.FPDFBitmap_BGRx,
        ctypes.c_void_p(place.ctypes.data),
        width * BYTES_PER_PIXEL,
    )
    if not bitmap:
        raise MemoryError
    pdfium.FPDFBitmap_FillRect(bitmap, 0, 0, width, height, _WHITE)
    pdfium.FPDF_RenderPageBitmap(bitmap, page, 0, 0, width, height, 0, _FLAGS)
    # Fields that people filled in are not part of the page.
    pdfium.FPDF_FFLDraw(forms, bitmap, page, 0, 0, width, height, 0, _FLAGS)
    pdfium.FPDFBitmap_Destroy(bitmap)
    return width, height


def page_size(width: float, height: float) -> Size:
    """Return the size in pixels of a page that is so many points wide and high."""
    sides = [_finite(side) * _DPI / _POINTS_PER_INCH for side in (width, height)]
    # Bounding the longest side does not bound the area.
    area = max(1.0, sides[0] * sides[1])
    scale = min(PAGE_SIDE / max(*sides, 1.0), math.sqrt(PAGE_PIXELS / area))
    if scale > 1 + _ROUNDING:
        return max(1, round(sides[0])), max(1, round(sides[1]))
    return max(1, int(sides[0] * scale)), max(1, int(sides[1] * scale))


def _finite(side: float) -> float:
    return side if math.isfinite(side) and side > 0 else 1.0
