"""Pages: security headers, no foreign assets, any mount, and the imports of the workspace."""

import ast
import re
from pathlib import Path

import pytest

import workspace
from tests.workspace.running import RunningWorkspace, run_workspace

FOLDER = Path(workspace.__file__).parent
PAGES = sorted((FOLDER / "templates").glob("*.html"))
OURS = sorted((FOLDER / "static").iterdir())


@pytest.mark.parametrize(
    "path", ["", "audit", "operations", "sign-in", "api/me", "static/workspace.js"]
)
async def test_every_response_has_security_headers(running: RunningWorkspace, path: str) -> None:
    async with running.session.get(running.url(path)) as response:
        policy = response.headers["Content-Security-Policy"]
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert response.headers["Cache-Control"] in {"no-store", "no-cache"}
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert (rules["script-src"], rules["style-src"]) == ("'self'", "'self'")
    assert rules["img-src"] == rules["media-src"] == f"'self' {running.gateway.url}"
    assert rules["frame-ancestors"] == rules["base-uri"] == "'none'"
    assert "unsafe" not in policy


async def test_errors_have_security_headers_and_a_sentence(running: RunningWorkspace) -> None:
    for path in ("api/nothing", "attachments/a/b/c", "nothing.html"):
        async with running.session.get(running.url(path)) as response:
            assert response.status == 404
            assert "default-src 'none'" in response.headers["Content-Security-Policy"]
            assert (await response.json())[
                "error"
            ] == "This could not be found. It may have been erased."


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page_has_no_inline_code_and_only_relative_urls(page: Path) -> None:
    text = page.read_text()
    # The words are data, which no browser runs.
    text = re.sub(r'<script type="application/json" id="words">\$words</script>', "", text)
    assert not re.search(r"<style|<script(?![^>]* src=)|\son\w+=|\sstyle=|javascript:", text)
    for address in re.findall(r'(?:src|href|action)="([^"]*)"', text):
        assert not re.match(r"/|\w+:", address), address


@pytest.mark.parametrize("file", OURS, ids=lambda file: file.name)
def test_static_file_loads_nothing_foreign_and_parses_no_markup(file: Path) -> None:
    text = file.read_text().replace("http://www.w3.org/2000/svg", "")
    # `@import {` in a comment of a script imports types, which browsers never load.
    assert not re.search(
        r"https?://|@import(?! \{)|innerHTML|outerHTML|insertAdjacentHTML|eval\(", text
    )
    assert len(text.splitlines()) < 400


#: Properties that would be wrong in a page that is written from right to left. Fallbacks of `inset` and `size` are not used.
PHYSICAL = re.compile(
    r"(?:^|[{;\s])(?:(?:margin|padding|border|inset)-)?(?:left|right|top|bottom)(?:-\w+)*\s*:"
    r"|(?:text-align|float|clear):\s*(?:left|right)\b"
)


@pytest.mark.parametrize(
    "style", [file for file in OURS if file.suffix == ".css"], ids=lambda style: style.name
)
def test_styles_name_sides_by_the_direction_of_writing(style: Path) -> None:
    assert PHYSICAL.findall(style.read_text()) == []


def test_every_referenced_script_and_style_exists() -> None:
    for page in PAGES:
        for name in re.findall(r'"static/([^"]+)"', page.read_text()):
            assert (FOLDER / "static" / name).is_file(), name
    for script in (FOLDER / "static").glob("*.js"):
        for name in re.findall(r'from "\./([^"]+)"', script.read_text()):
            assert (FOLDER / "static" / name).is_file(), name


@pytest.mark.parametrize("mount", ["/", "/workspace/", "/some/where/"])
async def test_workspace_works_below_any_path(tmp_path: Path, mount: str) -> None:
    async with run_workspace(tmp_path, mount=mount) as running:
        assert await running.status("") == 200
        assert await running.status("static/workspace.js") == 200
        await running.post("sign-out")
        async with running.session.get(running.url("audit"), allow_redirects=False) as response:
            assert response.headers["Location"] == f"{mount}sign-in?next=audit"
        assert (await running.sign_in("agent")).headers["Location"] == mount


async def test_mount_without_slash_redirects_to_the_page(running: RunningWorkspace) -> None:
    address = running.url("").rstrip("/") + "?conversation=conv_1"
    async with running.session.get(address, allow_redirects=False) as response:
        assert response.status == 301
        assert response.headers["Location"] == "/workspace/?conversation=conv_1"


def test_workspace_imports_no_other_package_of_airlock() -> None:
    foreign = {"gateway", "normalizer", "connectors", "simulator"}
    for file in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            assert not {name.split(".")[0] for name in _imported(node)} & foreign, file


def _imported(node: ast.AST) -> list[str]:
    match node:
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module=module):
            return [module or ""]
    return []


def test_files_are_short_enough_to_read() -> None:
    for file in FOLDER.rglob("*.py"):
        assert len(file.read_text().splitlines()) < 400, file
