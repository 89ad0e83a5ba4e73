"""What nodes of the tests do on top of the program; Python runs it at their start.

- A node that is about to decode a file with a certain word in it ends, as a fault of a library in it could end it.
- A node of a newer version, as the environment says, knows further formats of the tables, each with a further column.
"""

import os
import signal
import sys
from collections.abc import Callable, Mapping
from importlib.abc import MetaPathFinder
from importlib.machinery import PathFinder
from typing import Any

FATAL = b"this file ends its node"
#: How many formats of the tables a node knows beyond those of the program.
FURTHER_FORMATS = "AIRLOCK_TEST_FURTHER_FORMATS"


def _end_at_a_fatal_file(module: Any) -> None:
    sanitize = module.Sanitizer.sanitize

    async def fatal(self: Any, descriptor: int, **more: Any) -> Any:
        if FATAL in os.pread(descriptor, 1 << 20, 0):
            os.kill(os.getpid(), signal.SIGKILL)
        return await sanitize(self, descriptor, **more)

    module.Sanitizer.sanitize = fatal


def _know_further_formats(module: Any) -> None:
    known = module.migrations()
    for number in range(int(os.environ.get(FURTHER_FORMATS, "0"))):
        added = f"ALTER TABLE conversation ADD further_{number} text;"
        known[max(known) + 1] = f"-- works with: {max(known)}\n{added}\n"
    module.migrations = lambda: known


_CHANGES: Mapping[str, Callable[[Any], None]] = {
    "normalizer.sanitizer": _end_at_a_fatal_file,
    "gateway.journal.postgresql.schema": _know_further_formats,
}


class _Hook(MetaPathFinder):
    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name not in _CHANGES:
            return None
        spec = PathFinder.find_spec(name, path, target)
        assert spec is not None
        assert spec.loader is not None
        execute = spec.loader.exec_module

        def exec_module(module: Any) -> None:
            execute(module)
            _CHANGES[name](module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


sys.meta_path.insert(0, _Hook())
