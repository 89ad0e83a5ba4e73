"""Limits a process to a share of one processor, by the kernel's quota (cpu.cfs_quota_us, or cpu.max of cgroup 2).

So servers on one machine have as much each as they would have on machines of their own, while all else has enough.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_VERSION_1 = Path("/sys/fs/cgroup/cpu")
_VERSION_2 = Path("/sys/fs/cgroup")
# Short, because a process that has used its quota stands still until the period ends.
_PERIOD = 10_000


@contextmanager
def limited(pid: int, share: float) -> Iterator[None]:
    """Give a process at most `share` of one processor. Raises OSError where control groups may not be made."""
    is_first = (_VERSION_1 / "cpu.cfs_period_us").exists()
    group = (_VERSION_1 if is_first else _VERSION_2) / f"airlock-bench-{pid}"
    group.mkdir()
    try:
        quota = int(_PERIOD * share)
        if is_first:
            (group / "cpu.cfs_period_us").write_text(str(_PERIOD))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
        else:
            (group / "cpu.max").write_text(f"{quota} {_PERIOD}")
        (group / "cgroup.procs").write_text(str(pid))
        yield
    finally:
        _remove(group)


def _remove(group: Path) -> None:
    """Move what still runs back to the parent's group, and remove this one."""
    for pid in (group / "cgroup.procs").read_text().split():
        # It may have ended meanwhile.
        with suppress(OSError):
            (group.parent / "cgroup.procs").write_text(pid)
    for _ in range(50):
        try:
            group.rmdir()
            return
        except OSError:
            time.sleep(0.1)
    group.rmdir()
