"""The PDF that agents save: pictures of pages that we encoded, laid into a file of our own.

It holds a catalogue, and for each page one picture and one line that draws it: no names, dates, links, scripts or text.
The table at its end says where each object is, so a page's picture is a slice of the file.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

#: Points of a pixel at 150 dpi.
_POINTS = 72 / 150

#: Objects before those of the first page, and objects of each page: the page, its drawing and its picture.
_BEFORE, _EACH = 2, 3

_HEADER = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
_ENTRY_BYTES = 20
_TAIL_BYTES = 64
_TABLE = re.compile(rb"startxref\n(\d{1,10})\n%%EOF\n$")
_PICTURE = re.compile(rb"\d+ 0 obj\n<</Type/XObject[^>]*/Length (\d{1,9})>>\nstream\n")


@dataclass(frozen=True, slots=True)
class PagePicture:
    """A page as JPEG."""

    width: int
    height: int
    content: bytes


def lay_out(pages: Sequence[PagePicture]) -> bytes:
    """Return a PDF of the pages in their order."""
    first = _BEFORE + 1
    kids = " ".join(f"{first + _EACH * number} 0 R" for number in range(len(pages)))
    objects = [
        [b"<</Type/Catalog/Pages 2 0 R>>"],
        [f"<</Type/Pages/Count {len(pages)}/Kids[{kids}]>>".encode()],
    ]
    for number, page in enumerate(pages):
        objects += _objects(page, first + _EACH * number)
    parts, starts, size = [_HEADER], [], len(_HEADER)
    for number, content in enumerate(objects, 1):
        pieces = [b"%d 0 obj\n" % number, *content, b"\nendobj\n"]
        starts.append(size)
        size += sum(map(len, pieces))
        parts += pieces
    parts.append(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    parts += [b"%010d 00000 n \n" % start for start in starts]
    parts.append(b"trailer\n<</Size %d/Root 1 0 R>>\n" % (len(objects) + 1))
    parts.append(b"startxref\n%d\n%%%%EOF\n" % size)
    return b"".join(parts)


def _objects(page: PagePicture, number: int) -> list[list[bytes]]:
    width, height = (f"{side * _POINTS:.2f}" for side in (page.width, page.height))
    drawing = f"{width} 0 0 {height} 0 0 cm /P Do".encode()
    picture = (
        f"<</Type/XObject/Subtype/Image/Width {page.width}/Height {page.height}/ColorSpace/DeviceRGB"
        f"/BitsPerComponent 8/Filter/DCTDecode/Length {len(page.content)}>>\nstream\n"
    )
    return [
        [
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {width} {height}]/Contents {number + 1} 0 R"
            f"/Resources<</XObject<</P {number + 2} 0 R>>>>>>".encode()
        ],
        [b"<</Length %d>>\nstream\n" % len(drawing), drawing, b"\nendstream"],
        [picture.encode(), page.content, b"\nendstream"],
    ]


def picture_of_page(file: BinaryIO, number: int) -> bytes | None:
    """Return the picture of a page, counted from 1, of a file that `lay_out` made; None if it has no such page."""
    file.seek(0, 2)
    file.seek(max(0, file.tell() - _TAIL_BYTES))
    found = _TABLE.search(file.read(_TAIL_BYTES))
    if found is None:
        raise ValueError("the file does not end as ours do")
    table = int(found[1])
    file.seek(table)
    count = int(file.read(32).split(b"\n")[1].split()[1])
    object_number = _BEFORE + _EACH * number
    if number < 1 or object_number >= count:
        return None
    file.seek(table + len(b"xref\n0 %d\n" % count) + _ENTRY_BYTES * object_number)
    start = int(file.read(10))
    file.seek(start)
    head = _PICTURE.match(file.read(256))
    if head is None:
        raise ValueError(f"object {object_number} of the file is not a picture")
    file.seek(start + head.end())
    return file.read(int(head[1]))
