"""A whole copy of the data folder, made while a gateway uses it.

The journal comes first and the files second, so that the copy has every file that its journal refers to. The
workspace's file comes after the journal: an event that the journal counts as delivered is in it.
"""

import json
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from gateway.journal import FOLDER_MODE, Damaged, copy_database, private_opener, sync_folder
from gateway.observability.system_errors import folder_error

#: Marks a complete backup, and a folder that another backup may replace.
MANIFEST = "backup.json"
_DATABASES = ("journal.db", "workspace.db", "webchat/webchat.db")
_FOLDERS = ("media", "quarantine", "webchat/uploads")
_FILES = ("webchat/key",)

Progress = Callable[[str], None]


class CannotBackUp(Exception):
    """The copy was not made; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Backup:
    """What a finished backup holds."""

    files: int
    bytes: int
    #: Files that an earlier backup in the same folder had already.
    kept: int


def back_up(data: Path, target: Path, report: Progress) -> Backup:
    """Copy everything of `data` that a new start needs into `target`. Raises CannotBackUp.

    `target` is a new or empty folder, or holds an earlier backup, which is brought up to date.
    """
    if not (data / "journal.db").is_file():
        raise CannotBackUp(f"gateway.data: {data} has no journal.db; start Airlock with it once")
    try:
        _prepare(data, target)
        for name in _DATABASES:
            if (data / name).is_file():
                report(f"copying {name}")
                _make_parent(target / name)
                copy_database(data / name, target / name)
        for name in _FILES:
            if (data / name).is_file():
                _copy(data / name, target / name)
        copied = [_copy_folder(data / name, target / name, report) for name in _FOLDERS]
        done = Backup(*(sum(numbers) for numbers in zip(*copied, strict=True)))
        _write_manifest(target, done)
    except Damaged as exc:
        raise CannotBackUp(f"gateway.data: {exc}; the last complete backup is unchanged") from exc
    except OSError as exc:
        where = exc.filename or target
        raise CannotBackUp(
            f"{where}: {folder_error(exc)}; the backup in {target} is not complete"
        ) from exc
    return done


def _prepare(data: Path, target: Path) -> None:
    inside = target.resolve().is_relative_to(data.resolve())
    if inside or data.resolve().is_relative_to(target.resolve()):
        raise CannotBackUp(
            f"{target} and gateway.data contain each other; choose a folder elsewhere"
        )
    if any(part.exists() and not part.is_dir() for part in (target, *target.parents)):
        raise CannotBackUp(f"{target} is a file, or below one; choose a folder")
    target.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    if any(target.iterdir()) and not (target / MANIFEST).exists():
        raise CannotBackUp(
            f"{target} has other files, and no {MANIFEST} of an earlier backup; choose an empty folder"
        )


def _copy_folder(source: Path, target: Path, report: Progress) -> tuple[int, int, int]:
    """Copy the files that are new, and remove those that are gone: erased files must not stay in a backup."""
    if source.is_dir() or target.is_dir():
        target.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    files = size = kept = 0
    present = set()
    for path in _files(source):
        there = target / path
        try:
            is_kept = _is_same(source / path, there)
            if not is_kept:
                _copy(source / path, there)
        except FileNotFoundError:
            continue  # it expired or was erased meanwhile
        present.add(path)
        files, size, kept = files + 1, size + there.stat().st_size, kept + is_kept
        report(f"copying {source.name}: {files} files")
    for path in set(_files(target)) - present:
        (target / path).unlink()
    _remove_empty(target)
    return files, size, kept


def _files(folder: Path) -> Iterator[Path]:
    """Yield the complete files below a folder, relative to it. Those that begin with a dot are being written."""
    if not folder.is_dir():
        return
    for place, _, names in os.walk(folder):
        for name in names:
            if not name.startswith("."):
                yield (Path(place) / name).relative_to(folder)


def _is_same(source: Path, copy: Path) -> bool:
    """Whether an earlier backup has the file. Files are replaced, and never changed in place."""
    found = source.stat()
    try:
        there = copy.stat()
    except FileNotFoundError:
        return False
    return (found.st_size, found.st_mtime_ns) == (there.st_size, there.st_mtime_ns)


def _copy(source: Path, target: Path) -> None:
    _make_parent(target)
    unfinished = target.with_name(f".{target.name}.part")
    with source.open("rb") as original, open(unfinished, "wb", opener=private_opener) as copy:
        shutil.copyfileobj(original, copy, 1 << 20)
        copy.flush()
        os.fsync(copy.fileno())
        found = os.fstat(original.fileno())
    os.utime(unfinished, ns=(found.st_atime_ns, found.st_mtime_ns))
    unfinished.chmod(stat.S_IMODE(found.st_mode) & 0o700)
    unfinished.replace(target)
    sync_folder(target.parent)


def _make_parent(file: Path) -> None:
    file.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)


def _remove_empty(folder: Path) -> None:
    for place, _, _ in os.walk(folder, topdown=False):
        if Path(place) != folder and not any(Path(place).iterdir()):
            Path(place).rmdir()


def _write_manifest(target: Path, done: Backup) -> None:
    content = {
        "version": version("airlock-messaging"),
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "files": done.files,
        "bytes": done.bytes,
    }
    unfinished = target / f".{MANIFEST}.part"
    with open(unfinished, "w", opener=private_opener, encoding="utf-8") as file:
        json.dump(content, file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(target / MANIFEST)
    sync_folder(target)
