"""While scanner or disk are unavailable, files wait in quarantine and are not fetched twice."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.media.quarantine import Quarantine
from gateway.media.scratch import scratch_file
from gateway.settings import MediaSettings
from tests.gateway.test_gateway import House, house, photo
from tests.normalizer.daemon import EICAR, SIGNATURE, Daemon
from tests.normalizer.media_samples import make_video as video_sample


def never_full() -> bool:
    return False


class Host:
    """A media host whose URLs work only once."""

    def __init__(self, **files: bytes) -> None:
        self.files = files
        self.asked: Counter[str] = Counter()
        self.url = ""

    async def get(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self.asked[name] += 1
        return (
            web.Response(body=self.files[name])
            if self.asked[name] == 1
            else web.Response(status=403)
        )

    def message(self, name: str, **more: Any) -> dict[str, Any]:
        return {"id": name, "from": "ann", "media": [["photo", f"{self.url}/{name}"]], **more}

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Host"]:
        app = web.Application()
        app.router.add_get("/files/{name}", self.get)
        async with TestServer(app) as server:
            self.url = str(server.make_url("/files"))
            yield self


@pytest.fixture
def daemon(tmp_path: Path) -> Any:
    running = Daemon(tmp_path / "clamd")
    yield running
    running.stop()


def scanned(daemon: Daemon, **more: Any) -> MediaSettings:
    return MediaSettings.model_validate({"scanner": daemon.unix, **more})


def kept(directory: Path) -> list[Path]:
    return list((directory / "quarantine").iterdir())


def readable(directory: Path) -> list[Path]:
    return [path for path in (directory / "media").rglob("*") if path.is_file()]


async def until(condition: Any) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.02)


async def ends(home: House, count: int) -> dict[str, tuple[str, str | None]]:
    """Return the outcome of each message's file, once `count` files have ended."""
    found: dict[str, tuple[str, str | None]] = {}
    async with asyncio.timeout(60):
        while len(found) < count:
            for event in list(home.core.taken):
                message = event["data"]["message"]
                (attachment,) = message["attachments"]
                if attachment["state"] != "pending":
                    found[message["platform_id"]] = (attachment["state"], attachment["reason"])
            await asyncio.sleep(0.02)
    return found


async def test_without_the_scanner_a_photo_waits_and_is_fetched_once(
    tmp_path: Path, daemon: Daemon
) -> None:
    async with (
        Host(one=photo()).serving() as host,
        house(tmp_path, hold_seconds=0.2, media=scanned(daemon)) as home,
    ):
        await home.send(host.message("one"))
        (event,) = await home.core.until(1)
        (attachment,) = event["data"]["message"]["attachments"]
        assert (attachment["state"], attachment["renditions"]) == ("pending", {})
        await until(lambda: kept(tmp_path))
        assert not readable(tmp_path)
        (file,) = kept(tmp_path)
        assert file.read_bytes() == host.files["one"]
        assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
        assert f"airlock_quarantine_bytes {float(len(host.files['one']))}" in await home.metrics()

        _, view = await home.call("GET", f"/v1/attachments/{attachment['id']}")
        while view["progress"]["step"] != "waiting":
            _, view = await home.call("GET", f"/v1/attachments/{attachment['id']}")
        assert view["detail"] == "scanner_unavailable"
        assert view["progress"]["tries"] >= 1
        assert view["progress"]["next_try_at"] > "2026"
        _, report = await home.call("GET", "/readyz")
        assert report["checks"]["scanner"]["state"] == "warn"

        await daemon.start()
        assert await ends(home, 1) == {"one": ("ready", None)}
        assert "progress" not in (await home.call("GET", f"/v1/attachments/{attachment['id']}"))[1]
        assert host.asked == {"one": 1}
        await until(lambda: not kept(tmp_path))


async def test_files_that_no_decoder_reads_do_not_wait_for_the_scanner(
    tmp_path: Path, daemon: Daemon
) -> None:
    async with (
        Host(
            archive=b"Rar!\x1a\x07\x01\x00" + bytes(60), program=b"\x7fELF" + bytes(60)
        ).serving() as host,
        house(tmp_path, hold_seconds=20, media=scanned(daemon)) as home,
    ):
        await home.send(host.message("archive"), host.message("program"))
        refused = ("rejected", "unsupported_type")
        assert await ends(home, 2) == {"archive": refused, "program": refused}
        await until(lambda: not kept(tmp_path))


async def test_a_document_with_malware_is_refused_as_malware(
    tmp_path: Path, daemon: Daemon
) -> None:
    await daemon.start()
    async with (
        Host(pdf=b"%PDF-1.7\n" + EICAR).serving() as host,
        house(tmp_path, hold_seconds=20, media=scanned(daemon)) as home,
    ):
        await home.send(host.message("pdf"))
        assert await ends(home, 1) == {"pdf": ("rejected", "malware")}


