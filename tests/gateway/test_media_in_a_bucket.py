"""Media in a bucket are served, audited, kept waiting and erased as files are."""

import asyncio
import hashlib
import os
import time
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.media.quarantine import Quarantine
from gateway.media.scratch import scratch_file
from gateway.media.shared_originals import SharedOriginals
from gateway.media.storage.interface import StoreUnavailable
from gateway.media.storage.keys import Keys
from gateway.media.storage.s3 import S3Bucket
from gateway.settings import MediaSettings
from gateway.settings.media_store import Bucket
from tests.bucket import BUCKET, Gate, S3Server
from tests.gateway.test_documents import links, send
from tests.gateway.test_documents import opened as opened_link
from tests.gateway.test_gateway import House, house, linked, photo, with_photo
from tests.gateway.test_media_audit import LONG_AGO, TOMORROW, open_gallery
from tests.gateway.test_quarantine import Host, ends, until
from tests.normalizer.daemon import Daemon
from tests.normalizer.pdf_files import letters


async def keys_in(bucket: S3Bucket, prefix: str) -> list[str]:
    return sorted(key.removeprefix(prefix) for key in await bucket.list(prefix))


async def test_objects_are_served_as_files_are_and_recorded(
    tmp_path: Path, bucket_setting: str
) -> None:
    async with open_gallery(tmp_path, bucket_setting) as gallery:
        size = gallery.size
        async with gallery.home.http.get(gallery.url) as response:
            whole, headers = await response.read(), response.headers
        etag = headers["etag"]
        async with gallery.home.http.get(gallery.url, headers={"range": "bytes=10-19"}) as part:
            assert (part.status, await part.read()) == (206, whole[10:20])
            assert part.headers["content-range"] == f"bytes 10-19/{size}"
        answers = {
            "head": await gallery.get("HEAD", Range="bytes=0-0"),
            "end": await gallery.get(Range="bytes=-5"),
            "beyond": await gallery.get(Range="bytes=999999999-"),
            "several": await gallery.get(Range="bytes=0-0,5-9"),
            "same": await gallery.get(If_None_Match=f'W/"x", {etag}'),
            "unchanged": await gallery.get(If_Modified_Since=TOMORROW),
            "other": await gallery.get(If_Match='"other"'),
            "old": await gallery.get(If_Unmodified_Since=LONG_AGO),
            "if-range": await gallery.get(Range="bytes=0-0", If_Range=etag),
            "outdated": await gallery.get(Range="bytes=0-0", If_Range=LONG_AGO),
            "since": await gallery.get(Range="bytes=0-0", If_Range=TOMORROW),
            "later": await gallery.get(If_Modified_Since=LONG_AGO),
        }
        forged = await gallery.home.http.get(gallery.url.replace("agent=anna", "agent=bert"))
        viewed = gallery.viewed()
    assert forged.status == 403
    assert answers == {
        "head": (200, 0),
        "end": (206, 5),
        "beyond": (416, 0),
        "several": (200, size),
        "same": (304, 0),
        "unchanged": (304, 0),
        "other": (412, 0),
        "old": (412, 0),
        "if-range": (206, 1),
        "outdated": (200, size),
        "since": (206, 1),
        "later": (200, size),
    }
    end = f"bytes {size - 5}-{size - 1}/{size}"
    first = f"bytes 0-0/{size}"
    ranges = [f"bytes 10-19/{size}", end, None, "unchanged", "unchanged", first, None, first, None]
    assert viewed == [None, *ranges]
    assert time.time() - parsedate_to_datetime(headers["last-modified"]).timestamp() < 60
    assert (len(whole), headers["content-type"]) == (size, "image/jpeg")
    assert headers["accept-ranges"] == "bytes"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "private, no-cache"


