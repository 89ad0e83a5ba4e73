"""Recognition: the kind and the media type of any file, shown or not, by its bytes alone.

Decides which placeholder and which reason an agent sees. Whether a file is shown is decided by `sniff` and
the decoders. Reads the start of the file and, of an ISO file, the headers of a bounded number of boxes.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeGuard, get_args

from normalizer.events import Kind
from normalizer.media import MediaRejected
from normalizer.sound import SoundFormat, end_of_id3

from . import matroska
from .archives import ARCHIVE_SIGNATURE, TAIL_BYTES, OfficeFormat, archive_type
from .sniffing import Format, sniff
from .sound_frames import sound_type
from .texts import TextFormat, text_type

#: The formats of documents and cards that a decoder of ours reads.
DocumentFormat = Literal["pdf", "ole", OfficeFormat, TextFormat]

#: Enough to tell text from binary data, and for the first members of an office document.
_START_BYTES = 64 * 1024

#: Boxes whose headers are read in search of a picture track. Phones write a few dozen.
_MAX_BOXES = 500


@dataclass(frozen=True, slots=True)
class Recognised:
    """The content of a file; `kind` and `media_type` are None if the bytes do not tell.

    `format` is None if no decoder of ours reads the file.
    """

    kind: Kind | None
    media_type: str | None
    format: Format | SoundFormat | DocumentFormat | None = None


_UNKNOWN = Recognised(None, None)

_PDF = b"%PDF-"
#: Viewers look for the header in so many bytes (ISO 32000-1, annex H, note 13).
_PDF_WITHIN = 1024

_OLE = "application/x-ole-storage"
#: Documents that a decoder of ours reads. It reads an OLE storage only to say whether a password protects it.
_DOCUMENTS: Mapping[str, DocumentFormat] = {"application/pdf": "pdf", _OLE: "ole"}

_PHOTO_TYPES: Mapping[Format, str] = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "tiff": "image/tiff",
    "heif": "image/heic",
    "avif": "image/avif",
}

#: The formats of sound that decoders of ours read, by media type.
_SOUND_FORMATS: Mapping[str, SoundFormat] = {
    "audio/mp4": "m4a",
    "audio/3gpp": "m4a",
    "audio/3gpp2": "m4a",
    "audio/ogg": "ogg",
    "audio/amr": "amr",
    "audio/amr-wb": "amr",
    "audio/mpeg": "mp3",
    "audio/aac": "aac",
    "audio/flac": "flac",
    "audio/wav": "wav",
    "audio/aiff": "aiff",
    "audio/x-caf": "caf",
    "audio/webm": "webm",
    "audio/matroska": "webm",
    "audio/x-ms-wma": "asf",
}

#: The first bytes of files other than photos and videos. Letters alone could also begin a text.
_SIGNATURES: tuple[tuple[bytes, Kind, str], ...] = (
    (rb"#!AMR-WB\n", "audio", "audio/amr-wb"),
    (rb"#!AMR", "audio", "audio/amr"),
    (rb"fLaC[\x00\x80]", "audio", "audio/flac"),
    (rb"caff\x00", "audio", "audio/x-caf"),
    (rb"(?:RIFF|RF64).{4}WAVE", "audio", "audio/wav"),
    (rb"FORM.{4}AIF[FC]", "audio", "audio/aiff"),
    (rb"RIFF.{4}AVI ", "video", "video/x-msvideo"),
    (rb"\x00\x00\x01\xba", "video", "video/mpeg"),
    (rb"FLV\x01", "video", "video/x-flv"),
    (rb"BM.{4}\x00{4}", "photo", "image/bmp"),
    (rb"8BPS\x00", "photo", "image/vnd.adobe.photoshop"),
    (rb"\xff\x0a|\x00{3}\x0cJXL ", "photo", "image/jxl"),
    (rb"\x00{3}\x0cjP  ", "photo", "image/jp2"),
    (rb"II\*\x00|MM\x00\*", "photo", "image/tiff"),
    (rb"%PDF-", "document", "application/pdf"),
    (rb"{\\rtf", "document", "application/rtf"),
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "document", _OLE),
    (rb"\x1f\x8b", "document", "application/gzip"),
    (rb"7z\xbc\xaf\x27\x1c", "document", "application/x-7z-compressed"),
    (rb"Rar!\x1a\x07", "document", "application/vnd.rar"),
    (rb"MZ.{,60}\x00", "document", "application/x-msdownload"),
    (rb"\x7fELF", "document", "application/x-executable"),
)

#: Containers of sound or pictures: their signature, a pattern that only those with pictures contain, and the type of
#: each of the two.
_CONTAINERS: tuple[tuple[bytes, bytes, str, str], ...] = (
    (b"OggS", rb"\x80theora|\x01video", "video/ogg", "audio/ogg"),
    # The stream type of video in ASF, a GUID.
    (
        b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",
        re.escape(bytes.fromhex("c0ef19bc4d5bcf11a8fd00805f5c442b")),
        "video/x-ms-wmv",
        "audio/x-ms-wma",
    ),
)

#: Types of an ISO file by its major brand (https://mp4ra.org/registered-types/brands); any other is an MP4.
_BRANDS: Mapping[bytes, str] = {
    b"qt  ": "quicktime",
    **dict.fromkeys((b"3gp4", b"3gp5", b"3gp6", b"3gp7", b"3gr6", b"3gs6", b"3ge6"), "3gpp"),
    **dict.fromkeys((b"3g2a", b"3g2b", b"3g2c"), "3gpp2"),
}
_SOUND_BRANDS = frozenset({b"M4A ", b"M4B ", b"M4P ", b"F4A ", b"F4B "})
_ON_THE_WAY = frozenset({b"moov", b"trak", b"mdia"})

#: Kinds that say what a file is for, with the kinds of content that serve it: a sticker is also a photo.
_USES: Mapping[Kind, frozenset[Kind]] = {
    "sticker": frozenset({"photo", "document"}),
    "location": frozenset({"contact", "document"}),
}


def recognise(source: int) -> Recognised:
    """Return the content of the file behind a readable descriptor. Blocks while it reads from the disk."""
    found = _recognise(source)
    if found.kind != "audio" or found.media_type is None:
        return found
    return replace(found, format=_SOUND_FORMATS.get(found.media_type))


def _recognise(source: int) -> Recognised:
    start = os.pread(source, _START_BYTES, 0)
    if tags := end_of_id3(start):
        return _tagged(source, os.pread(source, _START_BYTES, tags))
    try:
        found = sniff(start)
    except MediaRejected:
        return _other(source, start)
    if found.kind == "photo":
        return Recognised("photo", _PHOTO_TYPES[found.format], found.format)
    if found.format == "webm":
        return _matroska_file(source, start)
    return _iso_file(source, start[8:12] if start[4:8] == b"ftyp" else b"qt  ", found.format)


def sound_format(source: int) -> SoundFormat | None:
    """Return the format of a file that holds sound and no pictures; None for any other."""
    found = recognise(source)
    return _SOUND_FORMATS.get(found.media_type or "") if found.kind == "audio" else None


def is_document(format: object) -> TypeGuard[DocumentFormat]:
    """Whether a format is that of a document or a card."""
    return format in get_args(DocumentFormat)


def kind_after(declared: Kind, seen: Kind | None) -> Kind:
    """Return the kind of an attachment whose bytes were seen: theirs, unless they suit what was declared."""
    if seen is None or seen in _USES.get(declared, frozenset()):
        return declared
    return seen


def _tagged(source: int, start: bytes) -> Recognised:
    """Recognise sound after its tags. Most is MP3, which may begin with anything."""
    found = _other(source, start)
    return found if found.kind == "audio" else Recognised("audio", "audio/mpeg")


def _other(source: int, start: bytes) -> Recognised:
    for pattern, kind, media_type in _SIGNATURES:
        if re.match(pattern, start, re.DOTALL):
            return Recognised(kind, media_type, _DOCUMENTS.get(media_type))
    for signature, pictures, video_type, audio_type in _CONTAINERS:
        if start.startswith(signature):
            has_pictures = re.search(pictures, start, re.DOTALL)
            return (
                Recognised("video", video_type) if has_pictures else Recognised("audio", audio_type)
            )
    if start.startswith(ARCHIVE_SIGNATURE):
        return Recognised(*archive_type(start, _tail(source)))
    sound = sound_type(start)
    return Recognised("audio", sound) if sound else _text_or_late_pdf(start)


def _tail(source: int) -> bytes:
    size = os.fstat(source).st_size
    return os.pread(source, TAIL_BYTES, max(0, size - TAIL_BYTES))


def _text_or_late_pdf(start: bytes) -> Recognised:
    """Recognise text, or a PDF after bytes that do not belong to it, which viewers skip."""
    if _PDF in start[:_PDF_WITHIN]:
        return Recognised("document", "application/pdf", "pdf")
    text = text_type(start, is_whole=len(start) < _START_BYTES)
    return Recognised(*text) if text else _UNKNOWN


def _matroska_file(source: int, start: bytes) -> Recognised:
    """Recognise a video, or sound in the same container. Files without a table of tracks could be either."""
    pictures = matroska.has_pictures(source)
    if pictures is None:
        return Recognised(None, None, "webm")
    kind: Kind = "video" if pictures else "audio"
    return Recognised(kind, f"{kind}/{matroska.doc_type(start) or 'webm'}", "webm")


def _iso_file(source: int, brand: bytes, format: Format) -> Recognised:
    """Recognise a video, or sound in the same container: a file without a picture track."""
    handlers = set(_handlers(source))
    if brand in _SOUND_BRANDS or (handlers and b"vide" not in handlers):
        subtype = _BRANDS.get(brand, "mp4")
        return Recognised("audio", f"audio/{'mp4' if subtype == 'quicktime' else subtype}")
    return Recognised("video", f"video/{_BRANDS.get(brand, 'mp4')}", format)


def _handlers(source: int) -> Iterator[bytes]:
    """Yield the type of each track's handler: `vide` for pictures, `soun` for sound."""
    spans = [(0, os.fstat(source).st_size)]
    for _ in range(_MAX_BOXES):
        if not spans:
            return
        start, end = spans.pop()
        header = os.pread(source, 20, start)
        size, kind, body = int.from_bytes(header[:4], "big"), header[4:8], start + 8
        if size == 1:
            size, body = int.from_bytes(header[8:16], "big"), start + 16
        size = size or end - start  # a last box may leave its size open
        if len(header) < 8 or not body - start <= size <= end - start:
            continue
        if start + size < end:
            spans.append((start + size, end))
        if kind == b"hdlr":
            yield header[16:20]
        elif kind in _ON_THE_WAY:
            spans.append((body, start + size))
