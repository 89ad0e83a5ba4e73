"""The promises of a store of renditions, kept by files and by a bucket alike."""

import asyncio
import hashlib
import mmap
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.media.storage.filesystem import FileStore
from gateway.media.storage.interface import FileMissing, Store, Stored, StoredFile
from gateway.media.storage.keys import Keys
from gateway.media.storage.objects import ObjectStore
from gateway.media.storage.s3 import S3Bucket
from gateway.settings.media_store import Bucket
from normalizer.media import Rendition

ID = "att_0123456789abcdef_0"
OTHER = "att_0123456789abcdef_1"
PREVIEW = Rendition("preview", "image/jpeg", 4, 3, bytes(range(256)) * 16)
THUMBNAIL = Rendition("thumbnail", "image/jpeg", 1, 1, b"small")


@dataclass
class Shelf:
    store: Store
    names: Any

    async def files(self) -> list[str]:
        """The names of all files in the store, as far as every store has them."""
        return sorted(await self.names())


def files_in(tmp_path: Path) -> Shelf:
    folder = tmp_path / "media"

    async def names() -> list[str]:
        return [path.name.partition(".")[0] for path in folder.rglob("*") if path.is_file()]

    return Shelf(FileStore(folder, lambda: False), names)


def objects_in(tmp_path: Path, bucket: Bucket) -> Shelf:
    opened, keys = S3Bucket(bucket), Keys(bucket.prefix)

    async def names() -> list[str]:
        found = await opened.list(bucket.prefix)
        return [key.rpartition("/")[2].partition("-")[0] for key in found]

    return Shelf(ObjectStore(opened, keys, FileStore(tmp_path / "media", lambda: False)), names)


@pytest.fixture(params=["file", "s3"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    return (
        files_in(tmp_path)
        if request.param == "file"
        else objects_in(tmp_path, request.getfixturevalue("bucket"))
    )


def file_of(stored: Stored, attachment: str = ID) -> StoredFile:
    view = stored.view
    return StoredFile(attachment, stored.name, view["media_type"], stored.token, view["bytes"])


async def put(store: Store, *renditions: Rendition, first: bool = True) -> tuple[Stored, ...]:
    return await store.put(store.begin(ID, is_first=first), renditions)


async def test_a_stored_rendition_is_described_and_read(shelf: Shelf) -> None:
    (stored,) = await put(shelf.store, PREVIEW)

    assert stored.view == {
        "media_type": "image/jpeg",
        "bytes": 4096,
        "sha256": hashlib.sha256(PREVIEW.content).hexdigest(),
        "width": 4,
        "height": 3,
    }
    assert await shelf.store.read(file_of(stored), 0, 4096) == PREVIEW.content
    assert await shelf.store.read(file_of(stored), 10, 20) == PREVIEW.content[10:20]
    age = datetime.now(UTC) - shelf.store.modified(file_of(stored))
    assert abs(age.total_seconds()) < 60


async def test_a_map_of_memory_is_stored_as_its_bytes(shelf: Shelf) -> None:
    with mmap.mmap(-1, 300_000) as content:
        content[:] = b"abc" * 100_000
        (stored,) = await put(shelf.store, Rendition("video", "video/mp4", 2, 2, content))

    assert await shelf.store.read(file_of(stored), 299_998, 300_000) == b"bc"


async def test_a_reader_seeks_and_reads_parts(shelf: Shelf) -> None:
    (stored,) = await put(shelf.store, PREVIEW)

    def parts() -> list[Any]:
        with shelf.store.reader(file_of(stored))() as file:
            file.seek(0, 2)
            size = file.tell()
            file.seek(250)
            return [size, file.read(4), file.tell(), file.read()[-2:], file.read(1)]

    read = await asyncio.to_thread(parts)
    assert read == [4096, b"\xfa\xfb\xfc\xfd", 254, b"\xfe\xff", b""]


async def test_a_missing_file_is_named_missing(shelf: Shelf) -> None:
    (stored,) = await put(shelf.store, PREVIEW)
    await shelf.store.remove(ID)

    with pytest.raises(FileMissing):
        await shelf.store.read(file_of(stored), 0, 1)


async def test_a_second_try_leaves_its_own_files_alone(shelf: Shelf) -> None:
    await put(shelf.store, PREVIEW, THUMBNAIL)
    (second,) = await put(shelf.store, PREVIEW, first=False)

    assert await shelf.files() == ["preview"]
    assert await shelf.store.read(file_of(second), 0, 3) == b"\x00\x01\x02"


async def test_an_end_without_files_clears_those_of_earlier_tries(shelf: Shelf) -> None:
    await put(shelf.store, PREVIEW)
    await shelf.store.clear(shelf.store.begin(ID, is_first=False))

    assert await shelf.files() == []


async def test_a_try_that_was_not_recorded_is_discarded(shelf: Shelf) -> None:
    attempt = shelf.store.begin(ID, is_first=True)
    await shelf.store.put(attempt, [PREVIEW])
    await shelf.store.discard(attempt, is_shown=False)

    assert await shelf.files() == []


async def test_a_loser_leaves_the_files_of_the_winner(shelf: Shelf) -> None:
    loser = shelf.store.begin(ID, is_first=True)
    await shelf.store.put(loser, [PREVIEW])
    winner = await put(shelf.store, PREVIEW, THUMBNAIL, first=False)
    await shelf.store.discard(loser, is_shown=True)

    assert await shelf.files() == ["preview", "thumbnail"]
    assert await shelf.store.read(file_of(winner[0]), 0, 1) == b"\x00"


async def test_removal_reaches_one_attachment_alone(shelf: Shelf) -> None:
    await put(shelf.store, PREVIEW, THUMBNAIL)
    other = shelf.store.begin(OTHER, is_first=True)
    await shelf.store.put(other, [THUMBNAIL])
    await shelf.store.remove(ID)
    await shelf.store.remove(ID)

    assert await shelf.files() == ["thumbnail"]


@pytest.mark.parametrize("name", ["../../journal", "preview/../x", "", "page-1"])
async def test_a_name_that_no_rendition_has_is_refused(shelf: Shelf, name: str) -> None:
    with pytest.raises(LookupError):
        shelf.store.path(StoredFile(ID, name, "image/jpeg", "", 1))


async def test_a_working_store_gives_no_reason(shelf: Shelf) -> None:
    assert await shelf.store.unavailable_reason() is None
