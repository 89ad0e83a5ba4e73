"""The architecture page names functions and files that exist."""

import ast
import re

import pytest

from .pages import ROOT, text_of

PAGE = ROOT / "docs" / "architecture.md"
_LINK = re.compile(r"\[`(?P<name>[\w.]+)`\]\(\.\./(?P<file>[\w/]+\.py)\)")
_PATH = re.compile(
    r"`((?:connectors|gateway|normalizer|workspace|webchat|simulator|tests)/[\w/.]*)`"
)


def _linked() -> list[tuple[str, str]]:
    return [(found["name"], found["file"]) for found in _LINK.finditer(text_of(PAGE))]


@pytest.mark.parametrize(("name", "file"), _linked(), ids=str)
def test_a_linked_function_is_defined_in_its_file(name: str, file: str) -> None:
    assert name in _definitions(ast.parse((ROOT / file).read_text("utf-8")))


def test_the_path_of_a_photo_is_short_enough_to_read() -> None:
    files = {file for _, file in _linked()}
    lines = sum(len((ROOT / file).read_text("utf-8").splitlines()) for file in files)
    assert 20 <= len(files) <= 25
    assert lines <= 4_450


@pytest.mark.parametrize("path", sorted(set(_PATH.findall(text_of(PAGE)))))
def test_a_named_path_exists(path: str) -> None:
    assert (ROOT / path).exists()


def _definitions(tree: ast.Module) -> set[str]:
    names = set()
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            methods = (
                one for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
            )
            names |= {f"{node.name}.{method.name}" for method in methods}
    return names
