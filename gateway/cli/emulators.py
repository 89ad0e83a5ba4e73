"""Emulated platforms for `airlock demo` and `airlock simulate`: the built-in ones and those of installed plugins.

A plugin registers its own in the entry-point group `airlock.emulators`: the name is the `type` of its connector,
the value a subclass of `simulator.Platform`.
"""

import inspect
from collections.abc import Collection
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from gateway.settings.plugins import Unusable
from simulator import PLATFORMS, Platform, photo, video
from simulator.scenario import Line, somebody, story

GROUP = "airlock.emulators"


def emulators() -> dict[str, type[Platform]]:
    """Return every emulated platform by the `type` of its connector; raises `Unusable` if one cannot be loaded."""
    entries = {entry.name: entry for entry in entry_points(group=GROUP)}
    from_plugins = {
        name: _emulator(entry) for name, entry in entries.items() if name not in PLATFORMS
    }
    return {**PLATFORMS, **from_plugins}


def lines(platforms: Collection[str]) -> list[Line]:
    """Return the messages that the demo sends on these platforms. Creating their files takes a few seconds."""
    story_lines = story() if not PLATFORMS.keys().isdisjoint(platforms) else []
    built_in = [line for line in story_lines if line.platform in platforms]
    return [
        *built_in,
        *(line for name in platforms if name not in PLATFORMS for line in _lines(name)),
    ]


def _lines(platform: str) -> list[Line]:
    lamp = photo("bicycle", 1200, 900, seed=51, name="IMG_1011.JPG")
    ride = video("bicycle", 3.0, 480, 270, seed=52, name="ride.mp4")
    return [
        Line(platform, somebody(platform), "Good evening! My bike came without its lamp."),
        Line(platform, somebody(platform), "This is how it looks", (lamp,)),
        Line(platform, somebody(platform), None, (ride,)),
    ]


def _emulator(entry: EntryPoint) -> type[Platform]:
    source = f"{entry.dist.name} {entry.dist.version}" if entry.dist else "an unnamed distribution"
    try:
        found: Any = entry.load()
    except Exception as exc:  # importing a plugin's module may raise anything
        raise Unusable(
            f'the emulator "{entry.name}" of {source} cannot be imported:'
            f" {type(exc).__name__}: {exc}; fix or uninstall it"
        ) from exc
    if not (inspect.isclass(found) and issubclass(found, Platform)):
        raise Unusable(
            f'the emulator "{entry.name}" of {source} is not a subclass of simulator.Platform'
        )
    return found
