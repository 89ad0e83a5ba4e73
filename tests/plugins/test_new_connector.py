"""`airlock connector new`: the package installs, passes its kit, and works in a gateway."""

import json
import sys
import tomllib
from pathlib import Path

import pytest

from gateway.cli import main

from .installing import AIRLOCK, install, run, run_tests

WRITTEN = {
    "README.md",
    "airlock_acme_chat/__init__.py",
    "airlock_acme_chat/py.typed",
    "pyproject.toml",
    "tests/payloads/exchanges/text_sent.json",
    "tests/payloads/photo_with_caption.json",
    "tests/payloads/text.json",
    "tests/test_connector.py",
}
#: Loads connectors.yaml as `airlock serve` would, and prints the connector.
LOAD = """
import os, pathlib
from gateway.settings import load
(name, connector), = load(pathlib.Path("connectors.yaml"), os.environ).connectors.items()
print(name, type(connector).__module__, connector.label, connector.api, connector.config.account_id)
"""


def new(*arguments: str) -> int:
    return main(["connector", "new", *arguments])


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    into = tmp_path_factory.mktemp("written")
    assert new("acme-chat", "--into", str(into)) == 0
    return into / "airlock-acme-chat"


@pytest.fixture(scope="module")
def installed(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(tmp_path_factory.mktemp("acme-site"), package)


def test_a_whole_package_is_written(package: Path) -> None:
    files = {file.relative_to(package).as_posix() for file in package.rglob("*") if file.is_file()}
    assert files == WRITTEN
    assert [one.name for one in package.parent.iterdir()] == [package.name]


def test_a_new_package_has_no_template_placeholders(package: Path) -> None:
    for file in package.rglob("*"):
        if file.is_file():
            text = file.read_text().replace("${SIGNING_SECRET}", "").replace("${ACCESS_TOKEN}", "")
            assert "$" not in text
            assert "template" not in text


def test_a_new_package_depends_on_the_published_distribution(package: Path) -> None:
    project = tomllib.loads((package / "pyproject.toml").read_text())["project"]
    assert project["dependencies"] == ["airlock-messaging"]
    for file in package.rglob("*"):
        assert not file.is_file() or "airlock-gateway" not in file.read_text()


def test_a_new_package_marks_what_to_change(package: Path) -> None:
    source = (package / "airlock_acme_chat" / "__init__.py").read_text()
    assert source.count("# Change") >= 8
    assert "# Change" in (package / "tests" / "test_connector.py").read_text()


def test_a_new_package_passes_its_kit_at_bronze(package: Path, installed: Path) -> None:
    output = run_tests(package, installed)
    assert "acme-chat (Acme Chat): bronze" in output
    assert "silver    failed  each recording has a note on its origin: recording text has" in output


def test_the_settings_load_the_new_connector_by_its_type(installed: Path, tmp_path: Path) -> None:
    section = {
        "type": "acme-chat",
        "signing_secrets": ["hush-hush"],
        "access_token": "a-token-7",
        "account_id": "shop-1",
    }
    (tmp_path / "connectors.yaml").write_text(json.dumps({"connectors": {"desk": section}}))
    output = run(sys.executable, "-c", LOAD, cwd=tmp_path, path=[installed])
    assert output.split() == ["desk", "airlock_acme_chat", "Acme", "Chat", "1", "shop-1"]


def test_the_commands_list_an_installed_connector(installed: Path) -> None:
    chart = run(AIRLOCK, "capabilities", path=[installed])
    assert "Acme Chat" in chart.splitlines()[0]
    schema = run(AIRLOCK, "schema", path=[installed])
    assert "The platform's API" in schema


def test_an_existing_package_is_not_overwritten(
    package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (package / "README.md").read_text()
    assert new("acme-chat", "--into", str(package.parent)) == 1
    assert "exists already; move it away" in capsys.readouterr().err
    assert (package / "README.md").read_text() == before


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "airlock-acme").mkdir()
    assert new("acme", "--into", str(tmp_path)) == 0
    assert (tmp_path / "airlock-acme" / "pyproject.toml").is_file()


def test_a_dangling_link_is_not_followed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "airlock-acme").symlink_to(tmp_path / "elsewhere")
    assert new("acme", "--into", str(tmp_path)) == 1
    assert "exists already" in capsys.readouterr().err
    assert not (tmp_path / "elsewhere").exists()


def test_a_missing_folder_is_created(tmp_path: Path) -> None:
    assert new("acme", "--into", str(tmp_path / "a" / "b")) == 0
    assert (tmp_path / "a" / "b" / "airlock-acme" / "README.md").is_file()


def test_a_file_in_place_of_the_folder_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert new("acme", "--into", str(tmp_path / "file")) == 1
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Acme Chat", '"acme-chat" would do'),
        ("acme_chat", '"acme-chat" would do'),
        ("../acme", '"acme" would do'),
        ("9x", "beginning with a letter, at most 40 characters\n"),
        ("1st", "beginning with a letter, at most 40 characters\n"),
        ("ACME", '"acme" would do'),
        ("class", "it is a keyword of Python"),
        ("match", "it is a keyword of Python"),
        ("none", "its class would be called None"),
        ("list", "Python has a function or type called list"),
        ("exception", "its class would be called Exception, which Python has already"),
        ("connector", "its class would be called Connector, as one that it imports"),
        ("settings", "its class would be called Settings, as one that it imports"),
        ("messaging", "airlock-messaging is a distribution of Airlock itself"),
        ("gateway", "airlock-gateway is a distribution of Airlock itself"),
        ("Class", "cannot be a connector's type"),
        ("", "cannot be a connector's type"),
        ("é", "cannot be a connector's type"),
        ("a" * 41, "at most 40"),
        ("acme-", '"acme" would do'),
        ("a--b", '"a-b" would do'),
        ("whatsapp", "there is a connector of type"),
        ("acme\n", "cannot be a connector's type"),
    ],
)
def test_an_invalid_name_is_a_usage_error(
    name: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert new(name, "--into", str(tmp_path)) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_missing_name_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        new()
    assert end.value.code == 2
    assert "NAME" in capsys.readouterr().err
