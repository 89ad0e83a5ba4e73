"""connectors.yaml as plain values that still know their lines: strict YAML, `${NAME}` replaced.

Everything here distrusts the file a little: tags build no objects, a key comes once, and aliases may not
blow a small file up (`_MAX_VALUES`), so that a slip or a prank costs a message and not the machine.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

import yaml

from .environment import expand
from .errors import Mistake, Path, dotted, quoted
from .yaml_nodes import MAX_DEPTH, TooLarge, line_of, read_root_node, unreadable

#: Values after aliases are expanded. Some hundred connectors need about a tenth.
_MAX_VALUES = 20_000

_TAG = "tag:yaml.org,2002:"
_MERGE = _TAG + "merge"
#: What takes the place of a value that cannot be had, so that its neighbours are checked all the same.
_PLACEHOLDER = "unset"


@dataclass(slots=True)
class Document:
    """The values of a file, the line of each, and what was found wrong on the way.

    `rejected` names values already complained about; `environment_values` holds what the environment gave, which no
    message may quote.
    """

    file: str
    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[Path, int] = field(default_factory=lambda: {(): 1})
    rejected: set[Path] = field(default_factory=set)
    environment_values: set[str] = field(default_factory=set)
    mistakes: list[Mistake] = field(default_factory=list)

    def line(self, path: Path) -> int:
        """The line of a value, or of the innermost thing around it that the file has."""
        return self.lines[self.known_path(path)]

    def known_path(self, path: Path) -> Path:
        """The longest beginning of `path` that the file has."""
        while path not in self.lines:
            path = path[:-1]
        return path

    def add_mistake(self, path: Path, message: str, nearest: str | None = None) -> None:
        """Add a mistake at `path`, unless the value there is known to be wrong already."""
        if not self.is_rejected(path):
            self.mistakes.append(
                Mistake(self.file, self.line(path), dotted(path), message, nearest)
            )

    def reject(self, path: Path, message: str, nearest: str | None = None) -> None:
        """Add a mistake, and take none after it about the same value or what is inside it."""
        self.add_mistake(path, message, nearest)
        self.rejected.add(path)

    def is_rejected(self, path: Path) -> bool:
        return any(path[:length] in self.rejected for length in range(1, len(path) + 1))


def read(path: FilePath, environ: Mapping[str, str]) -> Document:
    """The file's values; raises `ConfigError` where it is no YAML mapping at all."""
    document = Document(str(path))
    root = read_root_node(path)
    if root is None:
        return document
    if not isinstance(root, yaml.MappingNode):
        raise unreadable(document.file, 1, "must be sections with keys, such as `gateway:`")
    reader = _NodeReader(document, environ)
    try:
        document.values = reader.mapping(root, ())
    except TooLarge as exc:
        raise unreadable(document.file, exc.line, str(exc)) from None
    return document


class _NodeReader:
    """Goes through the nodes once and fills the document."""

    def __init__(self, document: Document, environ: Mapping[str, str]) -> None:
        self.document = document
        self.environ = environ
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
                return self.reject(path, "tags (a word that begins with !) are not taken here")

    def count(self, node: yaml.Node, depth: int) -> None:
        self.seen += 1
        if self.seen > _MAX_VALUES:
            raise TooLarge(line_of(node), "holds too many values; are aliases nested in aliases?")
        if depth > MAX_DEPTH:
            raise TooLarge(line_of(node), "is nested too deeply; does an alias hold itself?")

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
        """Own keys first, then those merged in with `<<` that are not there yet."""
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
                    self.add_mistake(path, line_of(source), "<< merges a section: write <<: *name")

    def key(self, node: yaml.Node, path: Path) -> str | None:
        if node.tag == _TAG + "str":
            return str(node.value)
        shown = f" {quoted(node.value)}" if isinstance(node, yaml.ScalarNode) else ""
        self.add_mistake(
            path, line_of(node), f"the key{shown} is no text to YAML; put it in quotes"
        )
        return None

    def add_duplicate(self, path: Path, line: int, first: int) -> None:
        self.add_mistake(path, line, f"duplicate key, first on line {first}; remove one")

    def add_mistake(self, path: Path, line: int, message: str) -> None:
        self.document.mistakes.append(Mistake(self.document.file, line, dotted(path), message))

    def scalar(self, node: yaml.ScalarNode, path: Path) -> Any:
        convert = _SCALARS.get(node.tag)
        if convert is None:
            return self.reject(path, "tags (a word that begins with !) are not taken here")
        if convert is str:
            return self.text(node.value, path)
        try:
            return convert(node)
        except ValueError:
            return self.reject(path, "is no number that YAML can hold; put text in quotes")

    def text(self, raw: str, path: Path) -> str:
        expansion = expand(raw, self.environ)
        self.document.environment_values.update(expansion.used)
        if expansion.unset:
            several = "variables" if len(expansion.unset) > 1 else "variable"
            names = ", ".join(expansion.unset)
            self.reject(path, f"environment {several} not set: {names}")
        if expansion.broken:
            self.reject(path, "holds ${ without a NAME}; write $${ for the characters themselves")
        return _PLACEHOLDER if expansion.unset or expansion.broken else expansion.text

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
