"""Any file is recognised by its bytes: the kind of its placeholder, and the type in `source`."""

import gzip
import io
import os
import struct
import zipfile
from pathlib import Path

import av
import pytest

from normalizer.events import Kind
from normalizer.file_type import Recognised, kind_after, recognise
from simulator import photo, video
from simulator.samples import card, document, heic, sticker, still, voice
from simulator.samples.videos import tone

from .media_samples import box, encoded, quadrants
from .webm_files import (
    ATTACHMENTS,
    CLUSTER,
    SEGMENT,
    TAGS,
    TRACKS,
    VOID,
    element,
    header,
    opened,
    recorded,
    tracks_of,
    whole,
)


def sound(codec: str, container: str, *, rate: int = 48_000) -> bytes:
    """Return two seconds of sound."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate, layout="mono")
        assert isinstance(stream, av.AudioStream)
        resampler = av.AudioResampler(layout="mono", rate=rate, format=stream.format.name)
        for start in range(0, 96_000, 1024):
            for frame in resampler.resample(tone(start)):
                output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return file.getvalue()


def archive(*names: str, first: tuple[str, str] | None = None) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        if first is not None:
            made.writestr(*first)
        for name in names:
            made.writestr(name, "content of the member " * 20, zipfile.ZIP_DEFLATED)
    return file.getvalue()


def seen(directory: Path, content: bytes) -> Recognised:
    path = directory / "file"
    path.write_bytes(content)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return recognise(descriptor)
    finally:
        os.close(descriptor)


ODT = "application/vnd.oasis.opendocument.text"
OOXML = "application/vnd.openxmlformats-officedocument"

#: The documents and cards that a decoder of ours reads.
READ = {
    *("application/pdf", "text/vcard", "text/calendar", "text/plain", "text/xml", ODT),
    *(f"{OOXML}.{part}" for part in ("wordprocessingml.document", "spreadsheetml.sheet")),
}

FILES: dict[str, tuple[bytes, Kind | None, str | None]] = {
    "jpeg": (photo(width=64, height=48).content, "photo", "image/jpeg"),
    "heic": (heic(width=64, height=48).content, "photo", "image/heic"),
    "png": (still("PNG", side=40).content, "photo", "image/png"),
    "gif": (still("GIF", side=40).content, "photo", "image/gif"),
    "webp": (sticker().content, "photo", "image/webp"),
    "tiff": (encoded(quadrants(8, 8), "TIFF"), "photo", "image/tiff"),
    "bmp": (encoded(quadrants(8, 8), "BMP"), "photo", "image/bmp"),
    "mp4": (video(seconds=0.4, width=64, height=48).content, "video", "video/mp4"),
    "mov": (video(seconds=0.4, width=64, height=48, container="mov").content, "video", "video/quicktime"),
    "3gp": (video(seconds=0.4, width=64, height=48, container="3gp").content, "video", "video/3gpp"),
    "m4a": (sound("aac", "ipod"), "audio", "audio/mp4"),
    "sound in mp4": (sound("aac", "mp4"), "audio", "audio/mp4"),
    "sound in 3gp": (sound("aac", "3gp"), "audio", "audio/3gpp"),
    "voice message": (voice().content, "audio", "audio/ogg"),
    "mp3": (sound("libmp3lame", "mp3"), "audio", "audio/mpeg"),
    "mp3 without a tag": (sound("libmp3lame", "mp3").partition(b"\xff\xfb")[2].join((b"\xff\xfb", b"")), "audio", "audio/mpeg"),
    "adts": (sound("aac", "adts"), "audio", "audio/aac"),
    "wav": (sound("pcm_s16le", "wav"), "audio", "audio/wav"),
    "flac": (sound("flac", "flac"), "audio", "audio/flac"),
    "caf": (sound("pcm_s16be", "caf"), "audio", "audio/x-caf"),
    "webm sound": (sound("libopus", "webm"), "audio", "audio/webm"),
    "matroska sound": (sound("flac", "matroska"), "audio", "audio/matroska"),
    "webm": (recorded(*tracks_of(seconds=0.2)), "video", "video/webm"),
    "matroska": (whole(*tracks_of(seconds=0.2), doc_type="matroska"), "video", "video/matroska"),
    "webm that names a coding in a tag": (whole(tracks_of(seconds=0.2)[1], before=element(TAGS, b"\x86\x85V_VP8")), "audio", "audio/webm"),
    "webm with a large cover first": (whole(*tracks_of(seconds=0.2), before=element(ATTACHMENTS, bytes(100_000))), "video", "video/webm"),
    "amr": (b"#!AMR\n" + bytes(64), "audio", "audio/amr"),
    "amr wideband": (b"#!AMR-WB\n" + bytes(64), "audio", "audio/amr-wb"),
    "pdf": (document().content, "document", "application/pdf"),
    "docx": (archive("[Content_Types].xml", "_rels/.rels", "word/document.xml"), "document", f"{OOXML}.wordprocessingml.document"),
    "xlsx": (archive("[Content_Types].xml", "_rels/.rels", "xl/workbook.xml"), "document", f"{OOXML}.spreadsheetml.sheet"),
    "odt": (archive("content.xml", first=("mimetype", ODT)), "document", ODT),
    "zip": (archive("holiday.jpg"), "document", "application/zip"),
    "animated sticker": (archive("animation/animation.json"), "sticker", "application/was"),
    "gzip": (gzip.compress(b"log"), "document", "application/gzip"),
    "vcard": (card().content, "contact", "text/vcard"),
    "vcard after a mark": (b"\xef\xbb\xbf\r\n" + card().content, "contact", "text/vcard"),
    "calendar": (b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n", "document", "text/calendar"),
    "page": (b"\n<!DOCTYPE html><p>words</p>", "document", "text/html"),
    "drawing": (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "document", "image/svg+xml"),
    "words": ("Grüße aus Köln".encode(), "document", "text/plain"),
    "words that begin like a bitmap": (b"BMW needs a new door. MZ, too.", "document", "text/plain"),
    "words in another charset": ("Grüße aus Köln".encode("cp1252"), "document", "text/plain"),
    "words in UTF-16": ("Grüße".encode("utf-16"), "document", "text/plain"),
    "script": (b"#!/bin/sh\necho", "document", "text/x-script"),
    "document with late members": (archive("media.bin", *(f"a{n}" for n in range(400)), "word/document.xml"), "document", f"{OOXML}.wordprocessingml.document"),
    "pdf after other bytes": (b"\0" * 400 + document().content, "document", "application/pdf"),
    "noise": (bytes(range(256)) * 3, None, None),
    "nothing": (b"", None, None),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_recognised_by_its_bytes(tmp_path: Path, name: str) -> None:
    content, kind, media_type = FILES[name]
    found = seen(tmp_path, content)
    assert (found.kind, found.media_type) == (kind, media_type)
    assert (found.format is not None) == (
        (kind in {"photo", "video", "audio"} and name != "bmp") or media_type in READ
    )


@pytest.mark.parametrize(
    "content",
    [
        element(0x1A45DFA3, claim=1 << 40),
        header() + opened(SEGMENT),
        header() + opened(SEGMENT, opened(CLUSTER)),
        header() + opened(SEGMENT, opened(TRACKS)),
        header() + opened(SEGMENT, element(TRACKS, b"\xff" * 9)),
        header() + opened(SEGMENT, element(TRACKS)),
        header() + opened(SEGMENT) * 600,
        header() + opened(SEGMENT, element(VOID) * 600),
        b"\x1a\x45\xdf\xa3" + bytes(60),
    ],
)
def test_a_webm_whose_tracks_cannot_be_found_could_be_either(
    tmp_path: Path, content: bytes
) -> None:
    found = seen(tmp_path, content)
    assert (found.kind, found.media_type, found.format) == (None, None, "webm")


def test_another_kind_of_ebml_is_unknown(tmp_path: Path) -> None:
    assert seen(tmp_path, header("dwa") + opened(SEGMENT)).format is None


def test_a_character_cut_at_the_end_is_still_text(tmp_path: Path) -> None:
    assert seen(tmp_path, b"x" + "é".encode() * 40_000).media_type == "text/plain"


@pytest.mark.parametrize("size", [0, 1, 7, 0xFFFFFFFF])
def test_boxes_with_absurd_sizes_end_the_search(tmp_path: Path, size: int) -> None:
    hostile = struct.pack(">I4s", size, b"moov") * 5000
    assert seen(tmp_path, box(b"ftyp", b"isom", bytes(4)) + hostile).kind == "video"


@pytest.mark.parametrize("name", FILES)
def test_every_beginning_of_a_file_has_an_outcome(tmp_path: Path, name: str) -> None:
    content = FILES[name][0]
    for length in {*range(40), len(content) // 2}:
        seen(tmp_path, content[:length])


@pytest.mark.parametrize(
    ("declared", "found", "kind"),
    [
        ("document", "photo", "photo"),
        ("photo", "video", "video"),
        ("photo", "document", "document"),
        ("audio", None, "audio"),
        ("sticker", "photo", "sticker"),
        ("sticker", "video", "video"),
        ("sticker", "document", "sticker"),
        ("document", "sticker", "sticker"),
        ("location", "contact", "location"),
        ("unsupported", "contact", "contact"),
    ],
)
def test_the_kind_follows_the_bytes_unless_they_suit_it(
    declared: Kind, found: Kind | None, kind: Kind
) -> None:
    assert kind_after(declared, found) == kind
