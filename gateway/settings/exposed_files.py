"""Files with secrets that more people may read than Airlock's user and group: worth a note in `airlock check`."""

import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from .errors import dotted
from .yaml_document import read


def exposed_files(
    path: Path, environ: Mapping[str, str], env_file: Path | None = None
) -> tuple[str, ...]:
    """Return a note for each file of `${file:…}` in the settings, and for `env_file`, that others may read.

    A file in a folder that others cannot enter is not exposed.
    """
    return tuple(_notes(path, environ, env_file))


def _notes(path: Path, environ: Mapping[str, str], env_file: Path | None) -> Iterator[str]:
    for file, place in read(path, environ).inserted_files.items():
        if _is_exposed(file):
            yield f"{dotted(place)}: {_remedy(file)}"
    if env_file is not None and _is_exposed(env_file):
        yield f"--env-file: {_remedy(env_file)}"


def _remedy(file: Path) -> str:
    return f"everybody on this machine may read {file}; run chmod o-r {file}, unless it is a container's own"


def _is_exposed(file: Path) -> bool:
    file = file.resolve()
    try:
        if not file.stat().st_mode & stat.S_IROTH:
            return False
        return all(folder.stat().st_mode & stat.S_IXOTH for folder in file.parents)
    except OSError:
        return False
