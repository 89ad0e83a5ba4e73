"""The site builds in strict mode, and the files it publishes match the code."""

import json
import runpy
import subprocess
import sys
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]  # it has no type hints
import pytest

from connectors import Connector
from connectors.conformance import Conformance
from gateway.http.operations import OPERATIONS

from .pages import ROOT, listings

SCHEMAS = ROOT / "docs" / "schemas"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    built = tmp_path_factory.mktemp("site")
    # Without --quiet, which hides warnings from --strict, too.
    command = (sys.executable, "-m", "mkdocs", "build", "--strict")
    ran = subprocess.run(
        (*command, "--site-dir", str(built)), cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    return built


def test_every_page_is_in_the_site(site: Path) -> None:
    for page in (ROOT / "docs").rglob("*.md"):
        assert (site / page.relative_to(ROOT / "docs")).with_suffix(".html").is_file(), page.name
    for place in runpy.run_path(str(ROOT / "scripts" / "site.py"))["OUTSIDE_DOCS"].values():
        assert (site / place.replace(".md", ".html")).is_file(), place


def test_the_reference_has_every_method_and_attribute_of_the_contract(site: Path) -> None:
    page = (site / "reference" / "contract.html").read_text()
    for name in {*vars(Connector), *Connector.__annotations__}:
        if not name.startswith("_") and name != "config":
            assert f'id="connectors.contract.Connector.{name}"' in page, name
    assert "Must not raise anything else" in page
    assert "The largest body accepted, before and after decompression (bytes)." in page


def test_the_reference_has_every_promise_of_the_kit(site: Path) -> None:
    page = (site / "reference" / "kit.html").read_text()
    promises = [name for name in dir(Conformance) if name.startswith("test_")]
    assert len(promises) > 50
    assert [name for name in promises if name not in page] == []


def test_the_site_loads_nothing_from_other_hosts(site: Path) -> None:
    """Check that no font, script or style sheet comes from another host."""
    for page in site.rglob("*.html"):
        for mark in ('src="http', "src='http", '<link rel="stylesheet" href="http'):
            assert mark not in page.read_text(), page.name


def test_the_site_has_search_and_a_dark_mode(site: Path) -> None:
    index = json.loads((site / "search" / "search_index.json").read_text())
    assert any(entry["location"].startswith("runbooks.html") for entry in index["docs"])
    page = (site / "runbooks.html").read_text()
    assert "(prefers-color-scheme: dark)" in page


def test_the_schemas_are_up_to_date() -> None:
    made = runpy.run_path(str(ROOT / "scripts" / "schemas.py"))["files"]()
    assert set(made) == {file.name for file in SCHEMAS.iterdir()}
    for name, text in made.items():
        assert (SCHEMAS / name).read_text("utf-8") == text, "run scripts/schemas.py"


def test_the_signatures_are_up_to_date() -> None:
    module = runpy.run_path(str(ROOT / "scripts" / "reference.py"))
    assert module["PAGE"].read_text("utf-8") == module["page"](), "run scripts/reference.py"
    for name in ("verify(self, request: Request) -> None", "class Message(Event)", "def id_of("):
        assert name in module["page"]()


def test_the_published_schema_fits_the_published_examples() -> None:
    schema = json.loads((SCHEMAS / "events.json").read_text())
    examples = [one for one in listings(ROOT / "docs" / "events.md") if one.language == "json"]
    assert len(examples) > 10
    for example in examples:
        jsonschema.validate(json.loads(example.code), schema)


def test_the_published_openapi_has_every_path() -> None:
    paths = json.loads((SCHEMAS / "openapi.json").read_text())["paths"]
    assert {(one.path, one.method) for one in OPERATIONS} == {
        (path, method) for path, methods in paths.items() for method in methods
    }
