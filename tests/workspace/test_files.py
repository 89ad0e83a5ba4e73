"""Sounds, documents and originals on the way from the gateway: links, texts, file names, and the audit log."""

from typing import Any

import pytest

from tests.workspace import samples
from tests.workspace.running import RunningWorkspace
from workspace.store.attachment_view import show_attachment
from workspace.text.file_types import describe_file

DOCUMENT = "attachments/att_document"
LINKS = "/v1/attachments/att_document/links"


@pytest.fixture
async def with_document(running: RunningWorkspace) -> RunningWorkspace:
    gateway = running.gateway
    gateway.add_media(
        "conv_mia", "att_document", thumbnail=b"small", preview=b"1", document=b"%PDF"
    )
    gateway.add_media("conv_mia", "att_document", text="Größe\r\n\u202e12\f7".encode())
    gateway.add_pages("conv_mia", "att_document", b"1", b"2", b"3")
    await deliver(running, samples.document(name="../invoice.exe"))
    return running


async def deliver(running: RunningWorkspace, attachment: dict[str, Any]) -> Any:
    """Deliver an attachment and return it as the page shows it."""
    message = samples.message(transcript="[document]", attachments=[attachment])
    await running.deliver(samples.received("evt_1", message))
    return (await running.open_conversation())["lines"][0]["attachments"][0]


async def fetch(running: RunningWorkspace, path: str) -> tuple[int, bytes]:
    async with running.session.get(running.url(path)) as response:
        return response.status, await response.read()


async def saved_as(running: RunningWorkspace, path: str) -> tuple[str, str]:
    """Return the name and the type under which a browser saves a download."""
    async with running.session.get(running.url(path)) as response:
        assert response.status == 200
        assert response.content_disposition is not None
        assert response.content_disposition.type == "attachment"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        return str(response.content_disposition.filename), response.content_type


async def test_pages_are_reached_by_their_number(with_document: RunningWorkspace) -> None:
    for number in (1, 2, 3):
        assert await fetch(with_document, f"{DOCUMENT}/page-{number}") == (200, b"%d" % number)
    for wrong in ("page-4", "page-0", "page-01", "page--1", "page-", "page-99999", "pages"):
        assert await with_document.status(f"{DOCUMENT}/{wrong}") == 404


@pytest.mark.parametrize("place", ["beside", "inside"])
async def test_list_of_pages_is_read_beside_or_inside_the_links(
    with_document: RunningWorkspace, place: str
) -> None:
    pages = [f"{with_document.gateway.url}/p{number}" for number in (1, 2)]
    links: dict[str, Any] = {}
    answer: dict[str, Any] = {"links": links, "expires_at": "2999-01-01T00:00:00Z"}
    (answer if place == "beside" else links)["pages"] = pages
    with_document.gateway.refuse[LINKS] = 200, answer
    url = with_document.url(f"{DOCUMENT}/page-2")
    async with with_document.session.get(url, allow_redirects=False) as response:
        assert response.headers["Location"] == pages[1]


async def test_page_with_an_unsafe_link_is_refused(with_document: RunningWorkspace) -> None:
    answer = {"links": {}, "pages": ["javascript:alert(1)"], "expires_at": "2999-01-01T00:00:00Z"}
    with_document.gateway.refuse[LINKS] = 200, answer
    assert await with_document.status(f"{DOCUMENT}/page-1") == 502


async def test_text_comes_from_the_workspace_as_plain_text(
    with_document: RunningWorkspace,
) -> None:
    async with with_document.session.get(with_document.url(f"{DOCUMENT}/text")) as response:
        assert (response.status, await response.text()) == (200, "Größe\n12\n\n7")
        assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Content-Disposition"] == "attachment"
        assert response.headers["Cache-Control"] == "no-store"
        assert "connect-src 'self';" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize("charset", ["../preview", "CP1252", "", "a" * 13, "cp1252"])
async def test_text_in_an_unknown_charset_is_not_found(
    with_document: RunningWorkspace, charset: str
) -> None:
    address = with_document.url(f"{DOCUMENT}/text")
    async with with_document.session.get(address, params={"charset": charset}) as response:
        assert response.status == 404


async def test_endless_text_is_cut(with_document: RunningWorkspace) -> None:
    with_document.gateway.add_media("conv_mia", "att_document", text="ä".encode() * 1_500_000)
    status, text = await fetch(with_document, f"{DOCUMENT}/text")
    assert (status, len(text)) == (200, 2_000_000)


