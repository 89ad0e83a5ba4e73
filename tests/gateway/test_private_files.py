"""Files in the data folder are readable only by Airlock's user, whatever the umask is."""

import errno
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.journal import exposure, private_folder
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


@pytest.mark.sqlite
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


@pytest.mark.sqlite
async def test_files_of_an_earlier_version_become_private(tmp_path: Path) -> None:
    async with house(tmp_path):
        pass
    for file in tmp_path.glob("*.db*"):
        file.chmod(0o644)

    async with house(tmp_path):
        assert readable_by_others(tmp_path) == []


@pytest.mark.parametrize("mode", [0o755, 0o2770, 0o1777, 0o700])
def test_a_folder_that_was_there_keeps_its_rights(tmp_path: Path, mode: int) -> None:
    tmp_path.chmod(mode)

    private_folder(tmp_path, "journal.db")

    assert stat.S_IMODE(tmp_path.stat().st_mode) == mode


async def test_folders_below_the_data_folder_keep_their_rights(tmp_path: Path) -> None:
    for name in ("media", "quarantine", "scratch"):
        (tmp_path / name).mkdir(mode=0o770)

    async with house(tmp_path):
        modes = {path.stat().st_mode & 0o777 for path in tmp_path.iterdir() if path.is_dir()}

    assert modes == {0o770}


@pytest.mark.sqlite
async def test_a_volume_of_another_user_can_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refuse what the kernel refuses to a user who is only a member of the folder's group."""
    (tmp_path / "journal.db").touch(mode=0o660)
    tmp_path.chmod(0o2770)

    def refuse(*_args: object, **_options: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "chmod", refuse)
    async with house(tmp_path) as home:
        await linked(home)


@pytest.mark.parametrize(
    ("mode", "owner", "others"),
    [
        (0o700, "us", None),
        (0o755, "us", "every user of this machine"),
        (0o701, "us", "every user of this machine"),
        (0o750, "us", "every member of its group"),
        (0o770, "root", None),
        (0o775, "root", "every user of this machine"),
    ],
)
def test_exposure_names_who_else_may_look_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, owner: str, others: str | None
) -> None:
    tmp_path.chmod(mode)
    uid = tmp_path.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: uid if owner == "us" else uid + 1)

    assert exposure(tmp_path) == others


async def test_an_exposed_data_folder_is_logged(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with capture_logs() as logs:
        async with house(tmp_path):
            pass

    (warning,) = [entry for entry in logs if entry["event"] == "data_folder_exposed"]
    assert warning["folder"] == str(tmp_path)
    assert warning["remedy"].startswith("chmod 700 ")


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
