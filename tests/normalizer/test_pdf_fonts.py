"""Text of a PDF that does not contain its fonts is painted with fonts of the machine, if it has any for the script."""

import unicodedata
from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway.cli import check
from normalizer.decoders.document import fonts, script_fonts
from normalizer.decoders.document.script_fonts import SCRIPTS, find_fonts, scripts_in

from .assertions import content
from .conftest import Sanitize
from .pdf_fonts import by_glyphs, coded
from .test_pdf_pages import ink, picture

pytestmark = pytest.mark.asyncio(loop_scope="module")

JAPANESE, CHINESE = "返金をお願いします", "我要求退款"

#: PDFs by the script that they need a font for, with their text.
PAGES: Mapping[str, tuple[str, str, bytes]] = {
    "Shift-JIS": (
        "Japanese",
        JAPANESE,
        coded(JAPANESE, "cp932", "90ms-RKSJ-H", "Japan1", "MS-Gothic"),
    ),
    "Japanese by glyphs": ("Japanese", JAPANESE, by_glyphs(JAPANESE, "MS-Mincho")),
    "GBK": ("Chinese", CHINESE, coded(CHINESE, "gbk", "GBK-EUC-H", "GB1", "SimSun")),
    "Big5": ("Chinese", "退款請求", coded("退款請求", "big5", "ETen-B5-H", "CNS1", "MingLiU")),
    "Hebrew": ("Hebrew", "שלום", by_glyphs("שלום"[::-1], "ArialMT")),
    "Arabic": ("Arabic", "مرحبا", by_glyphs("مرحبا"[::-1], "TraditionalArabic")),
    "Arabic as it is joined": ("Arabic", "ﻣﺮﺣﺒﺎ", by_glyphs("ﻣﺮﺣﺒﺎ"[::-1], "ArialMT")),
    "Thai": ("Thai", "สวัสดี", by_glyphs("สวัสดี", "AngsanaNew")),
    "Devanagari": ("Devanagari", "नमस्ते", by_glyphs("नमस्ते", "Mangal")),
    "Cyrillic": ("Cyrillic", "Возврат", by_glyphs("Возврат", "ArialMT")),
    "Greek": ("Greek", "Επιστροφή", by_glyphs("Επιστροφή", "ArialMT")),
}


@pytest.mark.parametrize("name", PAGES)
async def test_text_without_its_font_is_painted(sanitize: Sanitize, name: str) -> None:
    script, text, made = PAGES[name]
    if script not in find_fonts():
        pytest.skip(f"no font for {script} is installed (scripts/system-packages.sh)")
    clean = await sanitize(made)
    assert ink(picture(clean, 1)) > 0.0001 * len(text)
    # What is painted from right to left is read in the order of speech, and joined forms as their letters.
    assert content(clean, "text").decode() == unicodedata.normalize("NFKC", text)


async def test_letters_differ_from_each_other(sanitize: Sanitize) -> None:
    one = picture(await sanitize(by_glyphs("אבג", "ArialMT")), 1)
    other = picture(await sanitize(by_glyphs("שלם", "ArialMT")), 1)
    assert one.tobytes() != other.tobytes()


async def test_fonts_of_western_names_stay_those_of_the_library() -> None:
    source = fonts.FontSource(find_fonts())
    ansi, japanese = 0, 128
    assert source._map(None, 400, 0, ansi) is None
    with source.filling_in(frozenset({"Hebrew"})):
        assert source._map(None, 400, 0, ansi) is not None
    with source.filling_in(frozenset({"Unknown"})):
        assert source._map(None, 400, 0, ansi) is None
    assert (source._map(None, 400, 0, japanese) is None) == ("Japanese" not in find_fonts())


async def test_without_fonts_the_source_offers_none() -> None:
    source = fonts.FontSource({})
    assert source.is_empty
    assert source._map(None, 400, 0, 128) is None


@pytest.mark.parametrize(
    "content",
    [b"", b"ttcf", b"\0\1\0\0" + b"\xff" * 40, b"OTTO\0\1" + bytes(6) + b"cmap" + b"\xff" * 12],
)
async def test_damaged_font_file_is_passed_over(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "broken.ttf").write_bytes(content)
    assert find_fonts([tmp_path]) == {}


async def test_font_of_a_collection_is_found(tmp_path: Path) -> None:
    plain = find_fonts()["Hebrew"].path.read_bytes()
    header = b"ttcf\0\1\0\0\0\0\0\1" + (16).to_bytes(4, "big")
    count = int.from_bytes(plain[4:6], "big")
    moved = bytearray(plain)
    for at in range(12 + 8, 12 + 16 * count, 16):
        moved[at : at + 4] = (int.from_bytes(plain[at : at + 4], "big") + 16).to_bytes(4, "big")
    (tmp_path / "all.ttc").write_bytes(header + moved)
    found = find_fonts([tmp_path])["Hebrew"]
    source = fonts.FontSource({"Hebrew": found})
    whole = found.path.stat().st_size
    assert source._data(None, 1, fonts._COLLECTION, None, 0) == whole
    assert source._data(None, 1, fonts._FACE, None, 0) == whole - 16


async def test_scripts_of_a_text_are_recognised() -> None:
    assert scripts_in("Total: 5 €, ça va") == frozenset()
    assert scripts_in("Итого: 返金をお") == {"Cyrillic", "Japanese", "Chinese"}


async def test_check_names_scripts_without_a_font(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        check, "find_fonts", lambda: {script: None for script in SCRIPTS if script != "Thai"}
    )
    check._fonts()
    line = capsys.readouterr().out
    assert line.startswith("note: fonts: this machine has none for Thai, so PDFs")
    assert "install fonts-tlwg-loma-ttf, and" in line
    assert set(check._PACKAGES) == set(script_fonts.SCRIPTS)
