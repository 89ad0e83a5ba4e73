"""The record of who viewed what: it holds what was answered, not what was asked for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from gateway.journal import JournalUnavailable
from tests.journal_rows import rows

from .test_gateway import House, house, linked

LONG_AGO = formatdate(0, usegmt=True)
TOMORROW = formatdate(2**31, usegmt=True)


@dataclass
class Gallery:
    home: House
    folder: Path
    url: str
    size: int

    async def get(self, method: str = "GET", **headers: str) -> tuple[int, int]:
        """Return the status and the number of bytes that arrived."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.home.http.request(method, self.url, headers=named) as response:
            return response.status, len(await response.read())

    def viewed(self) -> list[str | None]:
        return [row[0] for row in rows(self.folder, "SELECT bytes FROM viewed ORDER BY key")]


@asynccontextmanager
async def open_gallery(folder: Path, stored: str = "file") -> AsyncIterator[Gallery]:
    async with house(folder, stored=stored) as home:
        _, url = await linked(home)
        async with home.http.head(url) as response:
            size = int(response.headers["content-length"])
        yield Gallery(home, folder, url, size)


@pytest_asyncio.fixture
async def gallery(tmp_path: Path) -> AsyncIterator[Gallery]:
    async with open_gallery(tmp_path) as opened:
        yield opened


async def test_a_whole_file_is_recorded_as_whole(gallery: Gallery) -> None:
    assert await gallery.get() == (200, gallery.size)

    assert gallery.viewed() == [None]


async def test_an_outdated_if_range_is_recorded_as_the_whole_file(gallery: Gallery) -> None:
    answered = await gallery.get(Range="bytes=0-0", If_Range=LONG_AGO)

    assert answered == (200, gallery.size)
    assert gallery.viewed() == [None]


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=10-19", 10, 19),
        ("bytes=100-", 100, -1),
        ("bytes=-5", -5, -1),
        ("bytes=0-999999999", 0, -1),
        ("bytes=-999999999", 0, -1),
    ],
)
async def test_the_range_that_was_sent_is_recorded(
    gallery: Gallery, asked: str, first: int, last: int
) -> None:
    first, last = first % gallery.size, last % gallery.size

    assert await gallery.get(Range=asked, If_Range=TOMORROW) == (206, last - first + 1)

    assert gallery.viewed() == [f"bytes {first}-{last}/{gallery.size}"]


@pytest.mark.parametrize("asked", ["bytes=0-0,5-9", "bytes=9-5", "lines=1-2", "bytes=CANARY"])
async def test_an_ignored_range_is_recorded_as_the_whole_file(gallery: Gallery, asked: str) -> None:
    assert await gallery.get(Range=asked) == (200, gallery.size)

    assert gallery.viewed() == [None]


async def test_a_range_beyond_the_end_shows_and_records_nothing(gallery: Gallery) -> None:
    assert await gallery.get(Range="bytes=999999999-") == (416, 0)

    assert gallery.viewed() == []


async def test_a_stored_copy_is_recorded_as_unchanged(gallery: Gallery) -> None:
    assert await gallery.get(If_Modified_Since=TOMORROW) == (304, 0)

    assert gallery.viewed() == ["unchanged"]


@pytest.mark.parametrize("condition", [{"If_Match": '"other"'}, {"If_Unmodified_Since": LONG_AGO}])
async def test_a_failed_condition_records_nothing(
    gallery: Gallery, condition: dict[str, str]
) -> None:
    assert await gallery.get(**condition) == (412, 0)

    assert gallery.viewed() == []


async def test_head_records_nothing(gallery: Gallery) -> None:
    assert (await gallery.get("HEAD", Range="bytes=0-0"))[1] == 0

    assert gallery.viewed() == []


async def test_a_missing_file_records_nothing(gallery: Gallery) -> None:
    for file in (gallery.folder / "media").rglob("*.*"):
        file.unlink()

    assert (await gallery.get())[0] == 404

    assert gallery.viewed() == []


async def test_what_cannot_be_recorded_is_not_shown(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(**_: Any) -> None:
        raise JournalUnavailable("the disk is full")

    monkeypatch.setattr(gallery.home.gateway._journal, "record_view", fail)

    with pytest.raises(aiohttp.ClientConnectionError):
        await gallery.get()
