"""Keys in PEM in connectors.yaml: as a block, or from the environment; mistakes are named with their line."""

from pathlib import Path

import pytest

from tests.connectors.keys import private_pem, rsa_key

from .plugin_installs import Plugins
from .settings_files import SettingsFile

KEY = private_pem(rsa_key())
PLUGIN = """
from connectors import Capabilities, Connector, ConnectorConfig, Forbidden, Pem
from pydantic import HttpUrl


class Settings(ConnectorConfig):
    api_url: HttpUrl = HttpUrl("https://api.acme.example")
    key: Pem


class Acme(Connector[Settings]):
    name, label, docs, Config = "acme", "Acme Chat", "https://acme.example/docs", Settings
    capabilities = Capabilities({"text": "yes"})

    def verify(self, request):
        raise Forbidden("nobody is trusted")

    def parse(self, delivery):
        return []
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SettingsFile:
    plugins = Plugins(tmp_path, monkeypatch)
    plugins.install("acme-airlock", source=PLUGIN)
    found = SettingsFile(tmp_path)
    found.entries = plugins.entries()
    return found


def section(key: str) -> str:
    return f"connectors:\n  chat:\n    type: acme\n    key: {key}\n"


def block(style: str) -> str:
    return style + "".join(f"\n      {line}" for line in KEY.splitlines())


@pytest.mark.parametrize("style", ["|", "|-", "|+"])
def test_a_block_holds_a_key(file: SettingsFile, style: str) -> None:
    config = file.load(section(block(style))).connectors["chat"].config
    assert config.key.get_secret_value() == KEY


def test_a_variable_holds_a_key(file: SettingsFile) -> None:
    config = file.load(section("${ACME_KEY}"), {"ACME_KEY": KEY}).connectors["chat"].config
    assert config.key.get_secret_value() == KEY


@pytest.mark.parametrize("style", [">", ""])
def test_a_key_that_yaml_joined_to_one_line_is_named(file: SettingsFile, style: str) -> None:
    (mistake,) = file.mistakes(section(block(style)))
    assert mistake.key == "connectors.chat.key"
    assert mistake.line in {4, 5}
    assert "is on one line; write `|`" in mistake.message
    assert KEY.splitlines()[1] not in str(mistake)
