"""Originals of what cannot be shown: offered only if a scanner found them clean and nothing speaks against it."""

from collections.abc import AsyncIterator

import numpy as np
import pytest
import pytest_asyncio

from normalizer.file_type import ORIGINAL_ENDINGS
from normalizer.media import Clean, Limits, MediaFailed, MediaRejected
from normalizer.sanitizer import Sanitizer
from normalizer.scanner import Scanner
from simulator.samples import card, document, voice
from tests.fake_clamd import FakeClamd, fake_clamd

from .assertions import content
from .conftest import Sanitize, sanitize_with
from .media_samples import encoded, quadrants
from .mutations import blindly
from .office_files import docx, open_document, package, paragraph, xlsx
from .pdf_files import protected
from .test_mutations import COUNT

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORDS = {"[Content_Types].xml": "<Types/>", "word/document.xml": "<d><p><r><t>x</t></r></p></d>"}
_OOXML = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
DRAWING = bytes(range(256)) * 40


def noted(relation: str, mode: str = "") -> bytes:
    entry = f'<Relationship Id="r" Type="{_OOXML}/{relation}" Target="http://x.example/"{mode}/>'
    return package(
        {**WORDS, "word/_rels/document.xml.rels": f"<Relationships>{entry}</Relationships>"}
    )


EXTERNAL = ' TargetMode="External"'

OFFERED: dict[str, bytes] = {
    "a word document": docx(paragraph("Words")),
    "a workbook": xlsx({"One": "<sheetData><row><c><v>1</v></c></row></sheetData>"}),
    "an open document": open_document("text", "<text:p>Words</text:p>"),
    "a document with a link": noted("hyperlink", EXTERNAL),
    "plain text": b"Words of a customer",
    "a calendar": b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:x\nEND:VEVENT\n",
    "a bitmap": encoded(quadrants(8, 8), "BMP"),
    "a drawing of an unknown program": DRAWING,
}

NOT_OFFERED: dict[str, bytes] = {
    "a web page": b"<!DOCTYPE html><p>words</p>",
    "a drawing for browsers": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    "a script": b"#!/bin/sh\necho",
    "a batch file": b"@echo off\r\nformat c:",
    "a program for Windows": b"MZ" + bytes(2) + DRAWING,
    "a program for Linux": b"\x7fELF" + DRAWING,
    "a program for macOS": b"\xcf\xfa\xed\xfe" + DRAWING,
    "a class of Java": b"\xca\xfe\xba\xbe" + DRAWING,
    "a shortcut of Windows": b"L\0\0\0\x01\x14\x02\0" + DRAWING,
    "a shortcut to a page": b"[InternetShortcut]\r\nURL=file://evil/x.exe\r\n",
    "a shortcut of Linux": b"[Desktop Entry]\nExec=rm -rf /\n",
    "settings of Windows": b"Windows Registry Editor Version 5.00\r\n",
    "a disk image": bytes(32_769) + b"CD001" + bytes(900),
    "a disk image with a boot sector": bytes(510) + b"\x55\xaa" + bytes(900),
    "a disk image for macOS": DRAWING + b"koly" + bytes(508),
    "a virtual disk": b"vhdxfile" + DRAWING,
    "an archive": package({"holiday.exe": b"MZ"}),
    "an archive for Linux": b"\xfd7zXZ\0" + DRAWING,
    "a cabinet": b"MSCF\0\0\0\0" + DRAWING,
    "an older office document": bytes.fromhex("d0cf11e0a1b11ae1") + DRAWING,
    "an encrypted office document": bytes.fromhex("d0cf11e0a1b11ae1")
    + "EncryptedPackage".encode("utf-16-le"),
    "rich text": rb"{\rtf1 words}",
    "an encrypted message": b"-----BEGIN PGP MESSAGE-----\n",
    "a PDF with a password": protected(user=b"user", owner=b"owner"),
    "a damaged photo": encoded(quadrants(64, 64))[:300],
}

#: Office documents whose text is shown and whose file is not offered.
TEXT_ALONE: dict[str, bytes] = {
    "macros of Word": package({**WORDS, "word/vbaProject.bin": b"x"}),
    "macros by their type": package(
        {
            **WORDS,
            "[Content_Types].xml": '<T><O ContentType="application/x.macroEnabled.main"/></T>',
        }
    ),
    "macro sheets": package({**WORDS, "xl/macrosheets/sheet1.xml": "<x/>"}),
    "an embedded file": package({**WORDS, "word/embeddings/oleObject1.bin": b"x"}),
    "a control": package({**WORDS, "word/activeX/activeX1.xml": "<x/>"}),
    "a template from elsewhere": noted("attachedTemplate", EXTERNAL),
    "an object from elsewhere": noted("oleObject", EXTERNAL),
    "a picture from elsewhere": noted("image", EXTERNAL),
    "a field that starts a program": docx(
        paragraph("x") + "<w:p><w:r><w:instrText>DDE</w:instrText></w:r><w:r>"
        "<w:instrText>AUTO c:\\\\x</w:instrText></w:r></w:p>"
    ),
    "a simple field that starts a program": docx(
        paragraph("x") + '<w:p><w:fldSimple w:instr=" DDEAUTO x "/></w:p>'
    ),
    "links to other workbooks": package({**WORDS, "xl/externalLinks/externalLink1.xml": "<x/>"}),
    "macros of LibreOffice": package(
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "content.xml": "<d><body><p>x</p></body></d>",
            "Basic/Standard/Module1.xml": "<x/>",
        },
        compression=0,
    ),
    "a script of LibreOffice": open_document(
        "text", "<office:event-listeners/><text:p>Words</text:p>"
    ),
    "a damaged part": package({**WORDS, "word/_rels/document.xml.rels": "<broken"}),
    "data for programs": b'<?xml version="1.0"?><order id="7"/>',
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def clamd() -> AsyncIterator[FakeClamd]:
    async with fake_clamd() as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def offering(clamd: FakeClamd) -> AsyncIterator[Sanitize]:
    limits = Limits(originals="unshown", video_max_bytes=40_000_000)
    running = Sanitizer(limits, sandboxes=2, scanner=Scanner(clamd.address))
    await running.start()
    yield sanitize_with(running)
    await running.close()