async def test_a_page_is_cut_out_of_an_object(tmp_path: Path, bucket_setting: str) -> None:
    async with house(tmp_path, stored=bucket_setting) as home:
        attachment = await send(home, letters(2))
        found = await links(home, attachment)
        status, headers, content = await opened_link(found["pages"][1], {"range": "bytes=0-1"})
        assert (status, content) == (206, b"\xff\xd8")
        assert (await opened_link(found["document"], {"range": "bytes=0-4"}))[2] == b"%PDF-"
    assert headers["content-type"] == "image/jpeg"


async def test_a_photo_waits_for_its_store_and_erasure_empties_it(
    tmp_path: Path, bucket: Bucket, opened: S3Bucket, s3_server: S3Server
) -> None:
    gate = Gate(s3_server)
    await gate.open()
    setting = f"s3://{BUCKET}/{bucket.prefix}?endpoint=http://127.0.0.1:{gate.port}"
    async with house(tmp_path, hold_seconds=0.2, stored=setting) as home:
        await gate.close()
        home.files["1"] = photo()
        await home.send(with_photo(home))
        (event,) = await home.core.until(1)
        (attachment,) = event["data"]["message"]["attachments"]
        assert attachment["state"] == "pending"
        status, report = await ready(home, "degraded")
        assert (status, report["checks"]["storage"]["state"]) == (200, "fail")
        assert "cannot be reached; check gateway.media" in report["checks"]["storage"]["detail"]

        await gate.open()
        assert await ends(home, 1) == {"1": ("ready", None)}
        status, report = await ready(home, "ready")
        conversation = event["data"]["conversation"]["id"]
        await home.call("PUT", f"/v1/conversations/{conversation}/agents", {"agents": ["anna"]})
        _, links = await home.call(
            "POST", f"/v1/attachments/{attachment['id']}/links", {"agent": "anna"}
        )
        url = links["links"]["preview"]
        names = await keys_in(opened, bucket.prefix)
        assert [name.rpartition("/")[2].partition("-")[0] for name in names] == [
            "preview",
            "thumbnail",
        ]
        folder = f"att/{attachment['id'].removeprefix('att_')[:2]}/{attachment['id']}/"
        assert all(name.startswith(folder) for name in names)
        _, view = await home.call("GET", f"/v1/attachments/{attachment['id']}")
        assert set(view["renditions"]["preview"]) == {
            "media_type",
            "bytes",
            "sha256",
            "width",
            "height",
        }

        await gate.close()
        async with home.http.get(url) as response:
            assert (response.status, response.headers["retry-after"]) == (503, "5")
        await gate.open()
        async with home.http.get(url) as response:
            assert response.status == 200
        await opened.delete([bucket.prefix + names[0]])
        async with home.http.get(url) as response:
            assert response.status == 404
        assert (await home.call("DELETE", f"/v1/conversations/{conversation}"))[0] in {200, 204}
        await emptied(opened, bucket.prefix)
    await gate.close()
    assert not [path for path in (tmp_path / "media").rglob("*") if path.is_file()]


async def ready(home: House, status: str) -> tuple[int, Any]:
    async with asyncio.timeout(30):
        while True:
            answered, report = await home.call("GET", "/readyz")
            if report["status"] == status:
                return answered, report
            await asyncio.sleep(0.05)


async def emptied(opened: S3Bucket, prefix: str) -> None:
    async with asyncio.timeout(30):
        while await opened.list(prefix):
            await asyncio.sleep(0.05)


async def test_files_stored_before_are_still_served_and_erased(
    tmp_path: Path, bucket_setting: str
) -> None:
    async with house(tmp_path) as home:
        conversation, url = await linked(home)
        path = url.removeprefix(home.gateway.url)
    async with house(tmp_path, stored=bucket_setting) as home:
        async with home.http.get(home.gateway.url + path) as response:
            assert response.status == 200
        await home.call("DELETE", f"/v1/conversations/{conversation}")
        await until(
            lambda: not [path for path in (tmp_path / "media").rglob("*") if path.is_file()]
        )


