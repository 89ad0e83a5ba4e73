"""Finds connector classes by `type`: entry points of the group `airlock.connectors`, loaded only when named.

An entry point is code of an installed distribution and runs with the gateway's rights: naming its type in
connectors.yaml means trusting it.
"""

import inspect
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from connectors import API, Connector, ConnectorConfig

from .errors import nearest, quoted

GROUP = "airlock.connectors"


class Unusable(Exception):
    """A type for which no connector can be loaded, with the reason and the known type that was probably meant."""

    def __init__(self, reason: str, suggestion: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.suggestion = suggestion


def installed() -> tuple[EntryPoint, ...]:
    """Return the entry points of all installed connectors, without importing any."""
    return tuple(entry_points(group=GROUP))


def classes() -> list[type[Connector[Any]]]:
    """Return the classes of all installed connectors, sorted by type; raises `Unusable` if one cannot be used."""
    entries = installed()
    return [connector_class(type, entries) for type in sorted({entry.name for entry in entries})]


def connector_class(type: str, entries: Sequence[EntryPoint]) -> type[Connector[Any]]:
    """Return the connector class for `type`; raises `Unusable`, naming the distribution at fault."""
    entry = _find_entry(type, entries)
    return _validate(_import(entry), entry)


def _find_entry(type: str, entries: Sequence[EntryPoint]) -> EntryPoint:
    found = [entry for entry in entries if entry.name == type]
    if not found:
        known = sorted({entry.name for entry in entries})
        suggestion = nearest(type, known)
        offer = "" if suggestion else f"; installed types: {', '.join(known) or 'none'}"
        raise Unusable(f'unknown connector type "{quoted(type)}"{offer}', suggestion)
    if len(found) > 1:
        rivals = " and ".join(sorted(_distribution(entry) for entry in found))
        raise Unusable(f'connector type "{type}" is provided by {rivals}; uninstall all but one')
    return found[0]


def _import(entry: EntryPoint) -> Any:
    try:
        return entry.load()
    except Exception as exc:  # importing a plugin's module may raise anything
        raise Unusable(
            f'connector type "{entry.name}" of {_distribution(entry)} cannot be imported:'
            f" {type(exc).__name__}: {exc}"
        ) from exc


def _validate(found: Any, entry: EntryPoint) -> type[Connector[Any]]:
    def refuse(reason: str) -> Unusable:
        return Unusable(f'connector type "{entry.name}" of {_distribution(entry)} {reason}')

    if not (inspect.isclass(found) and issubclass(found, Connector)):
        raise refuse(f"is not a connector: {entry.value} is not a subclass of connectors.Connector")
    if found.api != API:
        raise refuse(f"is built for connector API {found.api}, but this gateway supports {API}")
    if getattr(found, "name", None) != entry.name:
        raise refuse("declares a different name; its entry point and its `name` must match")
    if missing := ", ".join(sorted(found.__abstractmethods__)):
        raise refuse(f"is incomplete: it does not implement {missing}")
    config = getattr(found, "Config", None)
    if not (inspect.isclass(config) and issubclass(config, ConnectorConfig)):
        raise refuse("has no Config class derived from connectors.ConnectorConfig")
    return found


def _distribution(entry: EntryPoint) -> str:
    if entry.dist is None:
        return "an unnamed distribution"
    return f"{entry.dist.name} {entry.dist.version}"
