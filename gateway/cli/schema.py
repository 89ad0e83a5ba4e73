"""`airlock schema` and `airlock schema events`: print the JSON Schemas of connectors.yaml and of the events."""

import json
from typing import Any

from gateway import settings
from gateway.events import schemas


def print_schema() -> None:
    """Print the schema of connectors.yaml, including every installed connector."""
    _print(settings.schema())


def print_event_schemas() -> None:
    """Print one schema that every event matches, with a definition for each event type."""
    _print(schemas.schema())


def _print(schema: dict[str, Any]) -> None:
    print(json.dumps(schema, indent=2, ensure_ascii=False))
