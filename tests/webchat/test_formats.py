"""A file of the web channel that an earlier version made goes on, and one of a later version is left alone."""

import contextlib
import sqlite3
from pathlib import Path

import pytest

from webchat.store.database import connect
from webchat.store.opening import TooNew

from .gateway import FakeGateway
from .running import running

FIRST = Path(__file__).with_name("format_1.sql").read_text("utf-8")


def first_format(folder: Path) -> Path:
    """Make a file of format 1 with a message that the gateway has yet to take."""
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(sqlite3.connect(folder / "webchat.db")) as made:
        made.executescript(FIRST)
    return folder / "webchat.db"


def columns(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with contextlib.closing(sqlite3.connect(path)) as db:
        names = [name for (name,) in db.execute("SELECT name FROM sqlite_master ORDER BY name")]
        return {name: db.execute(f"PRAGMA table_info({name})").fetchall() for name in names}


async def test_a_file_of_the_first_format_goes_on(tmp_path: Path) -> None:
    old = first_format(tmp_path / "old")
    async with FakeGateway() as gateway:
        async with running(tmp_path / "old", gateway) as server:
            waiting = await gateway.of_type("message")
            mia = await server.consumer()
            await mia.write("after the upgrade")
            await server.settled()
        async with running(tmp_path / "new", gateway):
            pass
    assert (waiting["id"], waiting["text"]) == ("m1", "the dented lid")
    assert [event["text"] for event in gateway.events if event["type"] == "message"] == [
        "the dented lid",
        "after the upgrade",
    ]
    assert columns(old) == columns(tmp_path / "new" / "webchat.db")


async def test_a_file_of_a_later_format_is_refused_unchanged(tmp_path: Path) -> None:
    path = first_format(tmp_path)
    with contextlib.closing(connect(path)) as later:
        later.execute("PRAGMA user_version = 99")
    async with FakeGateway() as gateway:
        with pytest.raises(TooNew, match="later version .format 99"):
            async with running(tmp_path, gateway):
                pass
    with contextlib.closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM outbox").fetchone() == (1,)
