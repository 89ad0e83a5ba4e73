"""The type of a file, detected by its first bytes alone: claimed types and names are ignored."""

from dataclasses import dataclass
from typing import Literal

from normalizer import ebml
from normalizer.media import MediaKind, MediaRejected

from .matroska import DOC_TYPES, doc_type

#: Enough for every signature below and for the brands of an ISO file.
HEAD_BYTES = 512

Format = Literal["jpeg", "png", "gif", "webp", "tiff", "heif", "avif", "mp4", "webm"]

#: The detail of every file whose format is not among those above.
UNSUPPORTED = "the file is in none of the supported formats"


@dataclass(frozen=True, slots=True)
class FileType:
    """A known format, and whether it holds a photo or a video."""

    kind: MediaKind
    format: Format


_SIGNATURES: tuple[tuple[bytes, Format], ...] = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0\x08\0\0\0", "tiff"),
    (b"MM\0+\0\x08\0\0", "tiff"),
)

_HEIF_BRANDS = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"jpeg", b"jpgs"}
)
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
#: Generic still-picture brands; the coding of the picture is among the compatible brands.
_STILL_BRANDS = frozenset({b"mif1", b"mif2", b"msf1", b"miaf", b"MiHE", b"MiHB", b"MiPr"})

#: Raw photos of Canon's cameras.
_RAW_BRANDS = frozenset({b"crx "})

#: QuickTime files older than `ftyp` begin with one of these atoms.
_QUICKTIME_ATOMS = frozenset({b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})


def sniff(head: bytes) -> FileType:
    """Return the type of a file that begins with `head`. Raise MediaRejected for an unknown type."""
    if not head:
        raise MediaRejected("corrupt", "the file is empty")
    for signature, name in _SIGNATURES:
        if head.startswith(signature):
            return FileType("photo", name)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return FileType("photo", "webp")
    if head[4:8] == b"ftyp":
        return _iso_format(head)
    # A damaged header names no type, and the decoder says what is wrong.
    if head.startswith(ebml.SIGNATURE) and (doc_type(head) or "webm") in DOC_TYPES:
        return FileType("video", "webm")
    if head[4:8] in _QUICKTIME_ATOMS and int.from_bytes(head[:4], "big") >= 8:
        return FileType("video", "mp4")
    raise MediaRejected("unsupported_type", UNSUPPORTED)


def _iso_format(head: bytes) -> FileType:
    size = min(int.from_bytes(head[:4], "big"), len(head))
    major = head[8:12]
    brands = {major, *(head[at : at + 4] for at in range(16, size - 3, 4))}
    if major in _RAW_BRANDS:
        raise MediaRejected("unsupported_type", "a raw photo of a camera")
    if major in _AVIF_BRANDS or (major in _STILL_BRANDS and brands & _AVIF_BRANDS):
        return FileType("photo", "avif")
    if major in _HEIF_BRANDS or major in _STILL_BRANDS:
        return FileType("photo", "heif")
    return FileType("video", "mp4")
