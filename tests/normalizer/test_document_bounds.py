"""Hostile and protected documents: each ends with its reason, quickly and in little memory."""

import io
import struct
import time
import zipfile

import pytest

from bench import sanitize_sandbox as measurements
from normalizer.media import Limits, MediaRejected
from normalizer.sanitizer import Sanitizer

from .conftest import Sanitize
from .media_samples import descriptor
from .office_files import docx, open_document, package, paragraph

pytestmark = pytest.mark.asyncio(loop_scope="module")

_WORD = "word/document.xml"


def _flagged(content: bytes) -> bytes:
    """Return an archive whose members are marked as encrypted."""
    at, flagged = 0, bytearray(content)
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := content.find(mark, at + 1)) >= 0:
            flagged[at + offset] |= 1
    return bytes(flagged)


def _many_members(count: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(_WORD, "<p/>")
        for number in range(count):
            archive.writestr(f"word/{number}", "")
    return file.getvalue()


def _bomb() -> bytes:
    """Return 300 MB of blanks in less than 400 kB, in a part that is read before the text."""
    return package({_WORD: "<p/>", "word/styles.xml": b"<p>" + b" " * 300_000_000})


_DTD = '<!DOCTYPE p [<!ENTITY a "{0}"><!ENTITY b "&a;&a;&a;">]><p><r><t>&b;</t></r></p>'
_OLE = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(1000)

HOSTILE: dict[str, tuple[bytes, str]] = {
    "bomb": (_bomb(), "corrupt"),
    "entities": (package({_WORD: _DTD.format("x" * 100)}), "corrupt"),
    "entity of a file": (package({_WORD: '<!DOCTYPE p [<!ENTITY a SYSTEM "file:///etc/passwd">]><p>&a;</p>'}), "corrupt"),
    "deep": (package({_WORD: "<p>" * 100_000}), "corrupt"),
    "not xml": (package({_WORD: "words"}), "corrupt"),
    "cut": (docx(paragraph("words"))[:-30], "corrupt"),
    "many members": (_many_members(2_500), "corrupt"),
    "other compression": (package({_WORD: "<p/>"}, compression=zipfile.ZIP_LZMA), "corrupt"),
    "protected part": (_flagged(docx(paragraph("words"))), "protected"),
    "protected ODF": (open_document("text", "<text:p>x</text:p>", manifest="<manifest:encryption-data/>"), "protected"),
    "protected OOXML": (_OLE + "EncryptedPackage".encode("utf-16-le") + bytes(600), "protected"),
    "office of old": (_OLE, "unsupported_type"),
    "binary workbook": (package({"xl/workbook.bin": b"x"}), "unsupported_type"),
    "without words": (docx("<w:p/>"), "unsupported_type"),
    "archive": (package({"a.txt": "words"}), "unsupported_type"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_document_that_is_not_shown_has_its_reason(
    sanitizer: Sanitizer, sanitize: Sanitize, name: str
) -> None:
    source, reason = HOSTILE[name]
    before = time.monotonic()
    with pytest.raises(MediaRejected) as refusal:
        await sanitize(source)
    assert refusal.value.reason == reason, refusal.value.detail
    assert time.monotonic() - before < 5
    assert sanitizer.ready
    assert measurements.most_memory(sanitizer) <= 300 << 20


async def test_strings_that_fill_the_memory_end_as_corrupt(sanitize: Sanitize) -> None:
    strings = b"<sst>" + b"<si><t>a</t></si>" * 1_150_000 + b"</sst>"
    source = package({"xl/workbook.xml": "<w/>", "xl/sharedStrings.xml": strings})
    with pytest.raises(MediaRejected) as refusal:
        await sanitize(source)
    assert refusal.value.reason in {"corrupt", "unsupported_type"}


async def test_a_directory_beyond_its_archive_is_corrupt(sanitize: Sanitize) -> None:
    source = bytearray(docx(paragraph("words")))
    at = source.rfind(b"PK\x05\x06")
    struct.pack_into("<I", source, at + 16, 0xFFFF0000)
    with pytest.raises(MediaRejected) as refusal:
        await sanitize(bytes(source))
    assert refusal.value.reason == "corrupt"


async def test_the_limit_of_documents_is_their_own() -> None:
    running = Sanitizer(Limits(document_max_bytes=1_000), sandboxes=1)
    await running.start()
    try:
        with pytest.raises(MediaRejected) as refusal:
            await running.sanitize(descriptor(b"words " * 200))
        assert refusal.value.reason == "too_large"
    finally:
        await running.close()
