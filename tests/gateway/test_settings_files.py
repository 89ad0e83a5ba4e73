"""Example settings: the repository's connectors.yaml and the contract's example."""

import re
from pathlib import Path
from textwrap import indent

import pytest
import yaml

from connectors import Connector
from gateway.settings import Settings, advice, load
from gateway.settings.loading import SECTIONS
from normalizer.media import Limits

from .settings_files import SettingsFile

REPOSITORY = Path(__file__).parents[2]
TEXT = (REPOSITORY / "connectors.yaml").read_text()
#: 32 bytes in base64, valid as a Standard Webhooks key and as Apple's secret.
KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
ENVIRON = {
    "AIRLOCK_API_TOKEN": "0f" * 32,
    "CORE_SECRET": f"whsec_{KEY}",
    "WA_APP_SECRET": "1a" * 16,
    "WA_VERIFY_TOKEN": "a-word-of-ours",
    "WA_ACCESS_TOKEN": "wa-access-token",
    "IG_APP_SECRET": "4d" * 16,
    "IG_VERIFY_TOKEN": "a-third-word",
    "IG_ACCESS_TOKEN": "instagram-token",
    "FB_APP_SECRET": "2b" * 16,
    "FB_VERIFY_TOKEN": "another-word-of-ours",
    "FB_PAGE_TOKEN": "page-access-token",
    "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "TWILIO_AUTH_TOKEN": "3c" * 16,
    "APPLE_MSP_ID": "11111111-2222-3333-4444-555555555555",
    "APPLE_MSP_SECRET": KEY,
    "APPLE_BUSINESS_ID": "66666666-7777-8888-9999-000000000000",
    "WEB_SECRET": f"whsec_{KEY}",
    "WEB_TOKEN": "web-access-token",
    "SHOP_IDENTITY": "a secret of the shop's back-end",
}
#: The contract's example with values in place of its dots.
CONTRACT = f"""
gateway:
  listen: 127.0.0.1:8080
  public_url: https://chat.example.com
  data: ./airlock-data
  journal: sqlite
  media: file
  api_tokens: ["${{AIRLOCK_API_TOKEN}}"]
core:
  url: https://core.example.com/airlock
  secrets: ["${{CORE_SECRET}}"]
  hold_seconds: 2
media:
  photo_max_bytes: 25MB
  photo_max_pixels: 64000000
  preview_max_side: 4096
  preview_max_bytes: 3MB
  thumbnail_max_bytes: 30kB
  video_max_bytes: 25MB
  video: auto
  scanner: unix:/run/clamav/clamd.ctl
  isolation: full
fetch:
  allow_private_hosts: false
  extra_hosts: []
connectors:
  support-whatsapp:
    type: whatsapp
    app_secrets: ["${{WA_APP_SECRET}}"]
    verify_token: ${{WA_VERIFY_TOKEN}}
    access_token: ${{WA_ACCESS_TOKEN}}
    phone_number_id: "106540352242922"
    api_url: https://graph.facebook.com/v25.0
  brand-instagram:
    type: instagram
    app_secrets: ["{"4d" * 16}"]
    verify_token: a-third-word
    accounts: {{"17841400000000001": instagram-token}}
  brand-messenger:
    type: messenger
    app_secrets: ["{"2b" * 16}"]
    verify_token: another-word
    access_token: page-token
    page_id: "1234567890"
  sms:
    type: twilio
    account_sid: AC{"0" * 32}
    auth_tokens: ["{"3c" * 16}"]
    sender: "+15550002222"
  apple:
    type: apple
    msp_id: 11111111-2222-3333-4444-555555555555
    secrets: ["{KEY}"]
    business_id: 0a1b2c3d-2222-3333-4444-555555555555
    photos: true
    videos: true
  support-web: {{type: web, api_url: https://web.example.com, secrets: ["whsec_{KEY}"], access_token: web-token}}
webchat:
  listen: 127.0.0.1:8090
  public_url: https://web.example.com
  deliver_to: https://chat.example.com/webhooks/support-web
  secrets: ["whsec_{KEY}"]
  access_tokens: [web-token]
  uploads_max_bytes: 2GB
  sites:
    shop:
      origins: ["https://shop.example.com"]
      identity_keys: ["a secret of the shop"]
      anonymous: true
      uploads: always
"""
PLATFORMS = {
    "support-whatsapp": "whatsapp",
    "brand-instagram": "instagram",
    "brand-messenger": "messenger",
    "sms": "twilio",
    "apple": "apple",
    "support-web": "web",
}


