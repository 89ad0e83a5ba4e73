"""Acknowledged data survives a power cut, on a simulated disk that loses everything that was not synced."""

import asyncio
import random
from pathlib import Path

import pytest

from gateway.inbound.parse_worker import read
from gateway.journal import Batch, sync_folder
from gateway.journal.records import Accepted
from gateway.journal.sqlite import checkpoints
from gateway.journal.sqlite.journal import SqliteJournal
from gateway.media.storage.filesystem import FileStore
from normalizer.media import Rendition
from tests.gateway.notes import notes
from tests.gateway.test_journal import delivery, note

from .disk import Disk
from .seeds import SEEDS

#: The disk is simulated below SQLite.
pytestmark = pytest.mark.sqlite

CONNECTORS = {"desk": notes()}


async def accept(
    journal: SqliteJournal, name: str, acknowledged: list[str], dice: random.Random
) -> None:
    """Send messages of one sender, some of them large, each after the previous one was acknowledged."""
    for number in range(40):
        text = "x" * dice.choice([1, 50, 9000])
        await journal.append(delivery(note(f"{name}{number}", name, text=text)))
        acknowledged.append(f"{name}{number}")
        await asyncio.sleep(0)


async def work_off(journal: SqliteJournal) -> None:
    """Record and forward accepted deliveries until cancelled."""
    done = -1
    while True:
        rows = await journal.unread(done, 8)
        for row in rows:
            readings = [r for accepted in row.deliveries for r in read(accepted, CONNECTORS)]
            recorded = await journal.record(Batch((row.id,), tuple(readings)))
            await journal.mark_delivered([(e.conversation, e.key) for e in recorded.entries[::2]])
            done = row.id
        await asyncio.sleep(0.001)


async def known(folder: Path) -> tuple[list[str], list[int]]:
    """Return the ids of all messages in a journal in order, recorded or in the intake, and the keys of the recorded."""
    journal = await SqliteJournal.open(folder, hold_seconds=2)
    recorded = await journal._read(
        lambda c: c.execute("SELECT platform_id, key FROM message ORDER BY key").fetchall()
    )
    rows = await journal.unread(-1, 1_000_000)
    sound = await journal._read(lambda c: c.execute("PRAGMA integrity_check").fetchone()[0])
    assert sound == "ok"
    await journal.close()
    waiting: list[Accepted] = [accepted for row in rows for accepted in row.deliveries]
    ids = [r.event.id for accepted in waiting for r in read(accepted, CONNECTORS)]
    return [id for id, _ in recorded] + ids, [key for _, key in recorded]


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_power_cut_at_any_moment_loses_no_acknowledged_delivery(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "_COMMITS", 7)
    dice = random.Random(seed)
    house = tmp_path / "house"
    house.mkdir()
    disk = Disk(house)
    acknowledged: list[str] = []
    cuts: list[tuple[Path, list[str]]] = []

    def perhaps_cut() -> None:
        if dice.random() < 0.2:
            # The order matters: this cut may lose what is acknowledged from here on.
            cuts.append((tmp_path / f"cut{len(cuts)}", list(acknowledged)))
            disk.cut(cuts[-1][0], dice)

    with disk.watching():
        sync_folder(house)
        journal = await SqliteJournal.open(house, hold_seconds=2)
        disk.on_sync = perhaps_cut
        senders = [
            asyncio.create_task(accept(journal, name, acknowledged, dice)) for name in "abcdef"
        ]
        working = asyncio.create_task(work_off(journal))
        while not all(sender.done() for sender in senders):
            perhaps_cut()
            await asyncio.sleep(dice.choice([0, 0.001]))
        await asyncio.gather(*senders)
        working.cancel()
        await asyncio.wait([working])
        await journal.close()
    assert disk.syncs > 50
    assert len(cuts) > 20
    assert len(acknowledged) == 240
    for folder, wanted in cuts:
        found, keys = await known(folder)
        assert len(set(found)) == len(found)
        assert set(wanted) <= set(found)
        for name in "abcdef":
            order = [id for id in found if id.startswith(name)]
            assert order == [f"{name}{number}" for number in range(len(order))]
        sequences: dict[int, list[int]] = {}
        for key in keys:
            sequences.setdefault(key >> 32, []).append(key & 0xFFFFFFFF)
        assert all(s == list(range(1, len(s) + 1)) for s in sequences.values())


@pytest.mark.parametrize("seed", SEEDS)
async def test_stored_renditions_survive_and_removed_ones_do_not_return(
    tmp_path: Path, seed: int
) -> None:
    dice = random.Random(seed)
    house = tmp_path / "house"
    house.mkdir()
    disk = Disk(house)
    content = dice.randbytes(5000)
    pictures = [
        Rendition("thumbnail", "image/jpeg", 1, 1, content[:900]),
        Rendition("preview", "image/jpeg", 1, 1, content),
    ]
    with disk.watching():
        sync_folder(house)
        store = FileStore(house / "media", lambda: False)
        sync_folder(house)
        for number in range(10):
            name = f"att_{dice.randrange(3)}{number}_0"
            await store.put(store.begin(name, is_first=True), pictures)
            disk.cut(tmp_path / f"stored{number}", dice)
            await store.put(store.begin(name, is_first=False), pictures[1:])
            disk.cut(tmp_path / f"again{number}", dice)
            await store.remove(name)
            disk.cut(tmp_path / f"removed{number}", dice)
    for number in range(10):
        (preview,) = (tmp_path / f"stored{number}").rglob("preview.jpg")
        assert preview.read_bytes() == content
        (thumbnail,) = (tmp_path / f"stored{number}").rglob("thumbnail.jpg")
        assert thumbnail.read_bytes() == content[:900]
        (kept,) = _files(tmp_path / f"again{number}")
        assert kept.read_bytes() == content
        assert _files(tmp_path / f"removed{number}") == []


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
