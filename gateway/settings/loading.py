"""Loads connectors.yaml into `Settings`, or raises all of its mistakes at once."""

from collections.abc import Mapping, Sequence
from importlib.metadata import EntryPoint
from pathlib import Path as FilePath
from typing import Any

from pydantic import BaseModel, ValidationError

from . import credentials
from .connector_sections import build_connectors
from .errors import ConfigError
from .log_section import LogSettings
from .model import (
    CoreSettings,
    DeskSettings,
    FetchSettings,
    GatewaySettings,
    MediaSettings,
    Settings,
    TraceSettings,
)
from .plugins import installed
from .validation_errors import add_validation_errors
from .webchat import WebchatSection
from .yaml_document import Document, read

SECTIONS: Mapping[str, type[BaseModel]] = {
    "gateway": GatewaySettings,
    "core": CoreSettings,
    "workspace": DeskSettings,
    "media": MediaSettings,
    "fetch": FetchSettings,
    "webchat": WebchatSection,
    "traces": TraceSettings,
    "log": LogSettings,
}


def load(
    path: FilePath, environ: Mapping[str, str], entries: Sequence[EntryPoint] | None = None
) -> Settings:
    """Read and validate the file; raises `ConfigError` with every mistake.

    `entries` are the connectors' entry points, by default all that are installed.
    """
    document = read(path, environ)
    connectors = build_connectors(
        document, installed() if entries is None else entries, _SECTION_OF_KEY
    )
    settings = _validate_settings(
        document, {**_section_values(document), "connectors": connectors}, path.parent
    )
    if settings is None or document.mistakes:
        raise ConfigError(document.mistakes)
    return settings


def data_folder(path: FilePath, environ: Mapping[str, str]) -> FilePath | None:
    """Return `gateway.data`, also of a file with mistakes and missing variables elsewhere; None if it is unknown."""
    document = read(path, environ)
    gateway = document.values.get("gateway") or {}
    data = gateway.get("data", GatewaySettings.model_fields["data"].default)
    if document.is_rejected(("gateway", "data")) or not isinstance(data, str | FilePath):
        return None
    return path.parent / FilePath(data).expanduser()


#: Full name of each key, to suggest the right section for a key in the wrong one.
_SECTION_OF_KEY = {
    # The first section that has a key counts.
    **{
        key: f"{name}.{key}"
        for name, model in reversed(list(SECTIONS.items()))
        for key in model.model_fields
    },
    **{name: name for name in Settings.model_fields},
}


#: A section whose part is absent without it.
_OPTIONAL = frozenset({"webchat"})


def _section_values(document: Document) -> dict[str, Any]:
    # A section that is missing, or whose keys are all commented out, gets its defaults.
    given = {
        name: value
        for name, value in document.values.items()
        if value is not None or name not in SECTIONS
    }
    return {name: {} for name in SECTIONS if name not in _OPTIONAL} | given


def _validate_settings(
    document: Document, values: dict[str, Any], folder: FilePath
) -> Settings | None:
    for name, model in SECTIONS.items():
        for path, message in credentials.find_secret_errors(model, values.get(name), (name,)):
            document.reject(path, message)
    try:
        return Settings.model_validate(values, context={"folder": folder})
    except ValidationError as exc:
        add_validation_errors(document, exc, Settings, section_of_key=_SECTION_OF_KEY)
        return None
