"""A PDF becomes pictures of its pages, a PDF of these pictures, and its text."""

import io
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from normalizer.media import Clean, MediaRejected
from normalizer.renditions.pdf_file import picture_of_page

from .assertions import assert_bare, assert_bare_jpeg, content, rendition, shown
from .conftest import Sanitize
from .pdf_files import (
    HELVETICA,
    Pdf,
    filled_form,
    form_with,
    letters,
    protected,
    says,
    stream,
    with_image,
)
from .test_office_text import facts

pytestmark = pytest.mark.asyncio(loop_scope="module")


def picture(clean: Clean, number: int) -> Image.Image:
    found = picture_of_page(io.BytesIO(content(clean, "document")), number)
    assert found is not None
    assert_bare_jpeg(found)
    image = Image.open(io.BytesIO(found))
    image.load()
    return image


def ink(image: Image.Image) -> float:
    """Return the share of pixels that are not white."""
    dark = image.convert("L").point(lambda level: 255 if level < 200 else 0)
    return dark.histogram()[255] / (image.width * image.height)


def assert_valid(path: Path) -> None:
    """Assert that qpdf finds no fault in a PDF, where it is installed."""
    if checker := shutil.which("qpdf"):
        subprocess.run([checker, "--check", path], check=True, capture_output=True)


async def test_pages_are_pictures_in_a_pdf_of_ours(sanitize: Sanitize) -> None:
    clean = await sanitize(letters(3))
    assert [each.name for each in clean.renditions] == ["thumbnail", "preview", "document", "text"]
    assert facts(clean) == {"complete": True, "pages": 3, "pages_total": 3, "text_differs": False}
    assert shown(clean, "thumbnail").size == (320, 320)
    assert shown(clean, "preview").size == picture(clean, 1).size == (1240, 1754)
    assert content(clean, "text").decode() == "Page 1\n\nPage 2\n\nPage 3"
    assert ImageChops.difference(picture(clean, 2), picture(clean, 3)).getbbox() is not None
    assert picture_of_page(io.BytesIO(content(clean, "document")), 4) is None
    assert picture_of_page(io.BytesIO(content(clean, "document")), 0) is None
    assert_bare(clean)


async def test_the_pdf_of_ours_holds_pictures_and_nothing_else(
    sanitize: Sanitize, tmp_path: Path
) -> None:
    made = content(await sanitize(letters(2)), "document")
    for name in (b"/Info", b"/JS", b"/AA", b"/URI", b"/EmbeddedFile", b"/ID", b"Date", b"/Annots"):
        assert name not in made
    assert made.count(b"/Subtype/Image") == 2
    path = tmp_path / "made.pdf"
    path.write_bytes(made)
    assert_valid(path)


async def test_the_pdf_of_ours_opens_as_what_it_shows(sanitize: Sanitize) -> None:
    once = await sanitize(letters(2))
    again = await sanitize(content(once, "document"))
    assert facts(again)["pages"] == 2
    assert picture(again, 2).size == picture(once, 2).size
    assert [each.name for each in again.renditions] == ["thumbnail", "preview", "document"]


async def test_the_thumbnail_is_the_top_of_the_page(sanitize: Sanitize) -> None:
    top = await sanitize(Pdf().page(b"0 g 0 600 595 242 re f").content())
    bottom = await sanitize(Pdf().page(b"0 g 0 0 595 200 re f").content())
    assert ink(shown(top, "thumbnail")) > 0.35
    assert ink(shown(bottom, "thumbnail")) == 0


@pytest.mark.parametrize(
    ("box", "more", "size"),
    [
        (b"[0 0 842 595]", b"", (1754, 1240)),
        (b"[0 0 595 842]", b"/Rotate 90", (1754, 1240)),
        (b"[0 0 2384 3370]", b"", (1839, 2600)),
        (b"[0 0 2000 2000]", b"", (2449, 2449)),
        (b"[0 0 1000000 1000000]", b"", (2449, 2449)),
        (b"[0 0 0.001 0.001]", b"", (1, 1)),
        (b"[0 0 1 14400]", b"", (1, 2600)),
        (b"[0 0 595 842]", b"/UserUnit 75000", (1240, 1754)),
        (b"[100 100 -100 -100]", b"", (417, 417)),
        (b"[0 0 0 0]", b"", (1275, 1650)),
    ],
)
async def test_a_page_of_any_size_fits_its_place(
    sanitize: Sanitize, box: bytes, more: bytes, size: tuple[int, int]
) -> None:
    clean = await sanitize(Pdf().page(says("x", 0, 0), box=box, more=more).content())
    assert picture(clean, 1).size == size


@pytest.mark.parametrize("appearance", [True, False])
async def test_filled_form_fields_are_painted(sanitize: Sanitize, appearance: bool) -> None:
    filled = await sanitize(filled_form(appearance=appearance))
    empty = await sanitize(filled_form(appearance=appearance, value=""))
    assert ink(picture(filled, 1)) > 0.0005
    assert ink(picture(empty, 1)) == 0


@pytest.mark.parametrize("appearance", [True, False])
async def test_values_of_fields_are_part_of_the_text(sanitize: Sanitize, appearance: bool) -> None:
    clean = await sanitize(filled_form(appearance=appearance))
    assert content(clean, "text") == b"Ann Example"
    assert facts(clean)["text_differs"] is False


