"""Runs in a process of its own: makes a photo safe under a filter of system calls, as a hardened unit sets it.

The allowed calls come as numbers on the standard input. What is not allowed fails with EPERM.
"""

import asyncio
import contextlib
import os
import struct
import sys
from pathlib import Path

from normalizer.media import Limits
from normalizer.sandbox import linux
from normalizer.sanitizer import Sanitizer
from simulator import photo

_LOAD, _EQUALS, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _EPERM = 0x7FFF0000, 0x00050001


def _instruction(code: int, k: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("=HBBI", code, yes, no, k)


def program(numbers: list[int]) -> bytes:
    allowed = [
        _instruction(_EQUALS, number, 0, 1) + _instruction(_RETURN, _ALLOW) for number in numbers
    ]
    return _instruction(_LOAD, 0) + b"".join(allowed) + _instruction(_RETURN, _EPERM)


async def make_safe(source: int) -> None:
    sanitizer = Sanitizer(Limits(), sandboxes=1)
    await sanitizer.start()
    clean = await sanitizer.sanitize(source)
    made = sorted(each.name for each in clean.renditions)
    sys.stdout.write(f"{made} {sanitizer.missing_layers}\n")
    await sanitizer.close()


def main() -> None:
    numbers = [int(number) for number in sys.stdin.read().split()]
    original = Path("photo")
    original.write_bytes(photo(width=320, height=240, seed=1).content)
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    linux.install_filter(program(numbers))
    with contextlib.suppress(PermissionError):
        os.chown(original, 0, 0)
        raise SystemExit("the filter allows chown")
    with original.open("rb") as file:
        asyncio.run(make_safe(file.fileno()))


main()
