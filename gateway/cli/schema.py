"""`airlock schema` and `airlock schema events`: the JSON Schemas of connectors.yaml and of the events."""

import json
from typing import Any

from gateway import settings
from gateway.events import schemas


def print_schema() -> None:
    """The schema of connectors.yaml, with every installed connector."""
    _print(settings.schema())


def print_event_schemas() -> None:
    """One schema that any event matches, with a definition for each type."""
    _print(schemas.schema())


def _print(schema: dict[str, Any]) -> None:
    print(json.dumps(schema, indent=2, ensure_ascii=False))
