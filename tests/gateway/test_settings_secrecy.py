"""Settings never reveal a secret: not in repr, dumps or tracebacks, nor in the message of a mistake."""

import pickle
import traceback
from pathlib import Path

import pytest

from gateway.settings import ConfigError

from .plugin_installs import Plugins
from .settings_files import SettingsFile

GOOD = """
gateway: {api_tokens: [api-token-in-clear]}
core: {secrets: [whsec_c2VjcmV0LWtleS1vZi0yNC1ieXRlcw==]}
connectors:
  chat:
    type: acme
    app_secrets: [app-secret-in-clear, "${ROTATED}"]
    access_token: access-token-in-clear
    account: ours
"""
ENVIRON = {"HUNTER": "hunter2-in-clear"}
SECRETS = {
    "api-token-in-clear",
    "whsec_c2VjcmV0LWtleS1vZi0yNC1ieXRlcw==",
    "app-secret-in-clear",
    "rotated-secret-in-clear",
    "access-token-in-clear",
}


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SettingsFile:
    plugins = Plugins(tmp_path, monkeypatch)
    plugins.install("acme-airlock")
    return SettingsFile(tmp_path, plugins.entries())


def test_settings_reveal_no_secret(file: SettingsFile) -> None:
    settings = file.load(GOOD, {"ROTATED": "rotated-secret-in-clear"})

    for shown in (
        repr(settings),
        str(settings),
        settings.model_dump_json(),
        str(settings.model_dump()),
        repr(settings.connectors["chat"].config),
    ):
        assert "in-clear" not in shown
        assert "whsec_" not in shown
        assert "****" in shown or "SecretStr" not in shown


def test_settings_list_every_secret_for_masking(file: SettingsFile) -> None:
    assert file.load(GOOD, {"ROTATED": "rotated-secret-in-clear"}).secrets() == SECRETS


@pytest.mark.parametrize(
    "text",
    [
        "core: {secrets: [hunter2-in-clear]}",
        "core: {secrets: {hunter2: hunter2-in-clear}}",
        "core: {secrets: hunter2-in-clear}",
        "core: {secrets: ['${HUNTER}']}",
        "core: {hold_seconds: '${HUNTER}'}",
        "core: {url: '${HUNTER}'}",
        "core: {url: https://ann:hunter2-in-clear@core.example.com}",
        "core: {url: 'https://core.example.com:hunter2-in-clear'}",
        "gateway: {listen: '${HUNTER}'}",
        "gateway: {api_tokens: hunter2-in-clear}",
        "gateway: {api_tokens: [{a: hunter2-in-clear}]}",
        "gateway: {api_tokens: [' hunter2-in-clear']}",
        "gateway: {api_tokens: ['hunter2-in-clear${']}",
        "gateway: {journal: 'postgresql://ann:hunter2-in-clear@db/airlock'}",
        "gateway: {journal: 'mysql://ann:hunter2-in-clear@db/airlock'}",
        "gateway: {media: 's3://hunter2-in-clear@bucket'}",
        "gateway: {api_tokens: [*hunter2-in-clear]}",
        "gateway: {api_tokens: [!hunter2-in-clear x]}",
        "gateway: {api_tokens: [!hunter2-in-clear!x y]}",
        "gateway: {api_tokens: [hunter2-in-clear",
        'gateway: {api_tokens: ["hunter2-in-clear\\q"]}',
        "gateway:\n  api_tokens: hunter2-in-clear: x",
        "gateway: &hunter2-in-clear\ncore: &hunter2-in-clear\n",
        "gateway: hunter2-in-clear",
        "hunter2-in-clear",
        "connectors: hunter2-in-clear",
        "connectors: {chat: hunter2-in-clear}",
        "connectors: {chat: {type: '${HUNTER}'}}",
        "connectors: {chat: {type: acme, account: hunter2-in-clear, api_url: hunter2-in-clear}}",
        "connectors: {chat: {type: acme, access_token: [hunter2-in-clear]}}",
        "connectors: {chat: {type: acme, colour: 'green ${HUNTER}'}}",
        "connectors: {chat: {type: acme, access_token: green-in-clear, colour: green-in-clear}}",
        (
            "connectors: {chat: {type: acme, app_secrets: [a], access_token: a, account: a,"
            " colour: broken}}"
        ),
    ],
)
def test_no_mistake_quotes_a_secret(file: SettingsFile, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        file.load(text, ENVIRON)

    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value.mistakes)
    assert "in-clear" not in shown


def test_secrets_in_a_plugins_message_are_masked(file: SettingsFile) -> None:
    (mistake,) = file.mistakes(
        GOOD + "    colour: green ${ROTATED}\n", {"ROTATED": "rotated-secret-in-clear"}
    )

    assert mistake.message == "green *** is not to be had"


def test_a_mistake_can_be_pickled(file: SettingsFile) -> None:
    mistakes = file.mistakes("a: 1\n")

    assert pickle.loads(pickle.dumps(mistakes)) == mistakes