def infected_files() -> dict[str, bytes]:
    """Return files with the test virus behind or instead of media, and files without it."""
    return {
        "photo": photo(),
        "behind_photo": photo() + EICAR,
        "video": video_sample(),
        "behind_video": video_sample() + EICAR,
        "archive": b"PK\x03\x04" + bytes(26) + EICAR,
        "alone": EICAR,
        "large": photo(3000, 2000) + bytes(5_000_000) + EICAR,
        "another": photo(300, 200),
    }


async def test_an_unreliable_scanner_loses_no_file_and_passes_no_malware(
    tmp_path: Path, daemon: Daemon
) -> None:
    files = infected_files()
    async with (
        Host(**files).serving() as host,
        house(tmp_path, hold_seconds=0.2, media=scanned(daemon)) as home,
    ):
        for name in files:
            await home.send(host.message(name))
        await home.core.until(len(files))
        assert not readable(tmp_path)
        for _ in range(3):
            await daemon.start()
            await asyncio.sleep(0.3)
            daemon.stop()
            await asyncio.sleep(0.3)
        await daemon.start()
        found = await ends(home, len(files))
        clean = {"photo", "video", "another"}
        assert {name for name, (state, _) in found.items() if state == "ready"} == clean
        # A file that is not media may be refused for that reason first, if the scanner stops during the scan.
        others = {"archive", "alone"}
        assert {found[name][0] for name in others} == {"rejected"}
        assert {found[name][1] for name in others} <= {"malware", "unsupported_type"}
        rest = files.keys() - clean - others
        assert {found[name] for name in rest} == {("rejected", "malware")}
        assert host.asked == dict.fromkeys(files, 1)
        await until(lambda: not kept(tmp_path))
        assert len({path.parent for path in readable(tmp_path)}) == len(clean)
        details = {
            a["reason"]: a["detail"]
            for event in home.core.taken
            for a in event["data"]["message"]["attachments"]
            if a["state"] == "rejected"
        }
        assert SIGNATURE in details["malware"]


async def test_a_restart_uses_the_stored_originals(tmp_path: Path, daemon: Daemon) -> None:
    async with Host(one=photo(), two=photo(300, 200) + EICAR).serving() as host:
        async with house(tmp_path, hold_seconds=0.2, media=scanned(daemon)) as first:
            await first.send(host.message("one"), host.message("two"))
            await until(lambda: len(kept(tmp_path)) == 2)
        await daemon.start()
        async with house(tmp_path, hold_seconds=60, media=scanned(daemon)) as second:
            assert await ends(second, 2) == {"one": ("ready", None), "two": ("rejected", "malware")}
        assert host.asked == {"one": 1, "two": 1}
        await until(lambda: not kept(tmp_path))


async def test_files_without_room_are_fetched_once_the_scanner_is_back(
    tmp_path: Path, daemon: Daemon
) -> None:
    """The quarantine has room for one file of 10 kB and one of the maximum size."""
    limits = {f"{kind}_max_bytes": "100kB" for kind in ("photo", "video", "audio", "document")}
    media = scanned(daemon, **limits, quarantine_max_bytes=110_000)
    files = {name: photo(300, 200) + bytes(10_000) for name in ("one", "two", "three")}
    async with (
        Host(**files).serving() as host,
        house(tmp_path, hold_seconds=0.2, media=media) as home,
    ):
        await home.send(host.message("one"))
        await until(lambda: kept(tmp_path))
        await home.send(host.message("two"), host.message("three"))
        await asyncio.sleep(1.5)
        assert host.asked == {"one": 1}
        await daemon.start()
        assert set((await ends(home, 3)).values()) == {("ready", None)}
        assert host.asked == {"one": 1, "two": 1, "three": 1}


async def test_erasing_a_conversation_removes_its_originals(tmp_path: Path, daemon: Daemon) -> None:
    async with (
        Host(one=photo()).serving() as host,
        house(tmp_path, hold_seconds=0.2, media=scanned(daemon)) as home,
    ):
        await home.send(host.message("one"))
        (event,) = await home.core.until(1)
        await until(lambda: kept(tmp_path))
        path = f"/v1/conversations/{event['data']['conversation']['id']}"
        assert (await home.call("DELETE", path))[0] == 204
        await until(lambda: not kept(tmp_path))
        await daemon.start()
        await asyncio.sleep(1.5)
        assert not readable(tmp_path)


