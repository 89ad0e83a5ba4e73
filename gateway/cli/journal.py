"""`airlock journal move`: copies the journal from SQLite to PostgreSQL, or back, while Airlock is stopped."""

import asyncio
import os
import sys
from pathlib import Path

from gateway.journal import (
    JournalUnusable,
    keep_new_files_private,
    move_to_database,
    move_to_folder,
    private_folder,
)
from gateway.observability.system_errors import CannotStart, about_data_folder
from gateway.settings import DatabaseUrl, Settings
from gateway.upkeep.data_lock import claim

_NO_DATABASE = (
    "gateway.journal: set it to the database, postgresql://user:password@host/database, "
    "also for the way back"
)


def move(settings: Settings, *, back: bool) -> int:
    place = settings.gateway.journal
    if not isinstance(place, DatabaseUrl):
        print(f"airlock journal: {_NO_DATABASE}", file=sys.stderr)
        return 1
    keep_new_files_private()
    try:
        with about_data_folder(settings.gateway.data):
            folder = private_folder(settings.gateway.data)
            lock = asyncio.run(claim(folder, 0))
        try:
            _move(settings, folder, back=back)
        finally:
            os.close(lock)
    except (JournalUnusable, CannotStart) as exc:
        print(f"airlock journal: {exc}", file=sys.stderr)
        return 1
    return 0


def _move(settings: Settings, folder: Path, *, back: bool) -> None:
    url, place = settings.gateway.journal_url, settings.gateway.journal
    if back:
        move_to_folder(url, folder, _show)
        print(
            f"Copied and compared. {folder / 'journal.db'} is the journal: set gateway.journal to sqlite."
        )
        return
    left = move_to_database(folder, url, _show)
    print(
        f"Copied and compared. The journal is in {place}. The file is kept as {left}: remove it when you like."
    )


def _show(table: str, rows: int) -> None:
    print(f"{table}: {rows} rows", flush=True)
