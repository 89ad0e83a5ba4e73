"""Plain text in any charset, cleaned of what hides or disguises words."""

import pytest

from normalizer.media import MediaRejected

from .assertions import content
from .conftest import Sanitize
from .test_office_text import facts, text_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

GERMAN = "Schöne Grüße aus Köln, die Waschmaschine läuft über und äußerst laut. " * 4


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (GERMAN.encode(), GERMAN.strip()),
        (b"\xef\xbb\xbfone\r\ntwo\rthree", "one\ntwo\nthree"),
        ("Größe".encode("utf-16"), "Größe"),
        ("Größe".encode("utf-32"), "Größe"),
        (b"a,b\n1,2\n", "a,b\n1,2"),
        (b'{"drum": "loud"}', '{"drum": "loud"}'),
        (b'<?xml version="1.0"?><order id="7"/>', '<?xml version="1.0"?><order id="7"/>'),
        (b"\x1b[31merror\x1b[0m", "[31merror[0m"),
    ],
)
async def test_text_of_a_known_charset_is_shown(
    sanitize: Sanitize, source: bytes, text: str
) -> None:
    clean = await sanitize(source)
    assert text_of(clean) == text
    assert facts(clean) == {"complete": True, "text_differs": False}


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("cp1252", GERMAN),
        ("cp1251", "Стиральная машина шумит и протекает уже две недели. " * 6),
        ("cp932", "洗濯機がとてもうるさいです。返金をお願いします。" * 6),
    ],
)
async def test_text_of_an_unknown_charset_is_guessed_and_says_so(
    sanitize: Sanitize, charset: str, text: str
) -> None:
    clean = await sanitize(text.encode(charset))
    assert text_of(clean) == text.strip()
    assert facts(clean)["charset"] == "guessed"
    assert len(facts(clean)["charsets"]) > 1


async def test_other_charsets_of_a_guessed_text_are_offered(sanitize: Sanitize) -> None:
    text = "退款请求，谢谢"
    clean = await sanitize(text.encode("gb18030"))
    charsets = facts(clean)["charsets"]
    assert "gb18030" in charsets
    assert len(set(charsets)) == len(charsets) > 1
    readings = [content(clean, "text")]
    readings += [content(clean, f"text-{name}") for name in charsets[1:]]
    assert text.encode() in readings
    assert len(set(readings)) == len(readings)


async def test_text_of_a_known_charset_has_no_others(sanitize: Sanitize) -> None:
    clean = await sanitize("Größe".encode())
    assert [each.name for each in clean.renditions] == ["text"]


async def test_charsets_that_cannot_be_meant_are_not_offered(sanitize: Sanitize) -> None:
    # 0x81, half of a full stop, means nothing in these. The first charset is the guess, whatever it is.
    clean = await sanitize(("洗濯機がとてもうるさいです。" * 6).encode("cp932"))
    assert not {"cp1252", "cp1250", "cp874"} & set(facts(clean)["charsets"][1:])


async def test_long_guessed_text_still_says_so(sanitize: Sanitize) -> None:
    clean = await sanitize((GERMAN * 900).encode("cp1252"))
    assert (facts(clean)["complete"], facts(clean)["charset"]) == (False, "guessed")


async def test_calendar_offers_other_charsets(sanitize: Sanitize) -> None:
    entry = f"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:{GERMAN}\r\nEND:VEVENT\r\n"
    clean = await sanitize(entry.encode("cp1252"))
    assert content(clean, "text-cp1251").startswith(b"Summary: ")


@pytest.mark.parametrize(
    "source",
    [
        b"<html><body>no</body></html>",
        b"<!-- x --><!DOCTYPE html><p>no",
        b'\xef\xbb\xbf <script>alert("x")</script>',
        b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
        b"#!/bin/sh\nrm -rf /\n",
        b"<?php system($_GET[0]);",
        b"@echo off\r\ndel *.*\r\n",
        rb"{\rtf1 words}",
        b"binary\x00data",
    ],
)
async def test_pages_drawings_and_scripts_are_not_taken(sanitize: Sanitize, source: bytes) -> None:
    with pytest.raises(MediaRejected) as refusal:
        await sanitize(source)
    assert refusal.value.reason == "unsupported_type"


async def test_a_calendar_shows_its_fields_before_its_text(sanitize: Sanitize) -> None:
    source = (
        b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Repair of the was\r\n hing machine\r\n"
        b"DTSTART;TZID=Europe/Berlin:20261201T090000\r\nLOCATION:Hauptstr. 1\\, Berlin\r\n"
        b"ORGANIZER;CN=Ann Example:mailto:ann@shop.example\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    text = text_of(await sanitize(source))
    assert text.startswith(
        "Summary: Repair of the washing machine\nStart: 20261201T090000 (Europe/Berlin)\n"
        "Place: Hauptstr. 1, Berlin\nOrganiser: Ann Example (ann@shop.example)\n\nBEGIN:VCALENDAR"
    )


async def test_a_long_text_is_cut_between_characters(sanitize: Sanitize) -> None:
    clean = await sanitize("x€".encode() * 80_000)
    text = text_of(clean)
    assert len(text.encode()) in range(199_997, 200_001)
    assert set(text) == {"x", "€"}
    assert facts(clean)["complete"] is False
