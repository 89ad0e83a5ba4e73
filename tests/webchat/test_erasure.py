"""Erasure and retention: nothing remains, on disk or in the database."""

import asyncio
import os
from pathlib import Path

from webchat.housekeeping import Housekeeping

from .gateway import FakeGateway
from .running import JPEG, Clock, Consumer, Server, new_id, running
from .test_uploads import half_a_part, writing

DAY = 86_400


def on_disk(server: Server) -> bytes:
    folder = server.chat.settings.data
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def conversation(server: Server) -> Consumer:
    mia = await server.consumer()
    await mia.write("a very private text", uploads=[await mia.upload(JPEG, X_Name="private.jpg")])
    await server.agent_writes(mia, "an answer to something private")
    await server.settled()
    return mia


async def test_a_consumer_who_erases_leaves_nothing(server: Server) -> None:
    mia = await conversation(server)
    open_upload = new_id()
    await mia.create(100, open_upload)
    await mia.append(open_upload, 0, JPEG[:50], last=False)
    answer = await mia.call("DELETE", "/me")
    assert answer.status == 202
    assert (await mia.call("GET", "/history")).status == 401
    event = await server.gateway.of_type("erasure")
    assert event["consumer"]["id"] == mia.id
    await server.settled()
    left = on_disk(server)
    for private in (b"private", mia.id.encode(), JPEG[:50]):
        assert private not in left


async def test_a_part_that_arrives_does_not_survive_erasure(server: Server) -> None:
    mia, id = await server.consumer(), new_id()
    await mia.create(len(JPEG), id)
    async with half_a_part(server, mia, id, JPEG[:4000]), asyncio.timeout(10):
        await writing(server)
        assert (await mia.call("DELETE", "/me")).status == 202
        assert not server.chat.files.is_writing
        assert await server.chat.files.names() == []


async def test_erasure_at_the_gateway_ends_sessions_and_streams(server: Server) -> None:
    mia = await conversation(server)
    for _ in range(2):
        assert (await server.platform("DELETE", f"/consumers/{mia.id}")).status == 204
    assert (await mia.call("GET", "/changes")).status == 401
    assert "erasure" not in [event["type"] for event in server.gateway.events]
    # What the gateway still says about the consumer is not a mistake.
    outcome = {"to": mia.id, "message_id": new_id(), "position": 0, "state": "ready"}
    assert (await server.platform("POST", "/outcomes", outcome)).status == 204
    assert (await server.platform("POST", "/closed", {"to": mia.id})).status == 204


async def round_of(server: Server) -> None:
    chat = server.chat
    retention = round(chat.settings.retention * 1000)
    await Housekeeping(chat.database, chat.files, retention, chat.clock).round()


async def test_conversations_expire_after_their_last_message(server: Server, clock: Clock) -> None:
    mia, ben = await conversation(server), await conversation(server)
    clock.forward(20 * DAY)
    await ben.write("still here")
    await server.settled()
    clock.forward(15 * DAY)
    await round_of(server)
    assert (await mia.call("GET", "/history")).status == 401
    assert len(await ben.messages()) == 3


async def test_uploads_expire_by_their_state(server: Server, clock: Clock) -> None:
    async def left() -> int:
        await round_of(server)
        return len(await server.chat.files.names())

    mia, ben, cleo = [await server.consumer() for _ in range(3)]
    await mia.create(len(JPEG), id := new_id())
    await mia.append(id, 0, JPEG[:100], last=False)
    await ben.upload()
    await cleo.write(None, uploads=[await cleo.upload()])
    await server.settled()
    assert await left() == 3
    clock.forward(16 * 60)
    assert await left() == 2  # nobody claimed Ben's
    clock.forward(50 * 60)
    assert await left() == 1  # Mia's stands still
    clock.forward(DAY)
    assert await left() == 0


async def test_files_without_a_row_are_deleted_once_they_are_old(server: Server) -> None:
    folder = server.chat.settings.data / "uploads"
    for name, age in (("upl_old", 7200), ("upl_new", 0)):
        (folder / name).write_bytes(b"x")
        now = (folder / name).stat().st_mtime
        os.utime(folder / name, (now - age, now - age))
    await round_of(server)
    assert await server.chat.files.names() == ["upl_new"]


def test_only_our_user_may_read_what_is_stored(server: Server) -> None:
    data: Path = server.chat.settings.data
    for path in (data, *data.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_damaged_key_is_named(tmp_path: Path, gateway: FakeGateway) -> None:
    import pytest

    from webchat import create_app

    from .running import settings

    (tmp_path / "key").write_bytes(b"short")
    with pytest.raises(ValueError, match="key is damaged"):
        create_app(settings(tmp_path, gateway))


async def test_an_original_waits_while_the_gateway_is_away(
    tmp_path: Path, gateway: FakeGateway, clock: Clock
) -> None:
    await gateway.stop()
    async with running(tmp_path, gateway, clock) as server:
        mia = await server.consumer()
        await mia.write(None, uploads=[await mia.upload()])
        clock.forward(3 * DAY)
        await round_of(server)
        assert len(await server.chat.files.names()) == 1
        await gateway.start()
        clock.forward(600)
    async with running(tmp_path, gateway, clock) as server:
        await gateway.of_type("message")
        await server.settled()
        await round_of(server)
        assert len(await server.chat.files.names()) == 1
        clock.forward(DAY + 60)
        await round_of(server)
        assert await server.chat.files.names() == []
        mia.server = server
        (file,) = (await mia.messages())[0]["attachments"]
        assert (file["state"], file["reason"]) == ("failed", "expired")
