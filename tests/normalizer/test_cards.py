"""Contact cards of phones and programs, in the one shape that WhatsApp's own cards have."""

import base64
from typing import Any

import pytest

from normalizer.media import MediaRejected

from .conftest import Sanitize

pytestmark = pytest.mark.asyncio(loop_scope="module")


def vcard(*lines: str, version: str = "3.0") -> bytes:
    return "\r\n".join(("BEGIN:VCARD", f"VERSION:{version}", *lines, "END:VCARD", "")).encode()


PHOTO = base64.b64encode(b"CANARY-PHOTO" * 300).decode()
FOLDED = "\r\n ".join(PHOTO[at : at + 74] for at in range(0, len(PHOTO), 74))

CARDS: dict[str, tuple[bytes, dict[str, Any]]] = {
    "iPhone": (
        vcard(
            "PRODID:-//Apple Inc.//iPhone OS 26.0//EN",
            "N:Müller;Ann;Maria;Dr.;",
            "FN:Dr. Ann Maria Müller",
            "ORG:Shop\\, Ltd.;Returns",
            "TITLE:Head of returns",
            "TEL;type=CELL;type=VOICE;type=pref:+49 151 12345678",
            "item1.EMAIL;type=INTERNET;type=pref:ann@shop.example",
            "item1.X-ABLabel:_$!<Work>!$_",
            "item2.ADR;type=HOME:;;Hauptstr. 1;Berlin;;10115;Germany",
            "item2.X-ABADR:de",
            "item3.URL:https://shop.example",
            "item3.X-ABLabel:Shop page",
            "BDAY:1990-02-03",
            f"PHOTO;ENCODING=b;TYPE=JPEG:{FOLDED}",
        ),
        {
            "name": {
                "formatted_name": "Dr. Ann Maria Müller",
                "last_name": "Müller",
                "first_name": "Ann",
                "middle_name": "Maria",
                "prefix": "Dr.",
            },
            "org": {"company": "Shop, Ltd.", "department": "Returns", "title": "Head of returns"},
            "phones": [{"phone": "+49 151 12345678", "type": "CELL"}],
            "emails": [{"email": "ann@shop.example", "type": "WORK"}],
            "addresses": [
                {"street": "Hauptstr. 1", "city": "Berlin", "zip": "10115", "country": "Germany", "type": "HOME"}
            ],
            "urls": [{"url": "https://shop.example", "type": "SHOP PAGE"}],
            "birthday": "1990-02-03",
        },
    ),
    "Android": (
        vcard(
            "N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller=;=41=6E=",
            "=6E;;;",
            "FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=41=6E=6E=20=4D=C3=BC=6C=6C=65=",
            "=72",
            "TEL;CELL;PREF:0151-12345678",
            "TEL;WORK:030 1234",
            version="2.1",
        ),
        {
            "name": {"formatted_name": "Ann Müller", "last_name": "Müller=", "first_name": "Ann"},
            "phones": [{"phone": "0151-12345678", "type": "CELL"}, {"phone": "030 1234", "type": "WORK"}],
        },
    ),
    "WhatsApp": (
        vcard("N:;Ann;;;", "FN:Ann", "item1.TEL;waid=4915112345678:+49 151 12345678", "item1.X-ABLabel:Mobile"),
        {
            "name": {"formatted_name": "Ann", "first_name": "Ann"},
            "phones": [{"phone": "+49 151 12345678", "wa_id": "4915112345678", "type": "MOBILE"}],
        },
    ),
    "version 4": (
        vcard("FN:Ann", 'TEL;VALUE=uri;TYPE="voice,home":tel:+1-555-0100', version="4.0"),
        {"name": {"formatted_name": "Ann"}, "phones": [{"phone": "+1-555-0100", "type": "HOME"}]},
    ),
    "Latin-1": (
        vcard("N;CHARSET=ISO-8859-1:X;Y", version="2.1").replace(b"X;Y", b"M\xfcller;J\xf6rg"),
        {"name": {"formatted_name": "Jörg Müller", "last_name": "Müller", "first_name": "Jörg"}},
    ),
    "company only": (
        vcard("FN:", "ORG:Shop;", "TEL:1"),
        {"name": {"formatted_name": "Shop"}, "org": {"company": "Shop"}, "phones": [{"phone": "1"}]},
    ),
    "disguised": (
        vcard("FN:Ann\u202eexe\u202c\U000e0041", "NOTE:ignored", "X-SECRET:ignored"),
        {"name": {"formatted_name": "Annexe"}},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CARDS)
async def test_a_card_has_the_shape_of_whatsapp(sanitize: Sanitize, name: str) -> None:
    source, expected = CARDS[name]
    clean = await sanitize(source)
    assert (clean.kind, clean.renditions) == ("contact", ())
    assert clean.facts is not None
    assert clean.facts["contacts"] == [expected]
    assert clean.facts["complete"] is True


async def test_cards_and_values_are_bounded(sanitize: Sanitize) -> None:
    one = vcard("FN:Ann", *(f"TEL:{number}" for number in range(30)))
    clean = await sanitize(one * 60)
    assert clean.facts is not None
    assert len(clean.facts["contacts"]) == 50
    assert {len(card["phones"]) for card in clean.facts["contacts"]} == {20}
    assert clean.facts["complete"] is False


async def test_all_cards_of_a_file_stay_below_the_limit(sanitize: Sanitize) -> None:
    one = vcard("FN:Ann", *(f"EMAIL:{'x' * 3000}" for _ in range(20)))
    clean = await sanitize(one * 20)
    assert clean.facts is not None
    assert len(clean.facts["contacts"]) == 4
    assert {len(each["email"]) for each in clean.facts["contacts"][0]["emails"]} == {2000}
    assert clean.facts["complete"] is False


async def test_a_large_photo_in_a_card_is_skipped(sanitize: Sanitize) -> None:
    photo = base64.b64encode(bytes(range(256)) * 14_000).decode()
    folded = "\r\n ".join(photo[at : at + 74] for at in range(0, len(photo), 74))
    clean = await sanitize(vcard("FN:Ann", f"PHOTO;ENCODING=b:{folded}", "TEL:1"))
    assert clean.facts is not None
    assert clean.facts["contacts"] == [
        {"name": {"formatted_name": "Ann"}, "phones": [{"phone": "1"}]}
    ]


@pytest.mark.parametrize(
    "content", [b"BEGIN:VCARD\r\nEND:VCARD\r\n", b"BEGIN:VCARD", b"BEGIN:VCARD\n" * 5000]
)
async def test_a_card_without_content_is_corrupt(sanitize: Sanitize, content: bytes) -> None:
    with pytest.raises(MediaRejected) as refusal:
        await sanitize(content)
    assert refusal.value.reason == "corrupt"


async def test_a_card_that_is_cut_shows_what_is_left(sanitize: Sanitize) -> None:
    clean = await sanitize(vcard("FN:Ann", "TEL:1").partition(b"END:")[0])
    assert clean.facts is not None
    assert clean.facts["complete"] is False
    assert clean.facts["contacts"][0]["phones"] == [{"phone": "1"}]
