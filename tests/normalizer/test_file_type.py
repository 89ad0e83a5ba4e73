"""The type of a file is detected by its first bytes, and every content has an outcome."""

import pytest

from normalizer.file_type import sniff
from normalizer.media import MediaRejected

from .media_samples import box, encoded, make_video, quadrants
from .webm_files import VOID, element, header


@pytest.mark.parametrize(
    ("head", "kind", "form"),
    [
        (b"\xff\xd8\xff\xe1", "photo", "jpeg"),
        (b"\x89PNG\r\n\x1a\n", "photo", "png"),
        (b"GIF87a", "photo", "gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "photo", "webp"),
        (b"MM\0*", "photo", "tiff"),
        (box(b"ftyp", b"heic", bytes(4), b"mif1heic"), "photo", "heif"),
        (box(b"ftyp", b"mif1", bytes(4), b"mif1heic"), "photo", "heif"),
        (box(b"ftyp", b"mif1", bytes(4), b"mif1avif"), "photo", "avif"),
        (box(b"ftyp", b"avif", bytes(4)), "photo", "avif"),
        (box(b"ftyp", b"isom", bytes(4)), "video", "mp4"),
        (box(b"ftyp", b"qt  ", bytes(4)), "video", "mp4"),
        (box(b"ftyp", b"3gp4", bytes(4)), "video", "mp4"),
        (box(b"wide") + box(b"mdat"), "video", "mp4"),
        (box(b"moov", box(b"mvhd")), "video", "mp4"),
        (header("webm"), "video", "webm"),
        (header("matroska", element(VOID, bytes(90))), "video", "webm"),
        (element(0x1A45DFA3, element(VOID, bytes(90)), header()[12:]), "video", "webm"),
    ],
)
def test_formats_are_detected_by_their_first_bytes(head: bytes, kind: str, form: str) -> None:
    found = sniff(head)
    assert (found.kind, found.format) == (kind, form)


def test_heads_of_every_length_have_an_outcome() -> None:
    samples = [
        encoded(quadrants(8, 8), form) for form in ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "AVIF")
    ]
    refusals = set()
    for sample in (*samples, make_video(seconds=0.1)):
        for length in range(60):
            try:
                sniff(sample[:length])
            except MediaRejected as refusal:
                refusals.add(refusal.reason)
    assert refusals == {"unsupported_type", "corrupt"}
