"""The difference between two settings: what can change while Airlock runs, and what needs a restart."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from connectors import Connector

from .live_connectors import are_equal
from .model import Settings

#: Settings that a component takes over while it runs. Whatever is not listed needs a restart.
_LIVE: Mapping[str, frozenset[str] | None] = {
    "gateway": frozenset({"api_tokens"}),
    "core": frozenset({"url", "secrets", "hold_seconds", "replay_window"}),
    "media": frozenset(
        {
            "photo_max_bytes",
            "photo_max_pixels",
            "preview_max_side",
            "preview_max_bytes",
            "thumbnail_max_bytes",
            "thumbnail_side",
            "video_max_bytes",
            "video_max_length",
            "video",
            "audio_max_bytes",
            "audio_max_seconds",
            "document_max_bytes",
            "document_max_pages",
            "text_max_bytes",
            "scanner",
            "originals",
            "quarantine_max_bytes",
            "retention",
            "link_lifetime",
            "max_photos_per_conversation",
            "duplicate_window",
        }
    ),
    "fetch": frozenset({"allow_private_hosts", "extra_hosts", "own_origins"}),
    "log": None,  # all of it
}


@dataclass(frozen=True, slots=True)
class Changes:
    """What a reload changes. Every name is a key of connectors.yaml; no value is in here.

    `settings` are those to use from now on: the new ones, with the old value of each key in `kept`.
    """

    settings: Settings
    changed: tuple[str, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    #: Settings that have changed in the file and need a restart.
    kept: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.changed or self.added or self.removed)


def compare(old: Settings, new: Settings) -> Changes:
    """Return what changes from one to the other."""
    changed: list[str] = []
    kept: list[str] = []
    updates: dict[str, Any] = {}
    for name, section, replacement in _sections(old, new):
        if section is None or replacement is None:
            # A section that may be left out, and was added or removed.
            kept.append(name)
            updates[name] = section
            continue
        differing = tuple(_differing(section, replacement))
        fixed = {key for key in differing if not _is_live(old, new, name, key)}
        kept += [f"{name}.{key}" for key in differing if key in fixed]
        changed += [f"{name}.{key}" for key in differing if key not in fixed]
        if fixed:
            values = {key: getattr(section, key) for key in fixed}
            updates[name] = replacement.model_copy(update=values)
    changed += _changed_connectors(old.connectors, new.connectors)
    return Changes(
        new.model_copy(update=updates),
        tuple(changed),
        tuple(name for name in new.connectors if name not in old.connectors),
        tuple(name for name in old.connectors if name not in new.connectors),
        tuple(kept),
    )


def _sections(
    old: Settings, new: Settings
) -> Iterator[tuple[str, BaseModel | None, BaseModel | None]]:
    for name in type(old).model_fields:
        sections = getattr(old, name), getattr(new, name)
        if name != "connectors" and sections != (None, None):
            yield name, *sections


def _differing(one: BaseModel, other: Any) -> Iterator[str]:
    for key in type(one).model_fields:
        if getattr(one, key) != getattr(other, key, None):
            yield key


def _is_live(old: Settings, new: Settings, section: str, key: str) -> bool:
    # Pages, tokens and the address of the built-in workspace are fixed at the start.
    if section == "core" and key in {"url", "secrets"}:
        return (old.core.url is None) == (new.core.url is None)
    known = _LIVE.get(section, frozenset())
    return known is None or key in known


def _changed_connectors(
    old: Mapping[str, Connector[Any]], new: Mapping[str, Connector[Any]]
) -> list[str]:
    return [
        f"connectors.{name}.{key}"
        for name, connector in new.items()
        if name in old and not are_equal(old[name], connector)
        for key in _keys(old[name], connector)
    ]


def _keys(old: Connector[Any], new: Connector[Any]) -> list[str]:
    if type(old) is not type(new):
        return ["type"]
    return list(_differing(old.config, new.config))
