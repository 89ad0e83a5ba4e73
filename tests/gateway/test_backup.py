"""`airlock backup`: a whole copy while the gateway runs, which a new gateway starts from."""

import asyncio
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.cli import main
from gateway.cli.backup import backup
from gateway.settings import GatewaySettings, Settings
from tests.gateway.test_gateway import House, house, photo, with_photo


def settings(data: Path) -> Settings:
    return Settings(gateway=GatewaySettings(data=data))


async def back_up(data: Path, target: Path) -> int:
    return await asyncio.to_thread(backup, settings(data), target)


async def one_photo(home: House, id: str) -> tuple[str, str]:
    """Return the ids of the event and of the attachment."""
    home.files[id] = photo()
    await home.send(with_photo(home, id, text=id))
    event = (await home.core.until(1))[-1]
    return event["id"], event["data"]["message"]["attachments"][0]["id"]


@pytest.mark.sqlite
async def test_a_gateway_starts_from_a_backup_made_under_load(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, copy = tmp_path / "data", tmp_path / "copy"
    data.mkdir()
    async with house(data) as home:
        event, attachment = await one_photo(home, "1")
        ended = asyncio.Event()

        async def writing() -> int:
            number = 0
            while not ended.is_set():
                number += 1
                await home.send({"id": f"n{number}", "from": "ann", "text": f"n{number}"})
            return number

        load = asyncio.create_task(writing())
        assert await back_up(data, copy) == 0
        ended.set()
        assert await load > 0
    assert "complete in" in capsys.readouterr().out
    assert {file.stat().st_mode & 0o777 for file in copy.rglob("*") if file.is_file()} == {0o600}
    shutil.rmtree(data)

    async with house(copy) as restored:
        _, view = await restored.call("GET", f"/v1/attachments/{attachment}")
        assert view["state"] == "ready"
        for name in view["renditions"]:
            (stored,) = (copy / "media").rglob(f"{name}.*")
            assert stored.stat().st_size == view["renditions"][name]["bytes"]
        # The journal goes on: it recognises a duplicate, and an event that is sent once more has its old id.
        await restored.send(with_photo(restored, "1", text="1"))
        await restored.send({"id": "later", "from": "ann", "text": "later"})
        sent: dict[str, str] = {}
        while "later" not in sent.values():
            await asyncio.sleep(0.01)
            sent = {e["id"]: e["data"]["message"]["text"] for e in restored.core.taken}
        assert [id for id, text in sent.items() if text == "1"] in ([], [event])


def example(folder: Path) -> Path:
    data = folder / "data"
    (data / "media" / "ab").mkdir(parents=True)
    (data / "webchat" / "uploads").mkdir(parents=True)
    (data / "webchat" / "key").write_bytes(b"key")
    (data / "webchat" / "uploads" / "1").write_bytes(b"one")
    for name in ("journal.db", "workspace.db", "webchat/webchat.db"):
        with closing(sqlite3.connect(data / name)) as made:
            made.execute("CREATE TABLE t (x)")
            made.execute("INSERT INTO t VALUES (1)")
            made.commit()
    for name in ("kept", "erased", ".written.part"):
        (data / "media" / "ab" / name).write_bytes(name.encode())
    return data


def test_a_second_backup_copies_news_and_forgets_what_was_erased(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, copy = example(tmp_path), tmp_path / "copy"
    assert backup(settings(data), copy) == 0
    inode = (copy / "media/ab/kept").stat().st_ino
    (data / "media/ab/erased").unlink()
    (data / "media/ab/new").write_bytes(b"new")

    assert backup(settings(data), copy) == 0

    assert sorted(p.name for p in (copy / "media/ab").iterdir()) == ["kept", "new"]
    assert (copy / "media/ab/kept").stat().st_ino == inode
    assert "3 files of 10 bytes, 1 of them new" in capsys.readouterr().out
    assert json.loads((copy / "backup.json").read_text())["files"] == 3
    assert sorted(p.name for p in copy.iterdir()) == [
        "backup.json",
        "journal.db",
        "media",
        "webchat",
        "workspace.db",
    ]
    assert sorted(p.name for p in (copy / "webchat").iterdir()) == ["key", "uploads", "webchat.db"]


def test_a_damaged_journal_leaves_the_last_backup(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, copy = example(tmp_path), tmp_path / "copy"
    assert backup(settings(data), copy) == 0
    before = (copy / "journal.db").read_bytes()
    (data / "journal.db").write_bytes(b"no database at all" * 100)

    assert backup(settings(data), copy) == 1

    assert (copy / "journal.db").read_bytes() == before
    assert "the last complete backup is unchanged" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("data/inside", "contain each other"),
        (".", "contain each other"),
        ("other", "has other files"),
        ("file", "is a file, or below one; choose a folder"),
        ("file/below", "is a file, or below one; choose a folder"),
    ],
)
def test_a_folder_that_cannot_take_a_backup_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], target: str, words: str
) -> None:
    data = example(tmp_path)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thing").touch()
    (tmp_path / "file").touch()

    assert backup(settings(data), tmp_path / target) == 1
    assert words in capsys.readouterr().err
    assert (tmp_path / "other" / "thing").exists()


def test_a_journal_in_postgresql_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "connectors.yaml").write_text(
        "gateway: {journal: 'postgresql://airlock@db.example.com/airlock'}\n"
        "core: {url: 'https://core.example.com/in', secrets: [whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4]}\n"
    )
    command = ["backup", str(tmp_path / "copy"), "-c", str(tmp_path / "connectors.yaml")]

    assert main(command) == 1
    assert "pg_dump" in capsys.readouterr().err


def test_a_folder_without_a_journal_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "connectors.yaml").write_text("gateway: {data: empty}\n")
    command = ["backup", str(tmp_path / "copy"), "-c", str(tmp_path / "connectors.yaml")]

    assert main(command) == 1
    assert "has no journal.db; start Airlock with it once" in capsys.readouterr().err
