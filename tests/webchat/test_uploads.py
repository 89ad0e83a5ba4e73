"""Uploads in parts: resumed after any break, refused early, bounded on disk."""

import asyncio
import contextlib
import errno
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from webchat import Limits, Site
from webchat.settings import Allowance

from .gateway import FakeGateway
from .running import GENEROUS, JPEG, Clock, Consumer, Server, new_id, running

PDF = b"%PDF-1.7\n" + b"x" * 5000


def files(server: Server) -> list[Path]:
    return list((server.chat.settings.data / "uploads").iterdir())


async def original(server: Server, upload: str) -> bytes:
    """Fetch an original as the gateway does."""
    found = (await server.platform("GET", f"/uploads/{upload}")).json
    path = found["url"].removeprefix(server.url)
    answer = await server.call("GET", path)
    assert answer.status == 200
    assert hashlib.sha256(answer.body).hexdigest() == found["sha256"]
    assert len(answer.body) == found["bytes"]
    return answer.body


@asynccontextmanager
async def half_a_part(
    server: Server, mia: Consumer, id: str, content: bytes
) -> AsyncIterator[None]:
    """Announce a whole file in one part and send its beginning: the rest is stuck in the network."""
    host, port = server.url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    head = (
        f"PATCH /v1/uploads/{id} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {mia.token}\r\n"
        "Content-Type: application/partial-upload\r\nUpload-Offset: 0\r\nUpload-Complete: ?1\r\n"
        f"Content-Length: {len(JPEG)}\r\n\r\n"
    )
    writer.write(head.encode() + content)
    try:
        yield
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def writing(server: Server) -> None:
    """Wait until a part is being written."""
    while not server.chat.files.is_writing:
        await asyncio.sleep(0.005)


async def test_a_file_in_parts_reaches_the_gateway_whole(server: Server) -> None:
    mia = await server.consumer()
    upload = await mia.upload(JPEG, part=3000, X_Name="My%20bike.jpg")
    answer = await mia.write("my bike", uploads=[upload])
    (attachment,) = answer.json["attachments"]
    assert (attachment["upload"], attachment["state"]) == (upload, "checking")
    event = await server.gateway.of_type("message")
    (sent,) = event["attachments"]
    assert sent["sha256"] == hashlib.sha256(JPEG).hexdigest()
    assert (sent["kind"], sent["media_type"], sent["bytes"]) == ("photo", "image/jpeg", len(JPEG))
    assert sent["name"] == "My bike.jpg"
    assert sent["upload"] != upload
    assert await original(server, sent["upload"]) == JPEG


async def test_a_broken_part_goes_on_at_the_offset_on_disk(server: Server) -> None:
    mia, id = await server.consumer(), new_id()
    await mia.create(len(JPEG), id)

    offset = 0
    async with asyncio.timeout(10):
        while offset == 0:  # asked before the first byte was read, it is sent again
            async with half_a_part(server, mia, id, JPEG[:4000]):
                await writing(server)
                offset = await mia.offset(id)
    assert offset == 4000
    assert (await mia.append(id, offset, JPEG[offset:], last=True)).status == 204
    await mia.write(None, uploads=[id])
    (sent,) = (await server.gateway.of_type("message"))["attachments"]
    assert await original(server, sent["upload"]) == JPEG


async def test_parts_out_of_order_get_the_right_offset(server: Server) -> None:
    mia, id = await server.consumer(), new_id()
    await mia.create(len(JPEG), id)
    await mia.append(id, 0, JPEG[:100], last=False)
    for offset in (0, 50, 101, len(JPEG)):
        answer = await mia.append(id, offset, JPEG[offset : offset + 10], last=False)
        assert (answer.status, answer.code, answer.json["offset"]) == (409, "offset_differs", 100)
        assert answer.headers["Upload-Offset"] == "100"


async def test_a_second_writer_ends_the_first(server: Server) -> None:
    mia, id = await server.consumer(), new_id()
    await mia.create(len(JPEG), id)

    async def hangs() -> AsyncIterator[bytes]:
        yield JPEG[:2000]
        await asyncio.sleep(60)

    first = asyncio.create_task(mia.append(id, 0, hangs(), last=True))
    async with asyncio.timeout(20):
        await writing(server)
        asked = await mia.call("HEAD", f"/uploads/{id}")
        with pytest.raises(aiohttp.ClientError):
            await first
    offset = int(asked.headers["Upload-Offset"])
    assert offset <= 2000
    assert (await mia.append(id, offset, JPEG[offset:], last=True)).status == 204


