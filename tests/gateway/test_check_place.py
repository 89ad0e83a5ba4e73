"""`airlock check` about this machine: the data folder, its disk, and the address."""

import asyncio
import os
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.cli.check_place import address, data_folder
from gateway.settings import Address
from gateway.upkeep.data_lock import claim


def lines(folder: Path) -> list[tuple[str, str]]:
    return [(found.state, str(found)) for found in data_folder(folder)]


def test_a_folder_that_can_be_written_is_ok(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    (folder, room) = lines(tmp_path)

    assert folder == ("ok", f"data folder: ok, {tmp_path}")
    assert room[1].endswith(" GB free")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_can_be_made_is_ok_and_not_made(tmp_path: Path) -> None:
    (folder, _) = lines(tmp_path / "a" / "b")

    assert folder[0] == "ok"
    assert "does not exist yet" in folder[1]
    assert not (tmp_path / "a").exists()


async def test_a_folder_in_use_says_so(tmp_path: Path) -> None:
    descriptor = await claim(tmp_path, 0)
    try:
        found = await asyncio.to_thread(lines, tmp_path)
    finally:
        os.close(descriptor)
    assert "used by a running Airlock" in found[0][1]
    assert "used by" not in lines(tmp_path)[0][1]


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        ((state, words),) = lines(path)
        assert state == "failed"
        assert "a part of the path is a file; set gateway.data to a folder" in words


@pytest.mark.parametrize(
    ("free", "state", "words"),
    [
        (100_000, "failed", "deliveries are refused below"),
        (1_000_000_000, "note", "files and waiting events need more"),
        (10_000_000_000, "ok", "10.0 GB free"),
    ],
)
def test_free_space_is_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, state: str, words: str
) -> None:
    disk = SimpleNamespace(f_bavail=free, f_frsize=1, f_blocks=100_000_000_000)
    monkeypatch.setattr(os, "statvfs", lambda _: disk)

    found = lines(tmp_path)[-1]
    assert found[0] == state
    assert words in found[1]


async def test_a_free_address_is_ok() -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    assert (await address(Address("127.0.0.1", port))).state == "ok"


@pytest.mark.parametrize(
    ("answer", "state", "words"),
    [
        ("ok\n", "ok", "an Airlock listens on"),
        ("hello", "failed", "another program is using the port"),
    ],
)
async def test_another_program_at_the_address_is_recognised(
    answer: str, state: str, words: str
) -> None:
    async def health(_: web.Request) -> web.Response:
        return web.Response(text=answer)

    app = web.Application()
    app.router.add_get("/healthz", health)
    async with TestServer(app) as server:
        found = await address(Address("127.0.0.1", server.port or 0))
    assert found.state == state
    assert words in found.words
