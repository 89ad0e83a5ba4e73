"""Relations: which part of an OOXML package belongs to an id (ECMA-376, part 2, 9)."""

import posixpath

from .package import Package
from .xml import Attributes, Reader, read_part


class _Relations(Reader):
    def __init__(self, folder: str) -> None:
        super().__init__()
        self._folder = folder
        self.targets: dict[str, str] = {}

    def opened(self, name: str, attributes: Attributes) -> None:
        if name == "Relationship" and attributes.get("TargetMode") != "External":
            target = posixpath.join("/", self._folder, attributes.get("Target", ""))
            self.targets[attributes.get("Id", "")] = posixpath.normpath(target).lstrip("/")


def relations_of(package: Package, part: str) -> dict[str, str]:
    """Return the parts to which `part` refers, by id. Links to other files are left out."""
    folder, _, name = part.rpartition("/")
    found = _Relations(folder)
    read_part(package, f"{folder}/_rels/{name}.rels", found)
    return found.targets
