"""Write docs/reference/signatures.md: every public name of the contract, with its signature and its docstring.

The site's reference has more; this page can be read where the site is not built.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference" / "signatures.md"
#: The parts of the page, and the modules that each one lists.
PARTS = {
    "The contract": (
        "connectors/contract.py",
        "connectors/capabilities.py",
        "connectors/errors.py",
    ),
    "Events": ("normalizer/events.py",),
    "Tools": tuple(
        f"connectors/tools/{name}.py"
        for name in (
            *("setting_types", "constant_time", "entries", "attachment_kind", "location"),
            *("gzip_body", "refusals"),
        )
    ),
    "The conformance kit": (
        "connectors/conformance.py",
        "connectors/recordings.py",
        "connectors/kit/exchanges.py",
        "connectors/kit/refusals.py",
    ),
}
HEAD = """# Signatures

Every public name, with its signature. `scripts/reference.py` writes this page from the code. Import the names of the
first three parts from `connectors`, and `Conformance` from `connectors.conformance`.
"""


def page() -> str:
    """Return the page."""
    parts = [HEAD]
    for title, files in PARTS.items():
        parts.append(f"## {title}\n")
        for file in files:
            parts += _entries(ast.parse((ROOT / file).read_text("utf-8")))
    return "\n".join(parts)


def _entries(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and _is_listed(node.name):
            yield _entry(node.name, _class(node), ast.get_docstring(node))
        elif isinstance(node, ast.FunctionDef) and _is_listed(node.name):
            yield _entry(node.name, _function(node), ast.get_docstring(node))


def _is_listed(name: str) -> bool:
    # The classes of checks have names that say what they test; the site lists them.
    return not name.startswith("_") and not name.endswith("Checks")


def _entry(name: str, signature: str, docstring: str | None) -> str:
    words = f"\n{_escaped(docstring)}\n" if docstring else ""
    return f"### `{name}`\n\n```\n{signature}\n```\n{words}"


def _escaped(docstring: str) -> str:
    """A docstring as a text block: it is written for programmers, and may contain indented parts."""
    return f"```\n{docstring}\n```"


def _class(node: ast.ClassDef) -> str:
    bases = ", ".join(ast.unparse(base) for base in (*node.bases, *node.keywords))
    head = f"class {node.name}({bases}):" if bases else f"class {node.name}:"
    body = [line for one in node.body for line in _member(one)]
    return "\n".join([head, *(f"    {line}" for line in body or ["..."])])


def _member(node: ast.stmt) -> list[str]:
    match node:
        case ast.AnnAssign(target=ast.Name(id=name)) if not name.startswith("_"):
            return [ast.unparse(node)]
        case ast.FunctionDef(name=name) if not name.startswith(("_", "test_", "pytest_")):
            marks = [f"@{ast.unparse(one)}" for one in node.decorator_list]
            return [*(mark for mark in marks if mark != "@abstractmethod"), _function(node)]
    return []


def _function(node: ast.FunctionDef) -> str:
    returned = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"def {node.name}({ast.unparse(node.args)}){returned}: ..."


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