@pytest.mark.parametrize(
    ("attachment", "rendition", "name", "media_type"),
    [
        (samples.sound("att_s"), "audio", "audio-att_s.m4a", "audio/mp4"),
        (samples.sound("att_s", name="a.mp3"), "audio", "a.m4a", "audio/mp4"),
        (samples.document("att_s", name="x/y.PDF.exe"), "document", "y.PDF.pdf", "application/pdf"),
        (samples.text_document("att_s", name="prices.csv"), "text", "prices.txt", "text/plain"),
    ],
    ids=["voice", "named sound", "document", "text"],
)
async def test_download_is_named_for_what_it_contains(
    running: RunningWorkspace, attachment: Any, rendition: str, name: str, media_type: str
) -> None:
    running.gateway.add_media("conv_mia", "att_s", **{rendition: b"content"})
    await deliver(running, attachment)
    assert await saved_as(running, "attachments/att_s/download") == (name, media_type)


@pytest.mark.parametrize(
    ("gateway_name", "name"),
    [("file.docx", "plan.docx"), ("file", "plan.bin"), ("x.Ä€", "plan.bin"), ("a.b/c", "plan.bin")],
)
async def test_original_has_the_ending_of_its_bytes(
    running: RunningWorkspace, gateway_name: str, name: str
) -> None:
    running.gateway.saved_as = gateway_name
    running.gateway.add_media("conv_mia", "att_o", original=b"PK")
    original = {"original": samples.saved("application/octet-stream", 2)}
    found = samples.attachment("att_o", "document", "ready", original, name="plan.exe")
    assert (await deliver(running, found))["renditions"] == ["original"]
    path = "attachments/att_o/original"
    assert await saved_as(running, path) == (name, "application/octet-stream")
    (entry,) = (await running.get("api/audit?views=only"))["entries"]
    assert (entry["did"], entry["kind"]) == ("original", "document")


async def test_unassigned_agents_reach_neither_pages_nor_text(
    with_document: RunningWorkspace,
) -> None:
    sam = with_document.new_browser()
    async with sam.session:
        assert (await sam.sign_in("sam")).status == 303
        for path in ("page-1", "text", "document", "original", "audio", "download"):
            assert await sam.status(f"{DOCUMENT}/{path}") == 403


async def test_views_of_a_document_are_in_the_audit_log(with_document: RunningWorkspace) -> None:
    for path in ("page-3", "text", "document"):
        assert (await fetch(with_document, f"{DOCUMENT}/{path}"))[0] == 200
    entries = (await with_document.get("api/audit?views=only"))["entries"]
    assert [entry["did"] for entry in entries] == ["document", "text", "page-3"]


@pytest.mark.parametrize("path", ["text", "download", "page-1", "original"])
async def test_unreachable_gateway_is_answered_with_503(
    with_document: RunningWorkspace, path: str
) -> None:
    await with_document.gateway.server.close()
    assert await with_document.status(f"{DOCUMENT}/{path}") == 503


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (None, None),
        ("odd", None),
        ({}, "unknown type"),
        ({"media_type": None, "bytes": 81_234}, "unknown type · 81 kB"),
        ({"media_type": "application/pdf", "bytes": 2_300_444}, "PDF · 2.3 MB"),
        ({"media_type": "application/zip", "bytes": None}, "ZIP archive"),
        ({"media_type": "image/heic", "bytes": 5}, "HEIC image · 5 bytes"),
        ({"media_type": "audio/x-caf", "bytes": -1}, "CAF audio"),
        ({"media_type": "text/plain; charset=utf-8", "bytes": 12}, "text · 12 bytes"),
        ({"media_type": "application/x-disk-image", "bytes": 12}, "disk image · 12 bytes"),
        ({"media_type": "model/vnd.usdz\u202e", "bytes": 12}, "model/vnd.usdz · 12 bytes"),
        ({"media_type": 7, "bytes": "12"}, "unknown type"),
    ],
)
def test_file_is_described_by_type_and_size(source: object, words: str | None) -> None:
    assert describe_file({"source": source}) == words


@pytest.mark.parametrize(
    "odd",
    [
        {"renditions": []},
        {"renditions": {"audio": None}},
        {"waveform": {"a": 1}},
        {"waveform": [None, float("inf"), True]},
        {"pages": -1, "pages_total": "x"},
        {"pages": True},
        {"duration_seconds": "long"},
        {"duration_seconds": -4},
        {"duration_seconds": float("inf"), "source": {"bytes": float("inf")}},
        {"contacts": {"name": "Ann"}, "location": []},
        {"voice": "yes", "complete": None, "text_differs": 1},
    ],
)
def test_odd_facts_of_an_attachment_do_not_break_the_page(odd: dict[str, Any]) -> None:
    shown = show_attachment({**samples.sound(), **odd}, None, media=True)
    assert shown["line"] == "[audio message]"
    assert all(0 <= bar <= 255 for bar in shown["waveform"])
    assert shown["pages"] is None
