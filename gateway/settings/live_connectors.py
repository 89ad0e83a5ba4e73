"""The connectors that are in force. They change when the settings are read again, and every component sees it."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

from connectors import Connector


class LiveConnectors(Mapping[str, Connector[Any]]):
    """The connectors by name. `replace` changes them; a component that holds this mapping needs no other news.

    A connector whose settings stay the same stays the same object, with its tokens and its open calls.
    """

    def __init__(self, connectors: Mapping[str, Connector[Any]]) -> None:
        self._now = dict(connectors)
        self._removed: dict[str, Connector[Any]] = {}
        #: Set, and replaced by a new one, when the connectors change.
        self.changed = asyncio.Event()

    def __getitem__(self, name: str) -> Connector[Any]:
        return self._now[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._now)

    def __len__(self) -> int:
        return len(self._now)

    def even_removed(self) -> Mapping[str, Connector[Any]]:
        """Return the connectors with those that were removed: they parse what was accepted before."""
        return {**self._removed, **self._now}

    def replace(self, connectors: Mapping[str, Connector[Any]]) -> None:
        before, self._now = (
            self._now,
            {
                name: self._unchanged(name, connector) or connector
                for name, connector in connectors.items()
            },
        )
        self._removed |= {name: old for name, old in before.items() if name not in self._now}
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()

    def _unchanged(self, name: str, connector: Connector[Any]) -> Connector[Any] | None:
        current = self._now.get(name)
        return current if current is not None and are_equal(current, connector) else None


def live(connectors: Mapping[str, Connector[Any]]) -> LiveConnectors:
    """Return the mapping itself if it can change, otherwise one that contains the same."""
    return connectors if isinstance(connectors, LiveConnectors) else LiveConnectors(connectors)


def are_equal(one: Connector[Any], other: Connector[Any]) -> bool:
    """Whether two connectors are of one type and have the same settings."""
    return type(one) is type(other) and bool(one.config == other.config)
