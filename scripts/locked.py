"""The packages of a lock file: names, versions, hashes, and which package needs which."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

_PINNED = re.compile(r"(?P<name>[A-Za-z0-9_.-]+)==(?P<version>\S+)(?: ; (?P<marker>[^\\]+))?")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_VIA = re.compile(
    r"# +(?:via )?(?P<name>[A-Za-z0-9][\w.-]*)(?: \(pyproject.toml(?P<group>:\w+)?\))?$"
)


@dataclass(slots=True)
class Package:
    """A pinned package. `marker` says on which platforms it is installed; empty for all."""

    name: str
    version: str
    marker: str
    hashes: list[str] = field(default_factory=list)
    #: Names of the packages that need this one; ours for its groups of tools ends in `:` and the group.
    needed_by: list[str] = field(default_factory=list)

    @property
    def purl(self) -> str:
        return f"pkg:pypi/{self.name}@{self.version}"


def packages(lock: Path) -> list[Package]:
    """Return the packages of a lock file. A package with a version for each platform is listed more than once."""
    return list(_read(lock.read_text("utf-8").splitlines()))


def _read(lines: list[str]) -> Iterator[Package]:
    package: Package | None = None
    for line in lines:
        if pinned := _PINNED.match(line):
            if package:
                yield package
            name = re.sub(r"[-_.]+", "-", pinned["name"]).lower()
            package = Package(name, pinned["version"], (pinned["marker"] or "").strip())
        elif package is None:
            continue
        elif digest := _HASH.search(line):
            package.hashes.append(digest[1])
        elif via := _VIA.search(line.strip()):
            package.needed_by.append(via["name"] + (via["group"] or ""))
    if package:
        yield package
