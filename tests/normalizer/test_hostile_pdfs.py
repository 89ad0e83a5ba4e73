"""Hostile PDFs end with their reason, or show what was painted before, within bounds of memory and time."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from bench import sanitize_sandbox as measurements
from normalizer.media import MediaRejected
from normalizer.renditions import pages
from normalizer.renditions.page_images import encode_first
from normalizer.sanitizer import Sanitizer

from . import hostile_pdfs
from .assertions import assert_bare, content
from .conftest import Sanitize
from .media_samples import encoded, natural
from .pdf_files import letters, with_image
from .test_office_text import facts

pytestmark = pytest.mark.asyncio(loop_scope="module")

_MAX_CELL_BYTES = 1200 << 20


@pytest.mark.parametrize("name", hostile_pdfs.SHOWN)
async def test_a_file_that_lies_shows_its_pages(
    sanitizer: Sanitizer, sanitize: Sanitize, name: str
) -> None:
    clean = await sanitize(hostile_pdfs.SHOWN[name]())
    assert 1 <= facts(clean)["pages"] <= 50
    assert_bare(clean)
    assert measurements.most_memory(sanitizer) <= _MAX_CELL_BYTES


@pytest.mark.parametrize("name", hostile_pdfs.REFUSED)
async def test_a_damaged_file_is_refused(sanitize: Sanitize, name: str) -> None:
    make, reason = hostile_pdfs.REFUSED[name]
    with pytest.raises(MediaRejected) as refusal:
        await sanitize(make())
    assert refusal.value.reason == reason, refusal.value.detail


@pytest.mark.parametrize(
    "make", [hostile_pdfs.huge_content, hostile_pdfs.packed_twice, hostile_pdfs.forms_in_forms]
)
async def test_a_page_beyond_the_memory_is_corrupt(
    sanitizer: Sanitizer, sanitize: Sanitize, make: Callable[[], bytes]
) -> None:
    with pytest.raises(MediaRejected) as refusal:
        await sanitize(make())
    assert refusal.value.reason in {"corrupt", "too_long"}
    assert sanitizer.ready
    assert measurements.most_memory(sanitizer) <= _MAX_CELL_BYTES


@pytest.mark.parametrize("page", [3, 8])
async def test_a_death_on_a_page_leaves_those_before(sanitize: Sanitize, page: int) -> None:
    clean = await sanitize(hostile_pdfs.dies_on(page))
    assert facts(clean)["pages"] == page - 1
    assert facts(clean)["pages_total"] == page + 1
    assert facts(clean)["complete"] is False
    assert f"Page {page - 1}".encode() in content(clean, "text")


@pytest.mark.parametrize(
    "source",
    [
        hostile_pdfs.costly(b"0 0 m 595 842 l 10 500 l S\n", 1_000_000),
        hostile_pdfs.costly(
            b"/G gs 0 0 595 842 re f\n", 20_000, b"/ExtGState<</G<</BM/Luminosity/ca .5>>>>"
        ),
        hostile_pdfs.costly(b"0 0 m 595 842 l 9 9 l 500 2 l f*\n", 200_000),
        hostile_pdfs.long_function(),
        hostile_pdfs.shared_value(),
    ],
    ids=["strokes", "blends", "fills", "function", "fields"],
)
async def test_a_page_that_takes_too_long_ends_in_time(
    monkeypatch: pytest.MonkeyPatch, sanitize: Sanitize, source: bytes
) -> None:
    monkeypatch.setattr(pages, "_CPU_SECONDS", 1)
    before = time.monotonic()
    with pytest.raises(MediaRejected) as refusal:
        await sanitize(source)
    assert refusal.value.reason == "too_long"
    assert time.monotonic() - before < 30


async def test_pages_beyond_the_bytes_are_left_out(
    monkeypatch: pytest.MonkeyPatch, sanitize: Sanitize
) -> None:
    size = len(content(await sanitize(letters(4)), "document"))
    monkeypatch.setattr(pages, "_MAX_BYTES", size * 2 // 3)
    clean = await sanitize(letters(20))
    assert facts(clean)["pages"] == 2
    assert facts(clean)["complete"] is False
    assert len(content(clean, "document")) <= size


async def test_photos_do_not_wait_for_documents(sanitize: Sanitize) -> None:
    slow = [asyncio.create_task(sanitize(letters(50))) for _ in range(4)]
    await asyncio.sleep(0.1)
    await sanitize(encoded(natural(640, 480)))
    assert not all(task.done() for task in slow)
    await asyncio.gather(*slow)


async def test_a_picture_in_a_page_is_shown(sanitize: Sanitize) -> None:
    photo = encoded(natural(320, 240))
    entries = {"Width": 320, "Height": 240, "BitsPerComponent": 8, "ColorSpace": "/DeviceRGB"}
    clean = await sanitize(with_image(entries | {"Filter": "/DCTDecode"}, photo, packed=0))
    assert facts(clean)["complete"] is True
    assert len(content(clean, "preview")) > 40_000


async def test_a_slow_first_page_is_not_painted_over(
    monkeypatch: pytest.MonkeyPatch, sanitize: Sanitize
) -> None:
    def slowly(*arguments: Any) -> Any:
        time.sleep(0.5)
        return encode_first(*arguments)

    expected = content(await sanitize(letters(6)), "document")
    monkeypatch.setattr(pages, "encode_first", slowly)
    assert content(await sanitize(letters(6)), "document") == expected
