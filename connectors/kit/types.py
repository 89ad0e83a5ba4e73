"""A check that code is fully annotated, as strict type checkers require, and marked with `py.typed`."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path


def untyped(files: Iterable[Path]) -> Iterator[str]:
    """The reasons why files are not strictly typed. It does not replace a type checker."""
    folders = set()
    for file in files:
        folders.add(_top_package(file.parent))
        for name, line in _unannotated(ast.parse(file.read_bytes())):
            yield f"{file.name}:{line} {name} is not fully annotated"
    for folder in sorted(folders):
        if not (folder / "py.typed").is_file():
            yield f"{folder.name} has no py.typed"


def _top_package(folder: Path) -> Path:
    """The top package of a folder: its marker also applies to its subpackages (PEP 561)."""
    while (folder.parent / "__init__.py").is_file():
        folder = folder.parent
    return folder


def _unannotated(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            all_parameters = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            parameters = [one for one in all_parameters if one.arg not in {"self", "cls"}]
            if node.returns is None or any(one.annotation is None for one in parameters):
                yield node.name, node.lineno