def test_the_repositorys_file_loads_without_environment_variables() -> None:
    settings = load(REPOSITORY / "connectors.yaml", {})

    assert settings.connectors == {}
    assert settings.media.limits() == Limits()
    assert settings.gateway.data == REPOSITORY / "airlock-data"


def test_the_repositorys_file_loads_with_all_settings_uncommented(tmp_path: Path) -> None:
    settings = _load(tmp_path, _uncommented(TEXT))

    assert _platforms(settings) == PLATFORMS
    assert settings.core.url == "https://core.example.com/airlock"


def test_the_repositorys_file_names_every_setting() -> None:
    shown = yaml.safe_load(_uncommented(TEXT))

    for section, model in SECTIONS.items():
        assert shown[section].keys() == model.model_fields.keys(), section


def test_defaults_in_the_repositorys_file_are_the_real_defaults(tmp_path: Path) -> None:
    without_default = {
        "gateway": {"public_url", "api_tokens", "node"},
        "core": {"url", "secrets"},
        "workspace": set(),
        "media": {"scanner", "max_photos_per_conversation"},
        "fetch": {"extra_hosts", "own_origins"},
        "traces": {"url"},
        "log": {"format"},
    }
    (tmp_path / "empty.yaml").write_text("")
    default = load(tmp_path / "empty.yaml", {})
    shown = _load(tmp_path, _uncommented(TEXT))

    for section, names in without_default.items():
        given = getattr(shown, section).model_dump(exclude=names)
        assert given == getattr(default, section).model_dump(exclude=names)


def test_the_contracts_example_loads(tmp_path: Path) -> None:
    settings = _load(tmp_path, CONTRACT)

    assert _platforms(settings) == PLATFORMS
    assert settings.gateway.public_url == "https://chat.example.com"
    assert str(settings.media.scanner) == "unix:/run/clamav/clamd.ctl"
    assert settings.connectors["support-whatsapp"].config.api == "https://graph.facebook.com/v25.0"
    assert advice(settings) == ()


def test_settings_from_the_contracts_example_reveal_no_secret(tmp_path: Path) -> None:
    settings = _load(tmp_path, CONTRACT)

    secrets = settings.secrets()

    tokens = {"page-token", "instagram-token"}
    assert secrets >= {ENVIRON["AIRLOCK_API_TOKEN"], ENVIRON["CORE_SECRET"], KEY, *tokens}
    assert len(secrets) == 15
    for shown in (repr(settings), str(settings), settings.model_dump_json()):
        assert not [secret for secret in secrets if secret in shown]


@pytest.mark.parametrize("type", sorted(PLATFORMS.values()))
def test_a_connector_with_only_a_type_reports_missing_keys(tmp_path: Path, type: str) -> None:
    lines = SettingsFile(tmp_path, entries=None).lines(f"connectors:\n  x:\n    type: {type}\n")

    assert len(lines) >= 2
    assert all(line.startswith("connectors.yaml:2: connectors.x") for line in lines)


@pytest.mark.parametrize("type", sorted(PLATFORMS.values()))
def test_a_misspelt_connector_key_suggests_the_nearest(tmp_path: Path, type: str) -> None:
    section = f"connectors:\n  x:\n    type: {type}\n    apiurl: https://api.example.com\n"

    lines = SettingsFile(tmp_path, entries=None).lines(section)

    assert 'connectors.yaml:4: connectors.x.apiurl: unknown key; did you mean "api_url"?' in lines


def _load(folder: Path, text: str) -> Settings:
    path = folder / "connectors.yaml"
    path.write_text(text)
    return load(path, ENVIRON)


def _platforms(settings: Settings) -> dict[str, str]:
    return {name: _name(connector) for name, connector in settings.connectors.items()}


def _name(connector: Connector) -> str:  # type: ignore[type-arg] # any settings type
    return connector.name


def _uncommented(text: str) -> str:
    """Return the file with every `# key: …` uncommented; prose comments stay comments."""
    return re.sub(r"^((?:  )+)# (?=(?:  )*[a-z_-]+:( |$))", r"\1", text, flags=re.MULTILINE)


def test_uncommenting_settings_leaves_prose_comments_alone() -> None:
    lines = "# Sentence: one.\n# key: 1\n# two words: no"

    assert _uncommented(indent(lines, "  ")).split("\n")[1] == "  key: 1"
    assert yaml.safe_load(_uncommented(TEXT))["gateway"]["journal"] == "sqlite"
