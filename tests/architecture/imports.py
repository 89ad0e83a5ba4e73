"""The imports of the source tree, read from its files."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


@cache
def modules(package: str) -> dict[str, frozenset[str]]:
    """Each module below `package` with the modules it imports, late imports included."""
    folder = ROOT.joinpath(*package.split("."))
    found = {}
    for file in sorted(folder.rglob("*.py")):
        parts = file.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = frozenset(_imported(file, name, parts[-1] == "__init__"))
    return found


def _imported(file: Path, name: str, is_package: bool) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        match node:
            case ast.Import(names=aliases):
                names |= {alias.name for alias in aliases}
            case ast.ImportFrom(module=module, names=aliases, level=level):
                source = _absolute(name, is_package, module, level)
                names.add(source)
                # A submodule may be imported by name: `from gateway.journal import records`.
                names |= {f"{source}.{alias.name}" for alias in aliases if is_module(source, alias)}
    return names


def _absolute(name: str, is_package: bool, module: str | None, level: int) -> str:
    if level == 0:
        return module or ""
    parts = name.split(".") if is_package else name.split(".")[:-1]
    base = parts[: len(parts) - (level - 1)]
    return ".".join([*base, module] if module else base)


def is_module(source: str, alias: ast.alias) -> bool:
    path = ROOT.joinpath(*source.split("."), alias.name)
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def is_inside(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")
