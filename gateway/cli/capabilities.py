"""`airlock capabilities`: the channels x features chart of every installed connector."""

from collections.abc import Iterable
from typing import Any

from connectors import FEATURES, Connector
from gateway.settings.plugins import classes


def capabilities() -> int:
    print(chart(classes()))
    return 0


def chart(connectors: list[type[Connector[Any]]]) -> str:
    """A Markdown table; notes stand below it."""
    heads = ["feature", *(connector.label for connector in connectors)]
    rows = [
        [feature.replace("_", " "), *(c.capabilities.support(feature) for c in connectors)]
        for feature in FEATURES
    ]
    lines = [_row(heads), _row("---" for _ in heads), *map(_row, rows)]
    notes = [
        f"- {connector.label}, {feature.replace('_', ' ')}: {note}"
        for connector in connectors
        for feature, note in connector.capabilities.notes.items()
    ]
    return "\n".join([*lines, *(["", *notes] if notes else [])])


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"
