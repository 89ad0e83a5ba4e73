"""Tests of a connector's code: it has no side effects."""

import ast
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from connectors.contract import Connector

from .subject import Subject

#: Top-level modules with side effects: network, disk, clock, threads, log.
IMPURE_MODULES = frozenset(
    {
        *("aiofiles", "aiohttp", "asyncio", "boto3", "concurrent", "ctypes", "fcntl", "ftplib"),
        *("glob", "http", "httpcore", "httpx", "io", "logging", "multiprocessing", "os", "pathlib"),
        *("pickle", "queue", "random", "redis", "requests", "sched", "secrets", "select", "shutil"),
        *("signal", "smtplib", "socket", "sqlite3", "ssl", "structlog", "subprocess", "tempfile"),
        *("threading", "time", "urllib3", "websockets"),
        *("gateway", "simulator", "workspace"),
    }
)
#: Submodules with side effects whose top-level module is harmless.
IMPURE_SUBMODULES = frozenset({"urllib.request", "urllib.robotparser", "importlib.resources"})
#: Functions of any module that read the clock, randomness or the environment, or have side effects.
IMPURE_FUNCTIONS = frozenset(
    {
        *("now", "utcnow", "today", "uuid1", "uuid4", "urlopen", "sleep", "getenv", "environ"),
        *("open", "print", "input", "exec", "eval", "__import__", "breakpoint"),
    }
)

_REMEDY = (
    "a connector has no side effects: yield a Call for the network, take the time from received_at, and put"
    " what you would log into Forbidden, Rejected or Unreadable"
)


class PurityChecks(Subject):
    """Tests of the source files of a connector."""

    def test_the_code_imports_nothing_with_side_effects(self) -> None:
        for file in sources(type(self.connector)):
            found = {
                name for name in _imports(ast.parse(file.read_bytes())) if _has_side_effects(name)
            }
            assert not found, f"{file.name} imports {', '.join(sorted(found))}; {_REMEDY}"

    def test_the_code_calls_nothing_with_side_effects(self) -> None:
        for file in sources(type(self.connector)):
            found = set(_called(ast.parse(file.read_bytes()))) & IMPURE_FUNCTIONS
            assert not found, f"{file.name} calls {', '.join(sorted(found))}; {_REMEDY}"

    def test_the_code_assigns_no_global_variable(self) -> None:
        for file in sources(type(self.connector)):
            for node in ast.walk(ast.parse(file.read_bytes())):
                assert not isinstance(node, ast.Global), (
                    f"{file.name}:{node.lineno} assigns a global variable; keep no state, and give events stable ids"
                )


def sources(connector: type[Connector[Any]]) -> list[Path]:
    """A connector's source files: the modules of its classes, and the modules of its package that they import."""
    found: dict[str, Path] = {}
    waiting = [kind.__module__ for kind in connector.__mro__[: connector.__mro__.index(Connector)]]
    package = {name.partition(".")[0] for name in waiting}
    while waiting:
        name = waiting.pop()
        file = _file(name)
        if name in found or file is None or name.partition(".")[0] not in package:
            continue
        found[name] = file
        waiting += _imports(ast.parse(file.read_bytes()), _parent(name, file))
    return sorted(found.values())


def _file(name: str) -> Path | None:
    try:
        spec = find_spec(name)
    except (ImportError, ValueError):
        return None  # the name of something within a module, or of a class in a test
    found = spec.origin if spec and spec.has_location else None
    return Path(found) if found and found.endswith(".py") else None


def _parent(name: str, file: Path) -> str:
    return name if file.name == "__init__.py" else name.rpartition(".")[0]


def _imports(tree: ast.AST, package: str = "") -> Iterator[str]:
    """The full names of all imported modules, and of everything imported from them."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                parts = package.split(".")
                base = ".".join(parts[: len(parts) - level + 1]) if level else ""
                whole = ".".join(part for part in (base, module or "") if part)
                if level and not package:
                    continue
                yield whole
                yield from (f"{whole}.{alias.name}" for alias in names)


def _has_side_effects(name: str) -> bool:
    return name.partition(".")[0] in IMPURE_MODULES or any(
        name == part or name.startswith(f"{part}.") for part in IMPURE_SUBMODULES
    )


def _called(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr=name)) | ast.Call(func=ast.Name(id=name)):
                yield name