async def test_many_writers_at_once_leave_one_whole_file(server: Server) -> None:
    mia, id = await server.consumer(), new_id()
    await mia.create(len(JPEG), id)
    for offset in range(0, len(JPEG), 2000):
        part = JPEG[offset : offset + 2000]
        last = offset + 2000 >= len(JPEG)
        writers = [mia.append(id, offset, part, last=last) for _ in range(8)]
        found = await asyncio.gather(*writers, return_exceptions=True)
        statuses = {answer.status for answer in found if not isinstance(answer, BaseException)}
        assert statuses <= {204, 409}
        if await committed(mia, id, offset + len(part)):
            continue
        assert (await mia.append(id, offset, part, last=last)).status == 204
    # All bytes may be there without the word that they are all.
    ended = await mia.append(id, len(JPEG), b"", last=True)
    assert ended.status in {204, 409}
    assert (await mia.write(None, uploads=[id])).status == 201
    (sent,) = (await server.gateway.of_type("message"))["attachments"]
    assert await original(server, sent["upload"]) == JPEG


async def committed(mia: Consumer, id: str, size: int) -> bool:
    asked = await mia.call("HEAD", f"/uploads/{id}")
    return int(asked.headers["Upload-Offset"]) == size


async def test_a_full_disk_asks_to_wait(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    mia, id = await server.consumer(), new_id()
    await mia.create(len(JPEG), id)

    def write(_descriptor: int, _content: object) -> int:
        raise OSError(errno.ENOSPC, "no space")

    with monkeypatch.context() as patched:
        patched.setattr("webchat.files.os.write", write)
        answer = await mia.append(id, 0, JPEG, last=True)
    assert (answer.status, answer.code) == (507, "no_room")
    assert (await mia.append(id, await mia.offset(id), JPEG, last=True)).status == 204


async def test_a_length_that_lies_is_refused(server: Server) -> None:
    mia, id = await server.consumer(), new_id()
    await mia.create(5000, id)
    more = await mia.append(id, 0, JPEG[:5001], last=True)
    assert (more.status, more.code) == (400, "length_differs")

    async def unannounced() -> AsyncIterator[bytes]:
        for at in range(0, 9000, 1000):
            yield JPEG[at : at + 1000]

    chunked = await mia.append(id, 0, unannounced(), last=True)
    assert (chunked.status, chunked.code) == (400, "length_differs")
    assert max(path.stat().st_size for path in files(server)) <= 5000
    less = new_id()
    await mia.call("DELETE", f"/uploads/{id}")
    await mia.create(5000, less)
    early = await mia.append(less, 0, JPEG[:4000], last=True)
    assert (early.status, early.code) == (400, "length_differs")


async def test_sizes_above_the_limits_are_refused(server: Server) -> None:
    mia, id = await server.consumer(), new_id()
    large = await mia.create(25_000_001)
    assert (large.status, large.code) == (413, "too_large")
    assert large.headers["Upload-Limit"] == "max-size=25000000, max-append-size=1000000"
    assert (await mia.create(0)).status == 400
    await mia.create(2_000_000, id)
    part = await mia.append(id, 0, bytes(1_000_001), last=False)
    assert (part.status, part.code) == (413, "part_too_large")


async def test_types_that_the_site_does_not_take_are_refused_early(server: Server) -> None:
    mia = await server.consumer()
    for content in (
        PDF,
        b"MZ" + bytes(70_000),
        b"just some text " * 10,
        b"<svg/>",
        b"BM" + bytes(99),
    ):
        id = new_id()
        await mia.create(len(content), id)
        answer = await mia.append(id, 0, content, last=True)
        assert (answer.status, answer.code) == (415, "unsupported_type"), content[:10]
        assert (await mia.call("HEAD", f"/uploads/{id}")).status == 404
    assert files(server) == []


async def test_a_message_waits_for_its_files_to_be_whole(server: Server) -> None:
    mia, id = await server.consumer(), new_id()
    await mia.create(len(JPEG), id)
    await mia.append(id, 0, JPEG[:500], last=False)
    answer = await mia.write(None, uploads=[id])
    assert (answer.status, answer.code, answer.json["uploads"]) == (409, "upload_incomplete", [id])
    assert await mia.messages() == []
    unknown = await mia.write(None, uploads=[new_id()])
    assert unknown.code == "upload_incomplete"


async def test_an_upload_belongs_to_one_message_and_one_consumer(server: Server) -> None:
    mia, ben = await server.consumer(), await server.consumer()
    upload, first = await mia.upload(), new_id()
    assert (await ben.write(None, uploads=[upload])).code == "upload_incomplete"
    assert (await ben.call("HEAD", f"/uploads/{upload}")).status == 404
    assert (await mia.write(None, first, uploads=[upload])).status == 201
    assert (await mia.write(None, first, uploads=[upload])).status == 200
    assert (await mia.write(None, uploads=[upload])).code == "upload_incomplete"
    assert (await mia.call("DELETE", f"/uploads/{upload}")).status == 409
    twice = await mia.upload()
    assert (await mia.write(None, uploads=[twice, twice])).status == 400


async def test_creating_again_finds_the_same_upload(server: Server) -> None:
    mia, id = await server.consumer(), new_id()
    await mia.create(len(JPEG), id)
    await mia.append(id, 0, JPEG[:100], last=False)
    again = await mia.create(len(JPEG), id)
    assert (again.status, again.headers["Upload-Offset"]) == (201, "100")
    assert (await mia.create(len(JPEG) + 1, id)).code == "other_content"


async def test_a_cancelled_upload_leaves_nothing(server: Server) -> None:
    mia = await server.consumer()
    upload = await mia.upload()
    assert (await mia.call("DELETE", f"/uploads/{upload}")).status == 204
    assert files(server) == []
    assert (await mia.call("DELETE", f"/uploads/{upload}")).status == 404


async def test_malformed_upload_headers_are_refused(server: Server) -> None:
    mia = await server.consumer()
    for name, value in (
        *(("Upload-Length", value) for value in ("", "-1", "1.5", "9" * 30, "０")),
        *(("Idempotency-Key", value) for value in ("", "x", "A" * 32, "../" + "a" * 29)),
    ):
        headers = {"Upload-Length": "10", "Idempotency-Key": new_id(), name: value}
        answer = await mia.call("POST", "/uploads", headers=headers)
        assert (answer.status, answer.code) == (400, "bad_request"), (name, value)
    id = new_id()
    await mia.create(10, id)
    wrong = await mia.call("PATCH", f"/uploads/{id}", headers={"Upload-Offset": "0"}, data=b"x")
    assert (wrong.status, wrong.code) == (415, "unsupported_type")


async def test_names_lose_paths_and_control_characters(server: Server) -> None:
    mia = await server.consumer()
    names = []
    for name in (
        "..%2F..%2Fetc%2Fpasswd",
        "C%3A%5Cphotos%5Ca.jpg",
        "a%0D%0Ab%E2%80%AE.jpg",
        "x" * 999,
    ):
        answer = await mia.write(None, uploads=[await mia.upload(X_Name=name)])
        names.append(answer.json["attachments"][0]["name"])
    assert names == ["passwd", "a.jpg", "ab.jpg", "x" * 200]


async def test_the_eleventh_upload_of_an_hour_waits(
    tmp_path: Path, gateway: FakeGateway, clock: Clock
) -> None:
    async with running(tmp_path, gateway, clock, sites=shop(GENEROUS)) as server:
        mia = await server.consumer()
        for _ in range(10):
            await mia.write(None, uploads=[await mia.upload(b"\xff\xd8\xff" + bytes(99))])
        answer = await mia.create(100)
        assert (answer.status, answer.code) == (429, "too_many")
        assert 3000 < int(answer.headers["Retry-After"]) <= 3600
        clock.forward(3601)
        assert (await mia.create(100)).status == 201


def shop(limits: Limits, **more: object) -> dict[str, Site]:
    return {"shop": Site(limits=limits, **more)}  # type: ignore[arg-type]


async def test_one_upload_at_a_time_until_it_stands_still(server: Server, clock: Clock) -> None:
    mia, first, second = await server.consumer(), new_id(), new_id()
    await mia.create(100, first)
    waiting = await mia.create(100, second)
    assert (waiting.status, waiting.code) == (429, "too_many")
    clock.forward(121)
    assert (await mia.create(100, second)).status == 201
    assert (await mia.call("HEAD", f"/uploads/{first}")).status == 404


async def test_any_number_of_empty_uploads_costs_no_disk(
    tmp_path: Path, gateway: FakeGateway
) -> None:
    many = Allowance(at_once=10_000, an_hour=10_000, bytes_a_day=10**12)
    limits = Limits(anonymous=many, bytes_a_day_for_address=10**12)
    async with running(
        tmp_path, gateway, sites=shop(limits), uploads_max_bytes=100_000_000
    ) as server:
        mia = await server.consumer()
        statuses = [(await mia.create(25_000_000)).status for _ in range(50)]
        assert statuses == [201] * 4 + [507] * 46
        assert (await mia.create(25_000_000)).code == "no_room"
        assert files(server) == []


async def test_the_bytes_of_a_day_are_limited_for_consumer_and_network(
    tmp_path: Path, gateway: FakeGateway
) -> None:
    few = Allowance(at_once=9, an_hour=99, bytes_a_day=1000)
    limits = Limits(anonymous=few, bytes_a_day_for_address=1500)
    async with running(tmp_path, gateway, sites=shop(limits)) as server:
        mia, ben = await server.consumer(), await server.consumer()
        assert (await mia.create(900)).status == 201
        assert (await mia.create(101)).status == 429
        assert (await ben.create(601)).status == 429
        assert (await ben.create(600)).status == 201


@pytest.mark.parametrize(
    ("policy", "before", "after"),
    [("always", 201, 201), ("after_reply", 403, 201), ("never", 403, 403)],
)
async def test_who_may_upload_follows_the_site(
    tmp_path: Path, gateway: FakeGateway, clock: Clock, policy: str, before: int, after: int
) -> None:
    async with running(tmp_path, gateway, clock, sites=shop(GENEROUS, uploads=policy)) as server:
        mia = await server.consumer()
        first = await mia.create(100)
        assert first.status == before
        assert before == 201 or first.code == "uploads_off"
        await server.agent_writes(mia)
        assert (await mia.history())["conversation"]["uploads"] is (after == 201)
        clock.forward(121)
        assert (await mia.create(100)).status == after
