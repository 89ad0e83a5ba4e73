"""The boundaries of connectors: no network, disk, clock or gateway."""

import ast
import inspect
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import connectors
from connectors import Connector

FOLDER = Path(connectors.__file__).parent
FILES = sorted(file for file in FOLDER.rglob("*.py") if "kit" not in file.parts)
KIT_FILES = sorted((FOLDER / "kit").glob("*.py"))


def name(file: Path) -> str:
    return str(file.relative_to(FOLDER))


#: The modules that a connector may import. Justify an addition in a comment.
ALLOWED = {
    "email",  # the dates of headers
    "decimal",  # sums of prices: floats would show 0.30000000000000004
    *("abc", "base64", "binascii", "collections", "copy", "dataclasses", "datetime", "functools"),
    *("hashlib", "hmac", "math", "random", "re", "types", "typing", "urllib", "uuid", "zlib"),
    *("connectors", "jwt", "normalizer", "orjson", "pydantic", "twilio"),
    # Reads keys in PEM, which nothing else can check, and signs with them: both without side effects.
    "cryptography",
    # Reads bodies that contain half a character, which orjson refuses.
    "json",
}
#: Further modules for the kit: it reads recordings from disk, and pytest runs it.
KIT = {
    # Finds out which arguments a plugin's `authorize` takes.
    "authorization.py": {"inspect"},
    "conformance.py": {"pytest"},
    "recordings.py": {"gzip", "pathlib"},
}


@pytest.mark.parametrize("file", FILES, ids=name)
def test_connectors_import_nothing_with_side_effects(file: Path) -> None:
    found = {name.partition(".")[0] for name in imported(file)}
    assert found <= ALLOWED | KIT.get(file.name, set())


@pytest.mark.parametrize("file", FILES, ids=name)
def test_connectors_import_only_events_and_the_twilio_validator(
    file: Path,
) -> None:
    deep = {name for name in imported(file) if name.split(".")[0] in {"normalizer", "twilio"}}
    assert deep <= {"normalizer.events", "twilio.request_validator"}


@pytest.mark.parametrize("file", FILES, ids=name)
def test_connectors_read_no_clock(file: Path) -> None:
    calls = {
        node.func.attr
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert not calls & {"now", "utcnow", "today", "time", "sleep", "urlopen"}


@pytest.mark.parametrize("file", [*FILES, *KIT_FILES], ids=name)
def test_files_are_short(file: Path) -> None:
    limit = 400 if file.name == "contract.py" or file in KIT_FILES else 250
    assert len(file.read_text().splitlines()) <= limit


@pytest.mark.parametrize("file", FILES, ids=name)
def test_only_conformance_imports_the_kit(file: Path) -> None:
    known = {
        module
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ImportFrom)
        for module in [(node.module or "").removeprefix("connectors.")]
    }
    assert file.name == "conformance.py" or not any(one.partition(".")[0] == "kit" for one in known)


def test_every_contract_method_documents_its_calls_and_prohibitions() -> None:
    methods = [
        found
        for name, found in vars(Connector).items()
        if inspect.isfunction(found) and not name.startswith("_")
    ]
    assert len(methods) == 18
    for method in methods:
        text = inspect.getdoc(method) or ""
        assert "Called" in text, method.__name__
        assert "Must not" in text, method.__name__


def test_importing_the_connectors_imports_no_client() -> None:
    script = (
        "import sys, connectors, connectors.apple, connectors.instagram, connectors.messenger.connector, connectors.twilio.connector,"
        " connectors.whatsapp;"
        "print([m for m in ('httpx', 'aiohttp', 'requests', 'sqlite3', 'structlog', 'pytest',"
        " 'gateway', 'PIL') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_the_built_in_connectors_are_found_by_entry_point() -> None:
    found = {point.name: point for point in entry_points(group="airlock.connectors")}
    for name in ("apple", "instagram", "messenger", "twilio", "whatsapp"):
        connector = found[name].load()
        assert issubclass(connector, Connector)
        assert connector.name == name


def test_every_exported_name_exists() -> None:
    assert all(hasattr(connectors, name) for name in connectors.__all__)
    assert len(set(connectors.__all__)) == len(connectors.__all__)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("any_same", "matches_any"),
        ("judge", "refusal_from"),
        ("moment", "parse_timestamp"),
        ("place", "location"),
        ("same", "constant_time_equal"),
    ],
)
def test_an_old_name_is_an_alias_of_the_new(old: str, new: str) -> None:
    assert getattr(connectors, old) is getattr(connectors, new)


def imported(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module or "")
    return names
