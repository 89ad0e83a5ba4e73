"""The section `webchat` of connectors.yaml: its mistakes, and what deserves a warning."""

from pathlib import Path

import pytest

from gateway.cli.chat import chat as run_chat
from gateway.settings.warnings import advice

from .settings_files import SettingsFile

CHAT = """
webchat:
  public_url: {public_url}
  deliver_to: http://127.0.0.1:8080/webhooks/support-web
  secrets: ["whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"]
  access_tokens: ["a-token-of-the-gateway"]
  sites:
    shop: {site}
fetch: {fetch}
connectors:
  support-web:
    type: web
    api_url: http://127.0.0.1:8090
    secrets: ["whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"]
    access_token: a-token-of-the-gateway
"""


def chat(public_url: str = "https://chat.example.com", site: str = "{}", fetch: str = "{}") -> str:
    return CHAT.format(public_url=public_url, site=site, fetch=fetch)


@pytest.fixture
def file(tmp_path: Path) -> SettingsFile:
    return SettingsFile(tmp_path, entries=None)


def test_the_section_becomes_the_servers_settings(file: SettingsFile) -> None:
    settings = file.load(chat(site="{origins: [HTTPS://Shop.Example.com], uploads: after_reply}"))
    assert settings.webchat is not None
    own = settings.webchat.settings(Path("/data"))
    assert own.data == Path("/data/webchat")
    assert own.sites["shop"].origins == ("https://shop.example.com",)
    assert own.sites["shop"].uploads == "after_reply"
    assert own.sites["shop"].limits.file_bytes == 25_000_000
    assert (own.origin, own.media_source) == ("https://chat.example.com", "http://127.0.0.1:8080")
    assert "a-token-of-the-gateway" in settings.secrets()


@pytest.mark.parametrize(
    ("site", "mistake"),
    [
        ("{origins: [shop.example.com]}", "origins[0]"),
        ("{origins: ['https://shop.example.com/chat']}", "must not have a path"),
        ("{accept: [hologram]}", "accept[0]"),
        ("{uploads: sometimes}", "uploads"),
        ("{limits: {sessions_per_hour: 0}}", "sessions_per_hour"),
        ("{orgins: []}", 'did you mean "origins"?'),
        ("{identity_keys: [abc]}", "identity_keys[0]"),
    ],
)
def test_mistakes_of_a_site_name_the_key(file: SettingsFile, site: str, mistake: str) -> None:
    (line,) = file.lines(chat(site=site))
    assert "webchat.sites.shop" in line
    assert mistake in line


def test_a_platform_of_ours_that_is_closed_causes_a_warning(file: SettingsFile) -> None:
    def warned(fetch: str) -> bool:
        found = advice(file.load(chat(fetch=fetch)))
        return any(
            "connectors.support-web.api_url: plain http, which is ref" in one for one in found
        )

    assert warned("{}")
    assert warned("{own_origins: ['http://127.0.0.1:8091']}")
    assert not warned("{own_origins: ['http://127.0.0.1:8090']}")
    assert not warned("{allow_private_hosts: true}")


def test_plain_http_of_the_chat_causes_a_warning(file: SettingsFile) -> None:
    found = advice(file.load(chat(public_url="http://chat.example.com")))
    assert any(one.startswith("webchat.public_url: plain http") for one in found)


def test_several_nodes_with_a_chat_cause_a_warning(file: SettingsFile) -> None:
    nodes = (
        "gateway: {journal: 'postgresql://db/airlock'}\n"
        "core: {url: https://core.example.com, secrets: [whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3]}\n"
    )
    found = advice(file.load(nodes + chat()))
    assert any(one.startswith("webchat: its conversations are in a SQLite file") for one in found)


def test_the_chat_alone_needs_its_section(
    file: SettingsFile, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_chat(file.load("")) == 2
    assert "have no section webchat" in capsys.readouterr().err
