"""Randomly mutated documents and cards: a few by default, more with `AIRLOCK_MUTATIONS`."""

import asyncio

import numpy as np
import pytest

from normalizer.media import MediaFailed, MediaRejected
from normalizer.renditions.plain_text import clean_text
from normalizer.sanitizer import Sanitizer
from simulator.samples import card, document, letter

from .assertions import assert_bare, content
from .conftest import Sanitize
from .mutations import Mutation, Random, blindly
from .office_files import open_document, pptx, xlsx
from .pdf_files import filled_form
from .test_mutations import COUNT

pytestmark = pytest.mark.asyncio(loop_scope="module")

_REASONS = {"corrupt", "protected", "unsupported_type", "too_long"}


def numbers_in_text(random: Random, data: bytes) -> bytes:
    """Change a digit: the lengths, references and sizes of a PDF are written as text."""
    places = [at for at, byte in enumerate(data) if 48 <= byte <= 57]
    changed = bytearray(data)
    changed[places[int(random.integers(len(places)))]] = 48 + int(random.integers(10))
    return bytes(changed)


_ROW = '<row><c r="A1" t="s"><v>0</v></c></row>'

SOURCES: dict[str, tuple[bytes, Mutation]] = {
    "PDF": (document(pages=3).content, numbers_in_text),
    "form": (filled_form(appearance=True), numbers_in_text),
    "DOCX": (letter().content, blindly),
    "XLSX": (xlsx({"S": _ROW}, strings="<si><t>words</t></si>"), blindly),
    "PPTX": (pptx("One", "Two"), blindly),
    "ODT": (open_document("text", "<text:p>words</text:p>"), blindly),
    "vCard": (card().content, blindly),
    "calendar": (b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:x\r\nEND:VEVENT\r\n", blindly),
}


@pytest.mark.parametrize("name", SOURCES)
async def test_no_mutation_makes_a_document_harmful(
    sanitizer: Sanitizer, sanitize: Sanitize, name: str
) -> None:
    source, structured = SOURCES[name]

    async def attempt(number: int) -> None:
        random = np.random.default_rng((number, len(name)))
        changed = source
        for _ in range(int(random.integers(1, 6))):
            changed = (blindly if random.random() < 0.2 else structured)(random, changed) or source
        try:
            clean = await sanitize(changed)
        except MediaRejected as refusal:
            if refusal.reason not in _REASONS:
                raise
            return
        except MediaFailed as failure:
            raise AssertionError(f"{name}, change {number}: {failure}") from failure
        assert_bare(clean)
        for each in clean.renditions:
            if each.name == "text":
                text = content(clean, "text").decode()
                assert clean_text(text) == text
            assert each.name != "document" or b"canary" not in bytes(each.content)

    await asyncio.gather(*(attempt(number) for number in range(COUNT)))
    assert sanitizer.ready
