"""The type of a file, by its bytes alone: claimed types and names are ignored.

`sniffing`        the formats of photos and videos that are shown
`recognition`     the kind and the media type of any file, and the kind that follows for an attachment
`archives`        office documents among ZIP archives
`texts`           plain text, cards and calendar entries
`endings`         the endings of originals that may be offered
`sound_frames`    frames of sound without a container
"""

from .endings import ORIGINAL_ENDINGS
from .recognition import (
    DocumentFormat,
    Recognised,
    is_document,
    is_office,
    kind_after,
    recognise,
    sound_format,
)
from .sniffing import HEAD_BYTES, UNSUPPORTED, FileType, Format, sniff, sniff_photo

__all__ = [
    "HEAD_BYTES",
    "ORIGINAL_ENDINGS",
    "UNSUPPORTED",
    "DocumentFormat",
    "FileType",
    "Format",
    "Recognised",
    "is_document",
    "is_office",
    "kind_after",
    "recognise",
    "sniff",
    "sniff_photo",
    "sound_format",
]
