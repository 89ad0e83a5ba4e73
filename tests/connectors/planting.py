"""The four connectors with one line changed: what a tired author might write, run through the kit."""

import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import connectors
from connectors.conformance import Conformance

FOLDER = Path(connectors.__file__).parent
SHARED = {"messenger": ("meta",), "whatsapp": ("meta",)}


def planted(sound: type[Conformance], module: str, before: str, after: str) -> type[Conformance]:
    """The examination of a connector whose `module` says `after` where it said `before`."""
    kind = type(sound.connector)
    platform = kind.__module__.removeprefix("connectors.")
    own = [name for name in _modules(platform) if name in sys.modules]
    kept = {name: sys.modules.pop(name) for name in own}
    try:
        _load(module, before, after)
        changed = getattr(import_module(f"connectors.{platform}"), kind.__name__)
    finally:
        for name in _modules(platform):
            sys.modules.pop(name, None)
        sys.modules.update(kept)
        for name, original in kept.items():
            setattr(connectors, name.removeprefix("connectors."), original)
    config = changed.Config.model_validate(sound.connector.config.model_dump())
    return type("Planted", (sound,), {"connector": changed(config)})


def _load(module: str, before: str, after: str) -> None:
    file = FOLDER / f"{module}.py"
    source = file.read_text("utf-8")
    assert source.count(before) == 1, f"{file.name} says {before!r} {source.count(before)} times"
    name = f"connectors.{module}"
    spec = spec_from_file_location(name, file)
    assert spec is not None
    changed = module_from_spec(spec)
    sys.modules[name] = changed
    code: Any = compile(source.replace(before, after), str(file), "exec")
    exec(code, vars(changed))


def _modules(platform: str) -> list[str]:
    files = [file.stem for file in FOLDER.glob(f"{platform}*.py")]
    return [f"connectors.{name}" for name in (*files, *SHARED.get(platform, ()))]