async def test_another_node_continues_with_the_original_that_waits(
    tmp_path: Path, bucket: Bucket, bucket_setting: str, opened: S3Bucket
) -> None:
    daemon = Daemon(tmp_path / "clamd")
    media = MediaSettings.model_validate({"scanner": daemon.unix})
    content = photo()
    async with Host(one=content).serving() as host:
        async with house(tmp_path, hold_seconds=0.1, media=media, stored=bucket_setting) as home:
            await home.send(host.message("one"))
            async with asyncio.timeout(30):
                while not (names := await keys_in(opened, bucket.prefix)):
                    await asyncio.sleep(0.02)
        assert names[0].startswith("quarantine/")
        key = bucket.prefix + names[0]
        sealed = await opened.read(key, 0, await opened.size(key))
        assert content[100:140] not in sealed
        for file in (tmp_path / "quarantine").iterdir():
            file.unlink()
        await daemon.start()
        try:
            async with house(
                tmp_path, hold_seconds=0.1, media=media, stored=bucket_setting
            ) as home:
                assert await ends(home, 1) == {"one": ("ready", None)}
        finally:
            daemon.stop()
    assert host.asked == {"one": 1}
    names = await keys_in(opened, bucket.prefix)
    assert {name.partition("/")[0] for name in names} == {"att"}


async def test_only_the_own_installation_reads_a_shared_original(
    tmp_path: Path, bucket: Bucket, opened: S3Bucket
) -> None:
    keys = Keys(bucket.prefix)
    ours, theirs = (SharedOriginals(opened, keys, key * 32) for key in (b"a", b"b"))
    content = b"an original" * 1000
    with scratch_file(tmp_path) as original, scratch_file(tmp_path) as copy:
        os.write(original, content)
        await ours.put("att_1", original)
        assert await theirs.fetch("att_1", copy) is None
        assert await ours.fetch("att_2", copy) is None
        assert await ours.fetch("att_1", copy) == hashlib.sha256(content).hexdigest()
        assert os.pread(copy, 20_000, 0) == content
    moved = await opened.read(keys.original("att_1"), 0, 20_000)
    await opened.put(keys.original("att_2"), moved, "application/octet-stream")
    assert await ours.attachments() == ["att_1", "att_2"]
    with scratch_file(tmp_path) as copy:
        assert await ours.fetch("att_2", copy) is None
    folder = tmp_path / "quarantine"
    folder.mkdir()
    quarantine = Quarantine(folder, 1_000_000, lambda: False, ours)
    assert sorted(await quarantine.shared_attachments()) == ["att_1", "att_2"]
    await quarantine.erase("att_1")
    assert await ours.attachments() == ["att_2"]


async def test_a_lost_answer_leaves_no_original_behind(
    tmp_path: Path, bucket: Bucket, opened: S3Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "quarantine"
    folder.mkdir()
    shared = SharedOriginals(opened, Keys(bucket.prefix), b"k" * 32)
    quarantine = Quarantine(folder, 1_000_000, lambda: False, shared)
    put, remove = shared.put, shared.remove

    async def put_unanswered(attachment: str, original: int) -> None:
        await put(attachment, original)
        raise StoreUnavailable("the answer is lost")

    async def refused(attachment: str) -> None:
        raise StoreUnavailable(f"{attachment} cannot be removed now")

    with scratch_file(tmp_path) as original:
        os.write(original, b"an original")
        await quarantine.keep("att_1", original, hashlib.sha256(b"an original").hexdigest())
    monkeypatch.setattr(shared, "put", put_unanswered)
    await quarantine.secure("att_1")
    monkeypatch.setattr(shared, "remove", refused)
    await quarantine.remove("att_1")
    assert await shared.attachments() == ["att_1"]
    monkeypatch.setattr(shared, "remove", remove)
    await quarantine.remove_leftovers()
    assert await shared.attachments() == []