def names(clean: Clean) -> list[str]:
    return [each.name for each in clean.renditions]


@pytest.mark.parametrize("name", OFFERED)
async def test_original_of_what_cannot_be_shown_is_offered(offering: Sanitize, name: str) -> None:
    clean = await offering(OFFERED[name])
    assert names(clean)[-1] == "original"
    assert content(clean, "original") == OFFERED[name]
    assert clean.renditions[-1].media_type == "application/octet-stream"
    shows_text = names(clean) == ["text", "original"]
    assert shows_text == (clean.refusal is None)


@pytest.mark.parametrize("name", NOT_OFFERED)
async def test_dangerous_file_is_refused_without_its_original(
    offering: Sanitize, name: str
) -> None:
    with pytest.raises(MediaRejected):
        await offering(NOT_OFFERED[name])


@pytest.mark.parametrize("name", TEXT_ALONE)
async def test_office_document_with_active_content_shows_text_alone(
    offering: Sanitize, name: str
) -> None:
    assert names(await offering(TEXT_ALONE[name])) == ["text"]


@pytest.mark.parametrize(
    "shown", [encoded(quadrants(64, 64)), document().content, voice(0.3).content, card().content]
)
async def test_what_can_be_shown_has_no_original(offering: Sanitize, shown: bytes) -> None:
    assert "original" not in names(await offering(shown))


async def test_mutated_document_is_offered_as_it_is_or_not(offering: Sanitize) -> None:
    for number in range(COUNT):
        random = np.random.default_rng(number)
        changed = blindly(random, OFFERED["a word document"])
        try:
            clean = await offering(changed)
        except MediaRejected:
            continue
        if "original" in names(clean):
            assert content(clean, "original") == changed


async def test_encrypted_files_have_no_original(clamd: FakeClamd, offering: Sanitize) -> None:
    clamd.verdict = b"Heuristics.Encrypted.Zip FOUND"
    try:
        assert names(await offering(OFFERED["a word document"])) == ["text"]
        with pytest.raises(MediaRejected) as refusal:
            await offering(DRAWING)
        assert refusal.value.reason == "unsupported_type"
    finally:
        clamd.verdict = b"OK"


@pytest.mark.parametrize("name", ["an encrypted office document", "a PDF with a password"])
async def test_alert_about_a_password_ends_as_protected(
    clamd: FakeClamd, offering: Sanitize, name: str
) -> None:
    clamd.verdict = b"Heuristics.Encrypted.Doc FOUND"
    try:
        # Owners lock documents that everybody may read: clamd alerts about these, too.
        locked = await offering(protected(user=b"", owner=b"owner"))
        with pytest.raises(MediaRejected) as refusal:
            await offering(NOT_OFFERED[name])
    finally:
        clamd.verdict = b"OK"
    assert refusal.value.reason == "protected"
    assert names(locked) == ["thumbnail", "preview", "document", "text"]


@pytest.mark.parametrize(
    ("verdict", "error"),
    [
        (b"Evil FOUND", MediaRejected),
        (b"Heuristics.Limits.Exceeded FOUND", MediaRejected),
        (b"?", MediaFailed),
    ],
)
async def test_no_original_is_offered_unless_clean(
    clamd: FakeClamd, offering: Sanitize, verdict: bytes, error: type[Exception]
) -> None:
    clamd.verdict = verdict
    try:
        with pytest.raises(error) as refusal:
            await offering(DRAWING)
        assert "unsupported" not in str(refusal.value)
    finally:
        clamd.verdict = b"OK"


@pytest.mark.parametrize("name", ["a word document", "plain text"])
async def test_without_the_setting_no_original_is_offered(sanitize: Sanitize, name: str) -> None:
    assert names(await sanitize(OFFERED[name])) == ["text"]


async def test_every_ending_is_short_and_plain() -> None:
    assert all(ending.isalnum() and len(ending) <= 4 for ending in ORIGINAL_ENDINGS.values())
    assert not {"html", "svg", "xml", "exe", "zip", "rtf", "doc"} & set(ORIGINAL_ENDINGS.values())
