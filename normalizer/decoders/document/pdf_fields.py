"""What people wrote into a PDF's forms and onto its pages. It is painted, but is not part of a page's own text.

Names of fields and the words of notes that are not shown are left out.
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pypdfium2.raw as pdfium

#: More annotations of a page are not read, and longer values are cut.
_MAX_ANNOTATIONS, _LETTERS = 1_000, 5_000

#: Many fields can share one long value: the rest of a page with more than this is not read.
_PAGE_BYTES = 2_000_000

#: Flags of annotations that are not seen on a screen (ISO 32000-1, 12.5.3).
_NOT_SEEN = (
    pdfium.FPDF_ANNOT_FLAG_INVISIBLE | pdfium.FPDF_ANNOT_FLAG_HIDDEN | pdfium.FPDF_ANNOT_FLAG_NOVIEW
)

#: Fields whose value is painted as text, and the flag of those that show dots instead (ISO 32000-1, 12.7.4.3).
_WRITTEN = frozenset(
    {pdfium.FPDF_FORMFIELD_TEXTFIELD, pdfium.FPDF_FORMFIELD_COMBOBOX, pdfium.FPDF_FORMFIELD_LISTBOX}
)
_IS_PASSWORD = 1 << 13

_BYTES_PER_UNIT = 2


def written_on_page(page: Any, forms: Any) -> tuple[str, bool]:
    """Return the values of fields and the words of text boxes, one a line, and whether some are not seen."""
    lines: list[str] = []
    hides, left = False, _PAGE_BYTES
    for annotation in _annotations(page):
        if left < 0:
            return "\n".join(lines), True
        text, size = _text(annotation, forms)
        left -= size
        if not text:
            continue
        if _is_seen(annotation, forms, page):
            lines.append(text)
        else:
            hides = True
    return "\n".join(lines), hides


def _annotations(page: Any) -> Iterator[Any]:
    for number in range(min(_MAX_ANNOTATIONS, pdfium.FPDFPage_GetAnnotCount(page))):
        with _annotation(page, number) as annotation:
            if annotation:
                yield annotation


@contextmanager
def _annotation(page: Any, number: int) -> Iterator[Any]:
    annotation = pdfium.FPDFPage_GetAnnot(page, number)
    try:
        yield annotation
    finally:
        if annotation:
            pdfium.FPDFPage_CloseAnnot(annotation)


def _text(annotation: Any, forms: Any) -> tuple[str, int]:
    """Return what an annotation shows as text, and how many bytes it has."""
    kind = pdfium.FPDFAnnot_GetSubtype(annotation)
    if kind == pdfium.FPDF_ANNOT_FREETEXT:
        return _string(pdfium.FPDFAnnot_GetStringValue, annotation, b"Contents")
    if kind != pdfium.FPDF_ANNOT_WIDGET:
        return "", 0
    if pdfium.FPDFAnnot_GetFormFieldType(forms, annotation) not in _WRITTEN:
        return "", 0
    return _string(pdfium.FPDFAnnot_GetFormFieldValue, forms, annotation)


def _string(read: Any, *arguments: Any) -> tuple[str, int]:
    length = read(*arguments, None, 0)
    # pdfium writes nothing into a buffer that is too small. The end is marked by a zero.
    units = (ctypes.c_ushort * (length // _BYTES_PER_UNIT + 1))()
    written = min(read(*arguments, units, length), _LETTERS * _BYTES_PER_UNIT)
    text = bytes(units)[: max(0, written - _BYTES_PER_UNIT)].decode("utf-16-le", "replace")
    return text.strip(), length


def _is_seen(annotation: Any, forms: Any, page: Any) -> bool:
    if pdfium.FPDFAnnot_GetFlags(annotation) & _NOT_SEEN:
        return False
    if pdfium.FPDFAnnot_GetFormFieldFlags(forms, annotation) & _IS_PASSWORD:
        return False
    place, box = pdfium.FS_RECTF(), pdfium.FS_RECTF()
    if not pdfium.FPDFAnnot_GetRect(annotation, place):
        return False
    if not pdfium.FPDF_GetPageBoundingBox(page, box):
        return True
    beside = place.right < box.left or place.left > box.right
    above = place.top < box.bottom or place.bottom > box.top
    is_tiny = abs(place.top - place.bottom) < 1 or abs(place.right - place.left) < 1
    return not (beside or above or is_tiny)
