"""ZIP archives: office documents and animated stickers are recognised by the names of their members."""

import re
from typing import Literal

from normalizer.events import Kind

OfficeFormat = Literal["docx", "xlsx", "pptx", "odt", "ods", "odp"]

ARCHIVE_SIGNATURE = b"PK\x03\x04"

#: The end of an archive holds the names of all members; 64 kB are enough for a few hundred.
TAIL_BYTES = 64 * 1024

_OOXML = "application/vnd.openxmlformats-officedocument."
_ODF = "application/vnd.oasis.opendocument."

#: The members that show what an archive is.
_MEMBERS: tuple[tuple[bytes, Kind, str, OfficeFormat | None], ...] = (
    (b"word/", "document", f"{_OOXML}wordprocessingml.document", "docx"),
    (b"xl/", "document", f"{_OOXML}spreadsheetml.sheet", "xlsx"),
    (b"ppt/", "document", f"{_OOXML}presentationml.presentation", "pptx"),
    (b"animation/", "sticker", "application/was", None),  # WhatsApp's animated stickers
)
_ODF_FORMATS: dict[str, OfficeFormat] = {
    "text": "odt",
    "spreadsheet": "ods",
    "presentation": "odp",
}

#: The header before each member, and the entry for each in the directory at the end (APPNOTE.TXT 4.3.7, 4.3.12).
_HEADERS = (
    re.compile(rb"PK\x03\x04.{22}(?P<length>..)..", re.DOTALL),
    re.compile(rb"PK\x01\x02.{24}(?P<length>..).{16}", re.DOTALL),
)
_ODF_TYPE = re.compile(rb"mimetype(application/vnd\.oasis\.opendocument\.[a-z-]{1,40})")


def archive_type(start: bytes, tail: bytes) -> tuple[Kind, str, OfficeFormat | None]:
    """Return kind, media type and format of an archive, from its start and its end."""
    if odf := _ODF_TYPE.search(start, 0, 100):
        media_type = odf[1].decode()
        return "document", media_type, _ODF_FORMATS.get(media_type.removeprefix(_ODF))
    for headers, part in zip(_HEADERS, (start, tail), strict=True):
        for header in headers.finditer(part):
            name = part[header.end() : header.end() + int.from_bytes(header["length"], "little")]
            for member, kind, media_type, format in _MEMBERS:
                if name.startswith(member):
                    return kind, media_type, format
    return "document", "application/zip", None