async def test_the_original_is_kept_while_renditions_cannot_be_stored(tmp_path: Path) -> None:
    async with Host(one=photo()).serving() as host, house(tmp_path, hold_seconds=0.2) as home:
        media = tmp_path / "media"
        media.rename(tmp_path / "away")
        media.touch()
        await home.send(host.message("one"))
        (event,) = await home.core.until(1)
        (attachment,) = event["data"]["message"]["attachments"]
        assert attachment["state"] == "pending"
        await until(lambda: kept(tmp_path))
        media.unlink()
        (tmp_path / "away").rename(media)
        assert await ends(home, 1) == {"one": ("ready", None)}
        assert host.asked == {"one": 1}
        await until(lambda: not kept(tmp_path))


async def test_unknown_originals_are_removed_at_the_next_start(tmp_path: Path) -> None:
    folder = tmp_path / "quarantine"
    folder.mkdir()
    for name in (f"att_{'0' * 32}_0.{'0' * 64}", "nobody knows", ".part"):
        (folder / name).write_bytes(b"somebody's photo")
    async with house(tmp_path):
        await until(lambda: not kept(tmp_path))


# the quarantine alone -----------------------------------------------------------------------------

SHA256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"  # of "hello"


def original(directory: Path, *, nameless: bool = True) -> int:
    """Return a descriptor of a file with the text hello; if not `nameless`, it cannot be linked to a name."""
    flags = os.O_TMPFILE if nameless else os.O_CREAT
    path = directory if nameless else directory / "named"
    descriptor = os.open(path, flags | os.O_RDWR, 0o600)
    os.write(descriptor, b"hello")
    if not nameless:
        path.unlink()
    return descriptor


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "q").mkdir()
    return tmp_path / "q"


@pytest.mark.parametrize("nameless", [True, False])
async def test_a_stored_original_survives_a_restart_until_it_is_removed(
    tmp_path: Path, folder: Path, nameless: bool
) -> None:
    source = original(tmp_path, nameless=nameless)
    first = Quarantine(folder, 5, never_full)
    await first.keep("att_1", source, SHA256)
    await first.secure("att_1")
    os.close(source)
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in folder.iterdir())
    second = Quarantine(folder, 5, never_full)
    assert (second.size, second.attachments) == (5, ("att_1",))
    descriptor = await second.open("att_1")
    assert descriptor is not None
    assert os.pread(descriptor, 10, 0) == b"hello"
    os.close(descriptor)
    await second.remove("att_1")
    assert (second.size, await second.open("att_1"), list(folder.iterdir())) == (0, None, [])


async def test_an_original_can_be_removed_twice(tmp_path: Path, folder: Path) -> None:
    quarantine = Quarantine(folder, 9, never_full)
    source = original(tmp_path)
    await quarantine.keep("att_1", source, SHA256)
    os.close(source)
    await asyncio.gather(quarantine.remove("att_1"), quarantine.remove("att_1"))
    assert (quarantine.attachments, list(folder.iterdir())) == ((), [])


async def test_originals_beyond_the_limit_are_not_stored(tmp_path: Path, folder: Path) -> None:
    quarantine = Quarantine(folder, 9, never_full)
    source = original(tmp_path)
    for name in ("att_1", "att_2"):
        await quarantine.keep(name, source, SHA256)
    os.close(source)
    assert (quarantine.attachments, len(list(folder.iterdir()))) == (("att_1",), 1)


async def test_nothing_is_stored_while_the_disk_is_nearly_full(
    tmp_path: Path, folder: Path
) -> None:
    quarantine = Quarantine(folder, 100, lambda: True)
    source = original(tmp_path)
    await quarantine.keep("att_1", source, SHA256)
    os.close(source)
    assert (quarantine.attachments, list(folder.iterdir())) == ((), [])


async def test_an_original_that_cannot_be_removed_is_removed_later(
    tmp_path: Path, folder: Path
) -> None:
    quarantine = Quarantine(folder, 100, never_full)
    stuck = folder / f"att_1.{SHA256}"
    source = original(tmp_path)
    await quarantine.keep("att_1", source, SHA256)
    os.close(source)
    stuck.unlink()
    stuck.mkdir()
    await quarantine.remove("att_1")
    assert "att_1" in quarantine.attachments
    stuck.rmdir()
    await quarantine.remove("att_1")
    assert "att_1" not in quarantine.attachments


@pytest.mark.parametrize("left", [b"", b"hell", b"h\0\0\0\0"])
async def test_an_original_damaged_by_a_power_cut_is_not_used(folder: Path, left: bytes) -> None:
    (folder / f"att_1.{SHA256}").write_bytes(left)
    quarantine = Quarantine(folder, 100, never_full)
    assert await quarantine.open("att_1") is None
    assert (quarantine.attachments, list(folder.iterdir())) == ((), [])


async def test_a_scratch_file_has_no_name_and_creates_its_folder(
    tmp_path: Path,
) -> None:
    with scratch_file(tmp_path / "scratch") as descriptor:
        os.write(descriptor, b"a photo")
        assert list((tmp_path / "scratch").iterdir()) == []
    with pytest.raises(OSError):
        os.fstat(descriptor)
