"""`airlock backup`: copies everything that Airlock stores into a folder, while a gateway may be running."""

import sys
from pathlib import Path

from gateway.journal import keep_new_files_private
from gateway.settings import DatabaseUrl, Settings
from gateway.upkeep.backup import CannotBackUp, back_up


def backup(settings: Settings, target: Path) -> int:
    if isinstance(settings.gateway.journal, DatabaseUrl):
        print(
            "airlock backup: gateway.journal is a PostgreSQL database, which has backups of its own (pg_dump, or those "
            "of its operator); copy the media folder after it",
            file=sys.stderr,
        )
        return 1
    keep_new_files_private()
    progress = _Progress()
    try:
        done = back_up(settings.gateway.data, target, progress)
    except CannotBackUp as exc:
        progress.end()
        print(f"airlock backup: {exc}", file=sys.stderr)
        return 1
    progress.end()
    new = done.files - done.kept
    print(
        f"backup: complete in {target}, {done.files} files of {done.bytes} bytes, {new} of them new"
    )
    return 0


class _Progress:
    """Overwrites one line on a terminal; elsewhere, prints each step once."""

    def __init__(self) -> None:
        self._step = ""

    def __call__(self, words: str) -> None:
        step = words.partition(":")[0]
        if sys.stderr.isatty():
            print(f"\r\x1b[K{words}", end="", file=sys.stderr, flush=True)
        elif step != self._step:
            print(step, file=sys.stderr)
        self._step = step

    def end(self) -> None:
        if self._step and sys.stderr.isatty():
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
