"""Connector types from entry points: only named types are loaded, and an unusable one is reported with its line."""

from pathlib import Path

import pytest

from connectors import API
from gateway.settings.plugins import GROUP, Unusable, classes, connector_class, installed

from .plugin_installs import ACME, Plugins
from .settings_files import SettingsFile

CHAT = """
connectors:
  chat:
    type: acme
    app_secrets: [first-secret]
    access_token: some-token
    account: ours
"""


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plugins:
    return Plugins(tmp_path, monkeypatch)


@pytest.fixture
def file(tmp_path: Path, plugins: Plugins) -> SettingsFile:
    del plugins  # its folder is the file's folder
    return SettingsFile(tmp_path)


def test_a_connector_is_created_with_its_settings(plugins: Plugins, file: SettingsFile) -> None:
    plugins.install("acme-airlock")
    file.entries = plugins.entries()

    connector = file.load(CHAT).connectors["chat"]

    assert connector.label == "Acme Chat"
    assert connector.config.type == "acme"
    assert connector.config.photos
    assert connector.config.api == "https://api.acme.example"


def test_a_plugins_secret_that_can_be_guessed_is_refused(
    plugins: Plugins, file: SettingsFile
) -> None:
    plugins.install("acme-airlock")
    file.entries = plugins.entries()

    (mistake,) = file.mistakes(CHAT.replace("some-token", "x"))

    assert mistake.key == "connectors.chat.access_token"
    assert "has one character, which can be guessed" in mistake.message


def test_only_types_named_in_the_file_are_imported(plugins: Plugins, file: SettingsFile) -> None:
    plugins.install("acme-airlock")
    plugins.install("other-airlock", "other", 'raise SystemError("imported")')
    file.entries = plugins.entries()

    file.load(CHAT)

    assert plugins.imported("acme-airlock")
    assert not plugins.imported("other-airlock")


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("import no_such_module", "cannot be imported: ModuleNotFoundError"),
        ("this is not, Python", "cannot be imported: SyntaxError"),
        ('raise RuntimeError("no licence")', "cannot be imported: RuntimeError: no licence"),
        ("Other = 1", "cannot be imported: AttributeError"),
        ("Acme = 5", "is not a subclass of connectors.Connector"),
        ("class Acme: pass", "is not a subclass of connectors.Connector"),
        (ACME + f"\n    api = {API + 1}\n", f"is built for connector API {API + 1}"),
        (ACME.replace('"acme"', '"emca"'), "its entry point and its `name` must match"),
        (ACME.replace("def parse", "def parser"), "is incomplete: it does not implement parse"),
        (ACME.replace("    Config: ClassVar", "    Konfig: ClassVar"), "has no Config"),
        (
            ACME + "\n    def __init__(self, config): raise OSError(config)\n",
            "cannot be created: OSError",
        ),
    ],
)
def test_an_unusable_plugin_is_reported_at_its_connector(
    plugins: Plugins, file: SettingsFile, source: str, sentence: str
) -> None:
    plugins.install("acme-airlock", source=source)
    file.entries = plugins.entries()

    (mistake,) = file.mistakes(CHAT)

    assert sentence in mistake.message
    assert mistake.line in {3, 4}
    assert mistake.key in {"connectors.chat", "connectors.chat.type"}
    assert "some-token" not in str(mistake)


def test_an_import_failure_names_the_plugins_distribution(
    plugins: Plugins, file: SettingsFile
) -> None:
    plugins.install("acme-airlock", source="import no_such_module")
    file.entries = plugins.entries()

    assert file.lines(CHAT) == [
        (
            'connectors.yaml:4: connectors.chat.type: connector type "acme" of acme-airlock 1.0 cannot'
            " be imported: ModuleNotFoundError: No module named 'no_such_module'"
        )
    ]


def test_a_type_from_two_distributions_is_refused(plugins: Plugins, file: SettingsFile) -> None:
    plugins.install("acme-airlock")
    plugins.install("acme-rival")
    file.entries = plugins.entries()

    (mistake,) = file.mistakes(CHAT)

    assert mistake.message == (
        'connector type "acme" is provided by acme-airlock 1.0 and acme-rival 1.0; uninstall all but one'
    )


def test_an_unknown_type_lists_the_installed_types(plugins: Plugins, file: SettingsFile) -> None:
    plugins.install("acme-airlock")
    file.entries = plugins.entries()

    (far,) = file.mistakes("connectors: {chat: {type: pigeon}}")
    (near,) = file.mistakes("connectors: {chat: {type: Acme}}")

    assert far.message == 'unknown connector type "pigeon"; installed types: acme'
    assert (far.nearest, near.nearest) == (None, "acme")


def test_the_built_in_platforms_are_installed_like_any_plugin() -> None:
    assert {entry.name for entry in installed()} >= {
        "apple",
        "instagram",
        "messenger",
        "twilio",
        "whatsapp",
    }
    assert all(entry.group == GROUP for entry in installed())


def test_each_built_in_platform_has_a_connector_class() -> None:
    names = {connector.name for connector in classes()}

    assert names >= {"apple", "instagram", "messenger", "twilio", "whatsapp"}


def test_an_unknown_type_is_refused_without_a_file_too() -> None:
    with pytest.raises(Unusable) as caught:
        connector_class("whatsap", installed())

    assert caught.value.suggestion == "whatsapp"
