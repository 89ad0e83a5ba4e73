"""Files in the data folder are readable only by Airlock's user, whatever the umask is."""

import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.journal import private_folder
from tests.system.running import AIRLOCK

from .test_gateway import house, linked


@pytest.fixture(autouse=True)
def _permissive() -> Iterator[None]:
    """Let everybody read new files, as a careless service manager would."""
    before = os.umask(0)
    yield
    os.umask(before)


def readable_by_others(folder: Path) -> list[str]:
    """Return what is in the folder, and the folder itself, with rights that it must not have."""
    return [
        f"{path.relative_to(folder)} {stat.filemode(path.stat().st_mode)}"
        for path in (folder, *folder.rglob("*"))
        if path.stat().st_mode & 0o777 != (0o700 if path.is_dir() else 0o600)
    ]


async def test_journal_and_media_are_private(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with house(data) as home:
        await linked(home)
        (media,) = (data / "media").rglob("preview.*")

        assert media.is_file()
        assert {"journal.db", "journal.db-wal", "journal.db-shm"} <= {
            path.name for path in data.iterdir()
        }
        assert readable_by_others(data) == []


async def test_files_of_an_earlier_version_become_private(tmp_path: Path) -> None:
    async with house(tmp_path):
        pass
    for file in tmp_path.glob("*.db*"):
        file.chmod(0o644)
    tmp_path.chmod(0o755)

    async with house(tmp_path):
        assert readable_by_others(tmp_path) == []


async def test_other_files_in_the_data_folder_keep_their_rights(tmp_path: Path) -> None:
    other = tmp_path / "connectors.yaml"
    other.touch(mode=0o644)

    async with house(tmp_path):
        assert stat.S_IMODE(other.stat().st_mode) == 0o644


def test_a_nested_data_folder_is_private(tmp_path: Path) -> None:
    folder = private_folder(tmp_path / "a")

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_workspaces_accounts_are_private(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (tmp_path / "connectors.yaml").write_text("gateway:\n  data: data\n")
    subprocess.run(
        [AIRLOCK, "accounts", "add", "ann", "-c", tmp_path / "connectors.yaml"],
        input=b"correct horse battery\n",
        check=True,
    )

    assert (data / "workspace.db").is_file()
    assert readable_by_others(data) == []
