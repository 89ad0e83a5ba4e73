"""`airlock capabilities`: prints which features each installed connector supports."""

from collections.abc import Iterable
from typing import Any

from connectors import FEATURES, Connector, Limit
from gateway.settings.plugins import classes


def capabilities() -> int:
    print(chart(classes()))
    return 0


def chart(connectors: list[type[Connector[Any]]]) -> str:
    """Return a Markdown table, followed by notes and the platforms' own limits."""
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
    limits = [
        f"- {connector.label}, {feature.replace('_', ' ')}: {_limit(limit)}"
        for connector in connectors
        for feature, limit in connector.capabilities.limits.items()
    ]
    for below in (notes, limits):
        lines += ["", *below] if below else []
    return "\n".join(lines)


def _limit(limit: Limit) -> str:
    size = f"at most {limit.max_bytes / 1_000_000:g} MB" if limit.max_bytes else ""
    count = f"at most {limit.max_count} in a message" if limit.max_count else ""
    return ", ".join(part for part in (size, count) if part)


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"
