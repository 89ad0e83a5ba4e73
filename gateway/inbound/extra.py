"""The platform's own fields of a message: passed on up to a size, because platforms decide what they hold."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson

from connectors import AnyEvent, Echo, Message
from normalizer.events import MAX_EXTRA

#: Names of left-out fields that are listed, and characters of each.
_MAX_NAMES, _MAX_NAME = 50, 100


def bounded(event: AnyEvent) -> AnyEvent:
    """Return the event with at most MAX_EXTRA bytes of `extra`; the names of what is left out are under `omitted`."""
    if not isinstance(event, Message | Echo) or event.extra is None:
        return event
    if len(orjson.dumps(event.extra)) <= MAX_EXTRA:
        return event
    return replace(event, extra=_cut(event.extra))


def _cut(extra: Mapping[str, Any]) -> Mapping[str, Any]:
    """Keep the smallest fields, as many as fit."""
    sizes = {name: len(orjson.dumps({name: value})) for name, value in extra.items()}
    kept: dict[str, Any] = {}
    left, omitted = MAX_EXTRA // 2, []
    for name in sorted(sizes, key=lambda name: (sizes[name], name)):
        if sizes[name] <= left:
            kept[name] = extra[name]
            left -= sizes[name]
        else:
            omitted.append(name[:_MAX_NAME])
    return {**kept, "omitted": sorted(omitted)[:_MAX_NAMES]}
