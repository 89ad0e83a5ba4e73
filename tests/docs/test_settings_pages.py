"""docs/settings.md and the pages of the platforms name every setting, with its default."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic.fields import FieldInfo

from connectors import ConnectorConfig
from gateway.settings import ConfigError, Settings, load
from gateway.settings.loading import SECTIONS
from gateway.settings.plugins import classes
from gateway.settings.units import duration, size

from .pages import PAGES, ROOT, listings, name_of, rows, section, text_of

PAGE = ROOT / "docs" / "settings.md"
PLATFORMS = {found.name: found for found in classes() if found.__module__.startswith("connectors.")}
SHARED = {name: field for name, field in ConnectorConfig.model_fields.items() if name != "api_url"}

#: Words on the pages for defaults that are empty.
_NONE = {None: {"none", "no limit"}, (): {"none"}}


@pytest.mark.parametrize("name", SECTIONS)
def test_every_setting_is_listed_with_its_default(name: str) -> None:
    listed = rows(section(PAGE, f"## {name}"))
    fields = SECTIONS[name].model_fields
    assert set(listed) - {"key"} == set(fields)
    for key, field in fields.items():
        assert _agrees(listed[key][0], field), f"{name}.{key}: the page says {listed[key][0]}"


def test_every_shared_connector_setting_is_listed_with_its_default() -> None:
    listed = rows(section(PAGE, "## connectors"))
    assert set(listed) - {"key"} == set(ConnectorConfig.model_fields)
    for key, field in SHARED.items():
        assert key == "type" or _agrees(listed[key][0], field)


def test_every_built_in_platform_has_a_page() -> None:
    assert {path.stem for path in (ROOT / "docs" / "platforms").glob("*.md")} == set(PLATFORMS)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_platforms_page_lists_its_settings_with_their_defaults(platform: str) -> None:
    page = ROOT / "docs" / "platforms" / f"{platform}.md"
    listed = rows(section(page, "## Settings"))
    fields = PLATFORMS[platform].Config.model_fields
    assert set(listed) - {"key"} == set(fields) - set(SHARED)
    for key, field in fields.items():
        if key in listed:
            assert _agrees(listed[key][0], field), f"{key}: the page says {listed[key][0]}"


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize(
    "heading", ["## Set up", "## Settings", "## What is received and sent", "## Oddities"]
)
def test_a_platforms_page_has_its_four_parts(platform: str, heading: str) -> None:
    assert section(ROOT / "docs" / "platforms" / f"{platform}.md", heading).strip()


def _yaml() -> list[Any]:
    return [one for page in PAGES for one in listings(page) if one.language == "yaml"]


@pytest.mark.parametrize("listing", _yaml(), ids=str)
def test_settings_shown_on_a_page_can_be_loaded(listing: Any, tmp_path: Path) -> None:
    file = tmp_path / "connectors.yaml"
    content = yaml.safe_load(listing.code)
    file.write_text(yaml.safe_dump(_without_plugins(content)))
    variables = {**_environment(listing.code), **_shown_variables(listing.page)}
    assert isinstance(load(file, variables), Settings)


def test_the_shown_error_messages_match_the_code(tmp_path: Path) -> None:
    (shown,) = (one.code for one in listings(PAGE) if "did you mean" in one.code)
    file = tmp_path / "connectors.yaml"
    file.write_text(
        "# a comment\ngateway:\n  listn: 127.0.0.1:8080\n\nconnectors:\n  sms:\n    type: twilio\n"
        "    account_sid: AC00000000000000000000000000000000\n"
        "    auth_tokens: ['${TWILIO_AUTH_TOKEN}']\n    sender: '+15550002222'\n"
    )
    with pytest.raises(ConfigError) as raised:
        load(file, {})
    assert str(raised.value).replace(f"{tmp_path}/", "") == shown.strip()


def test_the_connectors_yaml_of_the_repository_names_every_setting() -> None:
    text = text_of(ROOT / "connectors.yaml")
    keys = {key for model in SECTIONS.values() for key in model.model_fields}
    assert {key for key in keys if not re.search(rf"^\s*#?\s*{key}:", text, re.MULTILINE)} == set()


def _agrees(cell: str, field: FieldInfo) -> bool:
    """Return whether a cell of the table shows the default; any text will do for a computed one."""
    shown = re.findall(r"`([^`]*)`", cell)
    if field.is_required():
        return cell == "required"
    default = field.default if field.default_factory is None else None
    if field.default_factory is not None:
        return bool(cell)
    if default in _NONE:
        return cell in _NONE[default]
    return any(_same(text, default) for text in shown)


def _same(text: str, default: Any) -> bool:
    match default:
        case bool():
            return text == str(default).lower()
        case int() | float():
            return default in {_number(size, text), _number(duration, text)}
        case _:
            return text.rstrip("/") == str(default).rstrip("/")


def _number(read: Any, text: str) -> float | None:
    try:
        return float(read(text))
    except ValueError:
        return None


def _without_plugins(content: Any) -> Any:
    sections = content.get("connectors") or {}
    content["connectors"] = {k: v for k, v in sections.items() if v["type"] in PLATFORMS}
    return content


def _shown_variables(page: Path) -> dict[str, str]:
    """Return the variables that a page's files for --env-file give to its settings."""
    files = [one.code for one in listings(page) if one.language == "ini"]
    return dict(re.findall(r"^([A-Z_]+)=(.+)$", "\n".join(files), re.MULTILINE))


def _environment(code: str) -> dict[str, str]:
    """Return a value that is accepted for each reference in a listing."""
    names = re.findall(r"\$\{([A-Z_]+)\}", code)
    return {name: _EXAMPLE_SECRETS.get(name, "a-secret-of-a-listing") for name in names}


_EXAMPLE_SECRETS = {
    "NODE": "1",
    "APPLE_MSP_SECRET": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    "CORE_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "WEB_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "TWILIO_ACCOUNT_SID": "AC00000000000000000000000000000000",
}


def test_the_readme_links_to_the_page_of_settings() -> None:
    assert name_of(PAGE) in text_of(ROOT / "README.md")
