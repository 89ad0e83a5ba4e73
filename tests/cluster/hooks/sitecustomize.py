"""Ends a node that is about to decode a file with a certain word in it, as a fault of a library in it could."""

import os
import signal
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import PathFinder
from typing import Any

FATAL = b"this file ends its node"


class _Hook(MetaPathFinder):
    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name != "normalizer.sanitizer":
            return None
        sys.meta_path.remove(self)
        spec = PathFinder.find_spec(name, path, target)
        assert spec is not None
        assert spec.loader is not None
        execute = spec.loader.exec_module

        def exec_module(module: Any) -> None:
            execute(module)
            sanitize = module.Sanitizer.sanitize

            async def fatal(self: Any, descriptor: int, **more: Any) -> Any:
                if FATAL in os.pread(descriptor, 1 << 20, 0):
                    os.kill(os.getpid(), signal.SIGKILL)
                return await sanitize(self, descriptor, **more)

            module.Sanitizer.sanitize = fatal

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


sys.meta_path.insert(0, _Hook())
