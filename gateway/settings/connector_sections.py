"""Builds each connector from its section: finds the class, validates the settings, creates the instance."""

import re
from collections.abc import Sequence
from importlib.metadata import EntryPoint
from typing import Any

from pydantic import ValidationError

from connectors import Connector, ConnectorConfig

from . import credentials
from .errors import Path
from .plugins import Unusable, connector_class
from .validation_errors import add_validation_errors
from .yaml_document import Document

#: Pattern of a connector's name, which is part of its URL and the `source` of its events.
SLUG = "[A-Za-z0-9]([A-Za-z0-9_-]{0,62}[A-Za-z0-9])?"


def build_connectors(
    document: Document, entries: Sequence[EntryPoint], section_of_key: dict[str, str]
) -> dict[str, Connector[Any]]:
    """Build the connectors that the document names; mistakes in their sections are added to the document."""
    sections = document.values.get("connectors")
    if sections is None:
        return {}
    if not isinstance(sections, dict):
        document.reject(
            ("connectors",), "must be a section with one named entry for each connector"
        )
        return {}
    built = {name: _Section(document, name, section_of_key).build(entries) for name in sections}
    return {name: connector for name, connector in built.items() if connector is not None}


class _Section:
    """One connector's section."""

    def __init__(self, document: Document, name: str, section_of_key: dict[str, str]) -> None:
        self.document = document
        self.name = name
        self.at: Path = ("connectors", name)
        self.content: Any = document.values["connectors"][name]
        self.section_of_key = section_of_key

    def build(self, entries: Sequence[EntryPoint]) -> Connector[Any] | None:
        if not re.fullmatch(SLUG, self.name):
            self.document.add_mistake(
                self.at, "cannot be used in a URL; use letters and digits, with - or _ between them"
            )
        if not isinstance(self.content, dict):
            self.document.reject(self.at, "must be a section with a `type`")
            return None
        found = self.connector_class(entries)
        config = self.config(found) if found else None
        return self.instance(found, config) if found and config else None

    def connector_class(self, entries: Sequence[EntryPoint]) -> type[Connector[Any]] | None:
        type = self.content.get("type")
        path = (*self.at, "type")
        if not isinstance(type, str) or not type:
            known = ", ".join(sorted({entry.name for entry in entries}))
            self.document.reject(path, f"is required; one of {known or 'none installed'}")
        elif not self.document.is_rejected(path):
            try:
                return connector_class(type, entries)
            except Unusable as exc:
                self.document.reject(path, self.mask_secrets(exc.reason), exc.suggestion)
        return None

    def config(self, found: type[Connector[Any]]) -> ConnectorConfig | None:
        model = found.Config
        for path, message in credentials.find_secret_errors(model, self.content, self.at):
            self.document.reject(path, message)
        try:
            config = model.model_validate(self.content)
        except ValidationError as exc:
            secrets = {
                *credentials.secret_texts(model, self.content),
                *self.document.inserted_values,
            }
            add_validation_errors(self.document, exc, model, self.at, self.section_of_key, secrets)
            return None
        except Exception as exc:  # noqa: BLE001 - a plugin's validator may raise anything
            self.add_failure("cannot read its settings", exc)
            return None
        # The types of `connectors` check this, too; a plugin may use SecretStr.
        for path, message in credentials.find_short_secrets(config, self.at):
            self.document.reject(path, message)
        if config.api_url.username or config.api_url.password:
            path = (*self.at, "api_url")
            self.document.reject(path, "must not contain a user name or a password")
        return config

    def instance(
        self, found: type[Connector[Any]], config: ConnectorConfig
    ) -> Connector[Any] | None:
        try:
            return found(config)
        except Exception as exc:  # noqa: BLE001 - a plugin's constructor may raise anything
            self.add_failure("cannot be created", exc)
            return None

    def add_failure(self, what: str, exc: Exception) -> None:
        # Report only the exception's type: its text may quote a setting.
        reason = f"the connector {what}: {type(exc).__name__}"
        self.document.add_mistake(self.at, reason)

    def mask_secrets(self, message: str) -> str:
        return credentials.mask(message, self.document.inserted_values)
