"""A PDF from its delivery to an agent's browser: event, links, pages as slices, files to save, and what is counted."""

import asyncio
import io
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from PIL import Image

from gateway.events.schemas import validate
from gateway.media import retry_policy
from gateway.settings import MediaSettings
from tests.gateway.test_gateway import House, house
from tests.journal_rows import rows
from tests.normalizer.hostile_pdfs import dies_on
from tests.normalizer.pdf_files import letters, protected


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path, hold_seconds=30) as built:
        yield built


async def send(home: House, content: bytes | None) -> dict[str, Any]:
    """Send a document, and return its attachment from the event of its message."""
    home.files["1"] = content
    await home.send({"id": "1", "from": "ann", "media": [["document", f"{home.media_url}/1"]]})
    (event,) = await home.core.until(1)
    validate(event)
    (attachment,) = event["data"]["message"]["attachments"]
    conversation = event["data"]["conversation"]["id"]
    await home.call("PUT", f"/v1/conversations/{conversation}/agents", {"agents": ["anna"]})
    return dict(attachment)


async def links(home: House, attachment: Mapping[str, Any]) -> dict[str, Any]:
    path = f"/v1/attachments/{attachment['id']}/links"
    status, answer = await home.call("POST", path, {"agent": "anna"})
    assert status == 200
    return dict(answer["links"])


async def opened(
    url: str, headers: Mapping[str, str] | None = None
) -> tuple[int, Mapping[str, str], bytes]:
    async with aiohttp.ClientSession() as browser, browser.get(url, headers=headers or {}) as got:
        return got.status, got.headers, await got.read()


async def test_a_pdf_is_ready_with_pages_and_text(home: House) -> None:
    attachment = await send(home, letters(3))
    assert (attachment["kind"], attachment["state"]) == ("document", "ready")
    assert set(attachment["renditions"]) == {"thumbnail", "preview", "document", "text"}
    facts = {key: attachment[key] for key in ("pages", "pages_total", "complete", "text_differs")}
    assert facts == {"pages": 3, "pages_total": 3, "complete": True, "text_differs": False}
    assert attachment["source"]["media_type"] == "application/pdf"
    assert "width" not in attachment["renditions"]["document"]


async def test_each_page_is_a_picture_of_its_own(home: House) -> None:
    found = await links(home, await send(home, letters(3)))
    assert set(found) == {"thumbnail", "preview", "document", "text", "pages"}
    assert len(found["pages"]) == 3
    shown = set()
    for url in found["pages"]:
        status, headers, body = await opened(url)
        assert (status, headers["content-type"]) == (200, "image/jpeg")
        assert headers["content-disposition"].startswith("inline; ")
        assert headers["x-content-type-options"] == "nosniff"
        assert Image.open(io.BytesIO(body)).size == (1240, 1754)
        shown.add(body)
    assert len(shown) == 3


async def test_a_page_answers_ranges_and_conditions(home: House) -> None:
    found = await links(home, await send(home, letters(2)))
    url = found["pages"][1]
    _, headers, body = await opened(url)
    etag = headers["etag"]
    assert (await opened(url, {"if-none-match": etag}))[0] == 304
    status, headers, part = await opened(url, {"range": "bytes=10-19"})
    assert (status, part) == (206, body[10:20])
    assert headers["content-range"] == f"bytes 10-19/{len(body)}"
    assert (await opened(url, {"range": "bytes=-5"}))[2] == body[-5:]
    assert (await opened(url, {"range": f"bytes={len(body)}-"}))[0] == 416
    assert (await opened(url, {"range": "bytes=0-9", "if-range": '"x"'}))[0] == 200


@pytest.mark.parametrize("page", ["page-2", "page-0", "page-01", "page-x", "page-", "document"])
async def test_a_link_opens_one_page_only(home: House, page: str) -> None:
    found = await links(home, await send(home, letters(2)))
    assert (await opened(found["pages"][0].replace("page-1", page)))[0] == 403


@pytest.mark.parametrize(("name", "suffix"), [("document", "pdf"), ("text", "txt")])
async def test_documents_and_texts_are_always_saved(home: House, name: str, suffix: str) -> None:
    found = await links(home, await send(home, letters(1)))
    status, headers, _ = await opened(found[name])
    assert status == 200
    assert headers["content-disposition"].startswith("attachment; ")
    assert headers["content-disposition"].endswith(f'-{name}.{suffix}"')


async def test_views_of_pages_are_noted(home: House, tmp_path: Path) -> None:
    found = await links(home, await send(home, letters(2)))
    await opened(found["pages"][1])
    assert rows(tmp_path, "SELECT agent, rendition FROM viewed") == [("anna", "page-2")]


async def test_a_reassigned_agent_no_longer_sees_pages(home: House) -> None:
    found = await links(home, await send(home, letters(1)))
    conversation = home.core.taken[-1]["data"]["conversation"]["id"]
    await home.call("PUT", f"/v1/conversations/{conversation}/agents", {"agents": ["ben"]})
    assert (await opened(found["pages"][0]))[0] == 403


async def test_a_protected_document_says_so(home: House) -> None:
    attachment = await send(home, protected(user=b"user", owner=b"owner"))
    assert (attachment["state"], attachment["reason"]) == ("rejected", "protected")


async def test_pages_and_incomplete_documents_are_counted(tmp_path: Path) -> None:
    media = MediaSettings(document_max_pages=2)
    async with house(tmp_path, hold_seconds=30, media=media) as home:
        before = await home.metrics()
        attachment = await send(home, letters(5))
        assert (attachment["pages"], attachment["pages_total"]) == (2, 5)
        pages = 'airlock_document_pages_total{connector="desk"}'
        incomplete = 'airlock_incomplete_attachments_total{kind="document"}'
        await until_counted(home, pages, counted(before, pages) + 2)
        await until_counted(home, incomplete, counted(before, incomplete) + 1)


@pytest.mark.parametrize(
    ("content", "labels"),
    [
        (letters(1), 'kind="document",reason="",state="ready"'),
        (b"PK\x03\x04" + bytes(40), 'kind="document",reason="unsupported_type",state="rejected"'),
        (None, 'kind="document",reason="gone",state="failed"'),
    ],
    ids=["ready", "rejected", "failed"],
)
async def test_outcomes_are_counted_by_kind(
    home: House, monkeypatch: pytest.MonkeyPatch, content: bytes | None, labels: str
) -> None:
    monkeypatch.setitem(retry_policy._FEW, "gone", ())
    name = f'airlock_attachments_total{{connector="desk",{labels}}}'
    before = counted(await home.metrics(), name)
    await send(home, content)
    await until_counted(home, name, before + 1)


async def until_counted(home: House, name: str, value: float) -> None:
    """Wait for a counter: an event goes out just before its attachment is counted."""
    async with asyncio.timeout(20):
        while counted(await home.metrics(), name) != value:
            await asyncio.sleep(0.01)


def counted(metrics: str, name: str) -> float:
    lines = (line.rsplit(" ", 1) for line in metrics.splitlines())
    return sum(float(value) for found, value in lines if found == name)


async def test_a_death_after_some_pages_keeps_them(home: House) -> None:
    attachment = await send(home, dies_on(3))
    assert (attachment["state"], attachment["complete"]) == ("ready", False)
    assert (attachment["pages"], attachment["pages_total"]) == (2, 4)
    assert len((await links(home, attachment))["pages"]) == 2
