"""Signed media links: valid for one rendition, one agent and a few minutes."""

import pytest

from gateway.media.signed_links import Links, Ticket

NOW = 1_800_000_000
TICKET = Ticket("att_1", "preview", "anna", NOW + 300)


def links(key: bytes = b"k" * 32) -> Links:
    return Links(key, "https://chat.example.com/")


def query(ticket: Ticket, made_by: Links) -> dict[str, str]:
    address, _, written = made_by.url(ticket).partition("?")
    assert address == f"https://chat.example.com/media/{ticket.attachment}/{ticket.rendition}"
    return dict(part.split("=", 1) for part in written.split("&"))


def test_a_link_is_valid_until_it_expires() -> None:
    given = query(TICKET, links())
    for now in (float(NOW), NOW + 300.0):
        assert links().check("att_1", "preview", given, now) == TICKET
    for now in (NOW + 300.5, NOW + 301.0, NOW * 2.0):
        assert links().check("att_1", "preview", given, now) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"agent": "bert"},
        {"agent": "anna "},
        {"expires": str(NOW + 3000)},
        {"expires": f"{NOW + 300}.0"},
        {"expires": "٣"},
        {"expires": "9" * 40},
        {"expires": ""},
        {"signature": ""},
        {"signature": "0" * 64},
        {"signature": "é\udce9"},
    ],
    ids=str,
)
def test_an_altered_link_is_refused(changed: dict[str, str]) -> None:
    given = {**query(TICKET, links()), **changed}
    assert links().check("att_1", "preview", given, NOW) is None


def test_a_link_opens_only_its_own_rendition() -> None:
    given = query(TICKET, links())
    assert links().check("att_2", "preview", given, NOW) is None
    assert links().check("att_1", "video", given, NOW) is None
    assert links(b"another key of 32 bytes.........").check("att_1", "preview", given, NOW) is None


def test_different_tickets_have_different_signatures() -> None:
    """The core chooses agents' names, which may contain anything."""
    tickets = [
        Ticket("att_1", "preview", "a", NOW),
        Ticket("att_1", "previewa", "", NOW),
        Ticket("att_", "1preview", "a", NOW),
        Ticket("att_1", "preview", "a:1", NOW),
    ]
    assert len({links().url(ticket).rpartition("signature=")[2] for ticket in tickets}) == 4
