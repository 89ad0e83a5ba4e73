"""The type of a file, by its bytes alone: claimed types and names are ignored.

`sniffing`        the formats of photos and videos that are shown
`recognition`     the kind and the media type of any file, and the kind that follows for an attachment
`archives`        office documents among ZIP archives
`texts`           plain text, cards and calendar entries
`sound_frames`    frames of sound without a container
"""

from .recognition import (
    DocumentFormat,
    Recognised,
    is_document,
    kind_after,
    recognise,
    sound_format,
)
from .sniffing import HEAD_BYTES, UNSUPPORTED, FileType, Format, sniff, sniff_photo

__all__ = [
    "HEAD_BYTES",
    "UNSUPPORTED",
    "DocumentFormat",
    "FileType",
    "Format",
    "Recognised",
    "is_document",
    "kind_after",
    "recognise",
    "sniff",
    "sniff_photo",
    "sound_format",
]
