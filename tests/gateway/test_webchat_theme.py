"""Colours of the web channel's sites in connectors.yaml."""

from pathlib import Path

import pytest

from gateway.settings.warnings import advice

from .settings_files import SettingsFile

CHAT = """
webchat:
  public_url: https://chat.example.com
  deliver_to: https://gateway.example.com/webhooks/support-web
  secrets: ["whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"]
  access_tokens: ["a-token-of-32-characters-for-this"]
  sites:
    shop:
      theme: {%s}
"""


@pytest.fixture
def file(tmp_path: Path) -> SettingsFile:
    return SettingsFile(tmp_path)


def test_theme_that_is_hard_to_read_causes_a_warning(file: SettingsFile) -> None:
    settings = file.load(CHAT % 'brand: "#1fb6ff", radius: 4')
    assert settings.webchat is not None
    assert settings.webchat.sites["shop"].values().theme.css() == (
        ":root { --brand: #1fb6ff; --radius: 4px; }"
    )
    found = [one for one in advice(settings) if one.startswith("webchat.sites.shop.theme.brand: ")]
    assert len(found) == 2
    assert all("the nearest colour that has it is #" in one for one in found)
    readable = file.load(CHAT % 'brand: "#7a1fa2"')
    assert not [one for one in advice(readable) if "theme" in one]


@pytest.mark.parametrize("wrong", ['brand: red; "} body {"', 'brand: "#12"', "radius: 99"])
def test_theme_takes_colours_and_small_radii_alone(file: SettingsFile, wrong: str) -> None:
    assert file.mistakes(CHAT % wrong)
