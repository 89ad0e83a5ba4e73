"""Damaged deliveries: the changes that platforms, proxies and attackers make to JSON."""

import copy
from random import Random
from typing import Any

from .paths import copied_json

#: Nested deeper than the journal can store.
_DEEP: Any = []
for _ in range(400):
    _DEEP = [_DEEP]

_WRONG_VALUES: tuple[Any, ...] = (
    *(None, True, -1, 0, 10**30, 1e308, "", "x", "\x00", "💥" * 3000, "9" * 30),
    *([], {}, [[]], [None], {"": None}, {"id": {"id": []}}, _DEEP),
)


def damaged(content: Any, random: Random) -> Any:
    """A copy in which one value, at any depth, is replaced, removed, doubled or wrapped."""
    broken = [copied_json(content)]
    holder, key = random.choice(_positions(broken))
    match random.randrange(4):
        case 0:
            holder[key] = random.choice(_WRONG_VALUES)
        case 1:
            holder[key] = [holder[key], copy.deepcopy(holder[key])]
        case 2:
            holder[key] = {"wrapped": holder[key]}
        case _ if isinstance(holder, dict):
            del holder[key]
        case _:
            holder[key] = None
    return broken[0]


def _positions(holder: Any) -> list[tuple[Any, Any]]:
    """Every position in a JSON value: its container, and its key or index there."""
    keys = list(holder) if isinstance(holder, dict) else range(len(holder))
    found = [(holder, key) for key in keys]
    inner = [holder[key] for key in keys if isinstance(holder[key], dict | list)]
    return found + [location for value in inner for location in _positions(value)]
