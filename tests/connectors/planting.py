"""The built-in connectors with a bug planted in one line, as suites of the conformance kit."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType

import connectors
from connectors.conformance import Conformance


@dataclass(frozen=True, slots=True)
class Planted:
    """`module` of `platform` reads `after` in place of `before`."""

    platform: str
    module: str
    before: str
    after: str


FOLDER = Path(connectors.__file__).parent
SHARED = {"apple": ("jwt",), "messenger": ("messenger_platform", "meta"), "whatsapp": ("meta",)}


def planted(sound: type[Conformance], module: str, before: str, after: str) -> type[Conformance]:
    """The suite of a connector whose `module` reads `after` in place of `before`."""
    kind = type(sound.connector)
    platform = kind.__module__.split(".")[1]
    kept = {name: sys.modules.pop(name) for name in _loaded(platform)}
    finder = _Finder(f"connectors.{module}", before, after)
    sys.meta_path.insert(0, finder)
    try:
        changed = getattr(import_module(f"connectors.{platform}"), kind.__name__)
    finally:
        sys.meta_path.remove(finder)
        for name in _loaded(platform):
            del sys.modules[name]
        sys.modules.update(kept)
        for name, original in kept.items():
            parent, _, last = name.rpartition(".")
            setattr(sys.modules[parent], last, original)
    config = changed.Config.model_validate(sound.connector.config.model_dump())
    return type("Planted", (sound,), {"connector": changed(config)})


def _loaded(platform: str) -> list[str]:
    own = [f"connectors.{name}" for name in (platform, *SHARED.get(platform, ()))]
    return [n for n in sys.modules if n in own or n.startswith(tuple(f"{one}." for one in own))]


class _Finder(MetaPathFinder):
    def __init__(self, name: str, before: str, after: str) -> None:
        self._name, self._before, self._after = name, before, after

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        if fullname != self._name:
            return None
        file = FOLDER.joinpath(*fullname.split(".")[1:]).with_suffix(".py")
        loader = _ChangedSource(fullname, str(file), self._before, self._after)
        return spec_from_file_location(fullname, file, loader=loader)


class _ChangedSource(SourceFileLoader):
    def __init__(self, name: str, file: str, before: str, after: str) -> None:
        super().__init__(name, file)
        self._before, self._after = before, after

    def get_code(self, fullname: str) -> CodeType:
        source = Path(self.path).read_text("utf-8")
        times = source.count(self._before)
        assert times == 1, f"{self.path} holds {self._before!r} {times} times"
        return compile(source.replace(self._before, self._after), self.path, "exec")
