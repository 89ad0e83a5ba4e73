"""How many threads a process has, read without opening anything."""

from pathlib import Path


def threads_of(pid: int) -> int:
    """0 where the process is gone, or /proc does not show it to us."""
    try:
        # A directory of directories: each thread is a link to it, besides the usual two.
        return Path(f"/proc/{pid}/task").stat().st_nlink - 2
    except OSError:
        return 0
