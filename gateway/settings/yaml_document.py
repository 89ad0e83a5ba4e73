"""Reads connectors.yaml into plain values and their line numbers: strict YAML, with references replaced.

The file is not trusted: tags create no objects, duplicate keys are refused, and aliases may not expand a small
file into a huge one (`_MAX_VALUES`). A slip or a prank causes an error message, not an exhausted machine.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

import yaml

from .errors import Mistake, Path, dotted, quoted
from .references import expand
from .yaml_nodes import MAX_DEPTH, TooLarge, line_of, read_root_node, unreadable

#: Limit of values after alias expansion. About a hundred connectors need a tenth of it.
_MAX_VALUES = 20_000

_TAG = "tag:yaml.org,2002:"
_MERGE = _TAG + "merge"
#: Stands in for a value that cannot be read, so that the rest of the file is still checked.
_PLACEHOLDER = "unset"


@dataclass(slots=True)
class Document:
    """The values of a file, the line of each, and the mistakes found while reading.

    `rejected` holds the paths of values already reported as wrong. `inserted_values` holds the values taken from
    the environment and from files, which no message may quote, and `inserted_files` these files, each with the first
    path that has it.
    """

    file: str
    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[Path, int] = field(default_factory=lambda: {(): 1})
    rejected: set[Path] = field(default_factory=set)
    inserted_values: set[str] = field(default_factory=set)
    inserted_files: dict[FilePath, Path] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)

    def line(self, path: Path) -> int:
        """Return the line of a value; if the file does not contain it, the line of its innermost parent."""
        return self.lines[self.known_path(path)]

    def known_path(self, path: Path) -> Path:
        """Return the longest prefix of `path` that the file contains."""
        while path not in self.lines:
            path = path[:-1]
        return path

    def add_mistake(self, path: Path, message: str, nearest: str | None = None) -> None:
        """Add a mistake at `path`, unless the value there is already reported as wrong."""
        if not self.is_rejected(path):
            self.mistakes.append(
                Mistake(self.file, self.line(path), dotted(path), message, nearest)
            )

    def reject(self, path: Path, message: str, nearest: str | None = None) -> None:
        """Add a mistake, and ignore later ones about the same value or anything inside it."""
        self.add_mistake(path, message, nearest)
        self.rejected.add(path)

    def is_rejected(self, path: Path) -> bool:
        return any(path[:length] in self.rejected for length in range(1, len(path) + 1))


def read(path: FilePath, environ: Mapping[str, str]) -> Document:
    """Read the file; raises `ConfigError` if it is not a YAML mapping."""
    document = Document(str(path))
    root = read_root_node(path)
    if root is None:
        return document
    if not isinstance(root, yaml.MappingNode):
        raise unreadable(document.file, 1, "must consist of sections with keys, such as `gateway:`")
    reader = _NodeReader(document, environ, path.parent)
    try:
        document.values = reader.mapping(root, ())
    except TooLarge as exc:
        raise unreadable(document.file, exc.line, str(exc)) from None
    return document


class _NodeReader:
    """Visits the nodes once and fills the document."""

    def __init__(self, document: Document, environ: Mapping[str, str], folder: FilePath) -> None:
        self.document = document
        self.environ = environ
        self.folder = folder
        self.seen = 0

    def value(self, node: yaml.Node, path: Path) -> Any:
        self.count(node, len(path))
        match node:
            case yaml.ScalarNode():
                return self.scalar(node, path)
            case yaml.SequenceNode(tag=tag) if tag == _TAG + "seq":
                return [self.item(item, (*path, at)) for at, item in enumerate(node.value)]
            case yaml.MappingNode(tag=tag) if tag == _TAG + "map":
                return self.mapping(node, path)
            case _:
                return self.reject(path, "YAML tags (words that begin with !) are not supported")

    def count(self, node: yaml.Node, depth: int) -> None:
        self.seen += 1
        if self.seen > _MAX_VALUES:
            raise TooLarge(
                line_of(node), "contains too many values; are aliases nested in aliases?"
            )
        if depth > MAX_DEPTH:
            raise TooLarge(line_of(node), "is nested too deeply; does an alias contain itself?")

    def item(self, node: yaml.Node, path: Path) -> Any:
        self.document.lines[path] = line_of(node)
        return self.value(node, path)

    def mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        values = {}
        for name, key, value in self.pairs(node, path, 0):
            self.document.lines[*path, name] = line_of(key)
            values[name] = self.value(value, (*path, name))
        return values

    def pairs(
        self, node: yaml.MappingNode, path: Path, depth: int
    ) -> Iterator[tuple[str, yaml.Node, yaml.Node]]:
        """Yield the mapping's own keys first, then keys merged with `<<` that it does not define itself."""
        first: dict[str, int] = {}
        merged: list[yaml.Node] = []
        for key, value in node.value:
            self.count(key, len(path) + depth)
            if key.tag == _MERGE:
                merged.append(value)
            elif (name := self.key(key, path)) is None:
                continue
            elif name in first:
                self.add_duplicate((*path, name), line_of(key), first[name])
            else:
                first[name] = line_of(key)
                yield name, key, value
        for name, key, value in self.merged_pairs(merged, path, depth + 1):
            if name not in first:
                first[name] = line_of(key)
                yield name, key, value

    def merged_pairs(
        self, sources: list[yaml.Node], path: Path, depth: int
    ) -> Iterator[tuple[str, yaml.Node, yaml.Node]]:
        for source in sources:
            self.count(source, len(path) + depth)
            match source:
                case yaml.MappingNode():
                    yield from self.pairs(source, path, depth)
                case yaml.SequenceNode():
                    yield from self.merged_pairs(source.value, path, depth + 1)
                case _:
                    self.add_mistake(
                        path, line_of(source), "<< merges another section; write <<: *name"
                    )

    def key(self, node: yaml.Node, path: Path) -> str | None:
        if node.tag == _TAG + "str":
            return str(node.value)
        shown = f" {quoted(node.value)}" if isinstance(node, yaml.ScalarNode) else ""
        self.add_mistake(
            path, line_of(node), f"the key{shown} is not text in YAML; put it in quotes"
        )
        return None

    def add_duplicate(self, path: Path, line: int, first: int) -> None:
        self.add_mistake(path, line, f"duplicate key, first on line {first}; remove one")

    def add_mistake(self, path: Path, line: int, message: str) -> None:
        self.document.mistakes.append(Mistake(self.document.file, line, dotted(path), message))

    def scalar(self, node: yaml.ScalarNode, path: Path) -> Any:
        convert = _SCALARS.get(node.tag)
        if convert is None:
            return self.reject(path, "YAML tags (words that begin with !) are not supported")
        if convert is str:
            return self.text(node.value, path)
        try:
            return convert(node)
        except ValueError:
            return self.reject(path, "is not a valid number; if it is text, put it in quotes")

    def text(self, raw: str, path: Path) -> str:
        expansion = expand(raw, self.environ, self.folder)
        self.document.inserted_values.update(expansion.used)
        for file in expansion.files:
            self.document.inserted_files.setdefault(file, path)
        for mistake in expansion.mistakes:
            self.document.add_mistake(path, mistake)
        if expansion.mistakes:
            self.document.rejected.add(path)
            return _PLACEHOLDER
        return expansion.text

    def reject(self, path: Path, message: str) -> str:
        self.document.reject(path, message)
        return _PLACEHOLDER


_CONSTRUCTOR = yaml.constructor.SafeConstructor()

#: Timestamps stay text: no setting is a date, but an id may look like one.
_SCALARS: dict[str, Callable[[Any], Any]] = {
    _TAG + "str": str,
    _TAG + "timestamp": str,
    _TAG + "value": str,
    _TAG + "merge": str,
    _TAG + "int": _CONSTRUCTOR.construct_yaml_int,
    _TAG + "float": _CONSTRUCTOR.construct_yaml_float,
    _TAG + "bool": _CONSTRUCTOR.construct_yaml_bool,
    _TAG + "null": _CONSTRUCTOR.construct_yaml_null,
}