@pytest.mark.parametrize(
    ("entries", "text"),
    [
        (b"/FT/Ch/Ff 131072/Opt[(Ann)(Ben)]/V(Ben)", "Ben"),
        (b"/FT/Tx/V<FEFF05E905DC05D505DD>", "שלום"),
        (b"/FT/Tx/V(" + b"long " * 3000 + b")", ("long " * 1000).strip()),
    ],
    ids=["choice", "Hebrew", "long"],
)
async def test_fields_of_each_kind_are_painted_and_read(
    sanitize: Sanitize, entries: bytes, text: str
) -> None:
    clean = await sanitize(form_with(entries))
    assert content(clean, "text").decode().startswith(text[:4000])
    assert len(content(clean, "text")) <= 10_000
    assert ink(picture(clean, 1)) > 0.0002


@pytest.mark.parametrize(
    "entries",
    [b"/FT/Tx/V(SECRET)/F 2", b"/FT/Tx/V(SECRET)/F 32", b"/FT/Tx/Ff 8192/V(SECRET)"],
    ids=["hidden", "not on screens", "password"],
)
async def test_fields_that_are_not_seen_are_left_out(sanitize: Sanitize, entries: bytes) -> None:
    clean = await sanitize(form_with(entries))
    assert [each.name for each in clean.renditions] == ["thumbnail", "preview", "document"]
    assert facts(clean)["text_differs"] is True


async def test_words_of_a_text_box_are_part_of_the_text(sanitize: Sanitize) -> None:
    box = b"/Subtype/FreeText/Rect[72 600 372 640]/Contents(Seen)/DA(/Helv 18 Tf 0 g)/F 4"
    note = b"/Subtype/Text/Rect[9 9 20 20]/Contents(Not shown)"
    annotations = b"/Annots[<</Type/Annot%s>><</Type/Annot%s>>]" % (box, note)
    assert content(await sanitize(Pdf().page(b"", more=annotations).content()), "text") == b"Seen"


async def test_a_scan_of_one_bit_is_shown(sanitize: Sanitize) -> None:
    entries = {"Width": 800, "Height": 8, "BitsPerComponent": 1, "ColorSpace": "/DeviceGray"}
    clean = await sanitize(with_image(entries, b"\xf0" * 800))
    assert 0.4 < ink(picture(clean, 1)) < 0.6


@pytest.mark.parametrize(
    "hidden",
    [
        says("SECRET", more="3 Tr"),
        says("SECRET", 900, 900),
        says("SECRET", size=0.2),
        b"0.01 0 0 0.01 0 0 cm " + says("SECRET"),
    ],
    ids=["invisible", "off the page", "tiny", "scaled down"],
)
async def test_text_that_is_not_seen_is_announced(sanitize: Sanitize, hidden: bytes) -> None:
    clean = await sanitize(Pdf().page(says("Seen") + b" q " + hidden + b" Q").content())
    assert facts(clean)["text_differs"] is True
    assert "Seen" in content(clean, "text").decode()


async def test_hidden_text_in_a_form_is_announced(sanitize: Sanitize) -> None:
    made = Pdf()
    form = b"/Type/XObject/Subtype/Form/BBox[0 0 595 842]/Resources<<%s>>" % HELVETICA
    inner = made.add(stream(says("SECRET", more="3 Tr"), form))
    made.page(b"/X Do", resources=b"/XObject<</X %d 0 R>>" % inner)
    assert facts(await sanitize(made.content()))["text_differs"] is True


async def test_pages_beyond_the_limit_are_counted_but_not_shown(sanitize: Sanitize) -> None:
    clean = await sanitize(letters(53))
    assert facts(clean) == {
        "complete": False,
        "pages": 50,
        "pages_total": 53,
        "text_differs": False,
    }
    assert b"Page 50" in content(clean, "text")
    assert b"Page 51" not in content(clean, "text")


async def test_a_document_that_may_only_not_be_changed_is_shown(sanitize: Sanitize) -> None:
    clean = await sanitize(protected(user=b"", owner=b"owner"))
    assert content(clean, "text") == b"Secret words"
    assert ink(picture(clean, 1)) > 0.001


async def test_a_document_with_a_password_is_protected(sanitize: Sanitize) -> None:
    with pytest.raises(MediaRejected) as refusal:
        await sanitize(protected(user=b"user", owner=b"owner"))
    assert refusal.value.reason == "protected"


async def test_nothing_of_the_original_survives(sanitize: Sanitize) -> None:
    made = Pdf()
    words = made.add(b"<</Title(CANARY-title)/Author(CANARY-author)>>")
    xmp = made.add(stream(b"<x:xmpmeta>CANARY-xmp</x:xmpmeta>", b"/Type/Metadata/Subtype/XML"))
    file = made.add(stream(b"CANARY-file", b"/Type/EmbeddedFile"))
    names = b"/Names<</EmbeddedFiles<</Names[(CANARY-name)<</EF<</F %d 0 R>>>>]>>>>" % file
    made.catalogue = b"/Metadata %d 0 R%s/OpenAction<</S/JavaScript/JS(CANARY-script)>>" % (
        xmp,
        names,
    )
    made.trailer = b"/Info %d 0 R" % words
    note = made.add(b"<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/A<</S/URI/URI(CANARY-link)>>>>")
    made.page(says("Words"), more=b"/Annots[%d 0 R]/PieceInfo(CANARY-piece)" % note)
    clean = await sanitize(made.content() + b"PK\x03\x04CANARY-trailing")
    for each in clean.renditions:
        assert b"CANARY" not in bytes(each.content)
    assert b"CANARY" not in repr(clean.facts).encode()
    assert rendition(clean, "document").media_type == "application/pdf"
