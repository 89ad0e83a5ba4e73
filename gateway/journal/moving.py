"""Moving a journal between the data folder and a database, while Airlock is stopped."""

from pathlib import Path

from .opening import require_driver
from .transfer import OnCopied, copy


def move_to_database(folder: Path, url: str, on_copied: OnCopied) -> Path:
    """Copy the journal of a data folder into an empty database, and set its file aside; return the new name.

    Raises JournalUnusable, and changes nothing, if that cannot be done.
    """
    require_driver()
    from .postgresql import transfer as postgresql
    from .sqlite import transfer as sqlite

    with sqlite.reading(folder) as source, postgresql.writing(url) as target:
        copy(source, target, on_copied)
    return sqlite.set_aside(folder)


def move_to_folder(url: str, folder: Path, on_copied: OnCopied) -> None:
    """Copy the journal of a database into a data folder that has none. The database stays as it is."""
    require_driver()
    from .postgresql import transfer as postgresql
    from .sqlite import transfer as sqlite

    with postgresql.reading(url) as source, sqlite.writing(folder) as target:
        copy(source, target, on_copied)
