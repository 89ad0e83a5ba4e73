"""The JSON Schema of connectors.yaml matches what the loader accepts."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.settings import schema
from gateway.settings.loading import SECTIONS

from .plugin_installs import Plugins


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plugins:
    plugins = Plugins(tmp_path, monkeypatch)
    plugins.install("acme-airlock")
    return plugins


def test_the_schema_is_json_and_names_every_setting(plugins: Plugins) -> None:
    found = json.loads(json.dumps(schema(plugins.entries())))

    assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert found["additionalProperties"] is False
    assert list(found["properties"]) == [*SECTIONS, "connectors"]
    for section, model in SECTIONS.items():
        definition = found["$defs"][section]
        assert definition["properties"].keys() == model.model_fields.keys()
        assert definition["additionalProperties"] is False


def test_every_key_has_a_description() -> None:
    undescribed = [place for place, value in _properties(schema()) if not value.get("description")]

    assert undescribed == []


def test_connectors_are_distinguished_by_type(plugins: Plugins) -> None:
    plugins.install("beta-airlock", "beta", _renamed("beta"))
    found = schema(plugins.entries())

    connector = found["properties"]["connectors"]["additionalProperties"]

    assert connector["properties"]["type"]["enum"] == ["acme", "beta"]
    assert connector["oneOf"] == [
        {"$ref": "#/$defs/connectors.acme"},
        {"$ref": "#/$defs/connectors.beta"},
    ]
    for type in ("acme", "beta"):
        definition = found["$defs"][f"connectors.{type}"]
        assert definition["properties"]["type"]["const"] == type
        assert definition["required"] == ["type", "app_secrets", "access_token", "account"]
        assert definition["additionalProperties"] is False


def test_every_reference_has_a_definition(plugins: Plugins) -> None:
    for found in (schema(plugins.entries()), schema()):
        places = {value for key, value in _pairs(found) if key == "$ref"}

        assert places <= {f"#/$defs/{name}" for name in found["$defs"]}
        assert places


def test_two_plugins_may_use_the_same_model_name(plugins: Plugins) -> None:
    plugins.install("beta-airlock", "beta", _renamed("beta").replace("opens:", "from_:"))
    definitions = schema(plugins.entries())["$defs"]

    assert "opens" in definitions["connectors.acme.Window"]["properties"]
    assert "from_" in definitions["connectors.beta.Window"]["properties"]


def test_an_unloadable_plugin_does_not_break_the_schema(plugins: Plugins) -> None:
    plugins.install("broken-airlock", "broken", "import no_such_module")
    definitions = schema(plugins.entries())["$defs"]

    assert "cannot be imported" in definitions["connectors.broken"]["description"]
    assert "app_secrets" in definitions["connectors.acme"]["properties"]


def test_a_schema_exists_without_any_plugin() -> None:
    connector = schema(())["properties"]["connectors"]["additionalProperties"]

    assert "oneOf" not in connector  # an empty oneOf is not a valid schema


def test_every_restricted_value_may_come_from_the_environment(plugins: Plugins) -> None:
    definitions = schema(plugins.entries())["$defs"]

    for section, key in [
        ("gateway", "listen"),
        ("gateway", "public_url"),
        ("core", "hold_seconds"),
        ("media", "photo_max_bytes"),
        ("media", "photo_max_pixels"),
        ("media", "video"),
        ("media", "scanner"),
        ("fetch", "allow_private_hosts"),
        ("connectors.acme", "photos"),
        ("connectors.acme", "api_url"),
        ("connectors.acme", "signature"),
    ]:
        branches = definitions[section]["properties"][key]["anyOf"]
        assert any(r"\$\{" in branch.get("pattern", "") for branch in branches), key


def test_secrets_are_marked_and_have_no_default(plugins: Plugins) -> None:
    definitions = schema(plugins.entries())["$defs"]
    token = definitions["connectors.acme"]["properties"]["access_token"]

    assert (token["format"], token["writeOnly"]) == ("password", True)
    assert "default" not in token


def _renamed(name: str) -> str:
    from .plugin_installs import ACME

    return ACME.replace('name = "acme"', f'name = "{name}"')


def _properties(found: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, definition in {"": found, **found["$defs"]}.items():
        for key, value in definition.get("properties", {}).items():
            yield f"{name}.{key}", value


def _pairs(value: Any) -> Iterator[tuple[str, Any]]:
    match value:
        case dict():
            for key, part in value.items():
                yield key, part
                yield from _pairs(part)
        case list():
            for part in value:
                yield from _pairs(part)
