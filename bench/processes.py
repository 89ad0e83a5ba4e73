"""What the system reports about groups of processes: processor time and memory, of a process and all below it."""

import os
from dataclasses import dataclass
from pathlib import Path

_CLOCK = os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """Return a process and all below it."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            fields = _fields(int(folder.name))
            if fields:
                children.setdefault(int(fields[1]), []).append(int(folder.name))
    found, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        found.append(one)
        waiting += children.get(one, [])
    return found


@dataclass(frozen=True)
class Times:
    """Processor seconds so far: of a process, of it with all below it, of this process, and of the whole machine."""

    main: float
    family: float
    own: float
    machine: float

    @classmethod
    def now(cls, pid: int) -> "Times":
        each = {one: _seconds(one) for one in family(pid)}
        counted = [int(text) for text in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
        busy = sum(counted) - counted[3] - counted[4]
        own = _seconds(os.getpid())
        return cls(each.get(pid, 0.0), sum(each.values()), own, busy / _CLOCK)

    def since(self, before: "Times") -> "Times":
        main = self.main - before.main
        return Times(
            main,
            max(self.family - before.family, main),
            self.own - before.own,
            self.machine - before.machine,
        )


def proportional(pid: int) -> int:
    """Return the bytes of a process, of pages that it shares only its part."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next(
        (int(line.split()[1]) * 1024 for line in text.splitlines() if line[:4] == "Pss:"), 0
    )


def _seconds(pid: int) -> float:
    """Return the processor time of a process and of its children that have ended."""
    fields = _fields(pid)
    return sum(int(field) for field in fields[11:15]) / _CLOCK if fields else 0.0


def _fields(pid: int) -> list[str]:
    """Return the fields of /proc/<pid>/stat after the name: state, parent, …; empty if the process has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return []
