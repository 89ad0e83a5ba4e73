"""Fills in what should come of a recording, where its author left that out and asks for it: AIRLOCK_RECORD=1 pytest."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

#: Anything but nothing asks for it.
VARIABLE = "AIRLOCK_RECORD"


def mismatch(file: Path, found: Mapping[str, Any], asserted: frozenset[str]) -> str:
    """What is said of a recording that means something else; fills it in if asked and none of `unless` is there.

    The test fails all the same, so that somebody looks at what was written before it counts.
    """
    known = orjson.loads(file.read_bytes())
    if not os.environ.get(VARIABLE) or asserted & known.keys():
        value = orjson.dumps(found).decode()
        where = difference({name: known.get(name) for name in found}, found)
        return f"{file.stem}: {where}. If this is right, record it:\n{value}"
    file.write_bytes(orjson.dumps({**known, **found}, option=orjson.OPT_INDENT_2) + b"\n")
    return f"{file.stem}: written into {file.name}; look at it, and run again"


def difference(recorded: Any, found: Any, path: str = "") -> str:
    """The first place where two JSON values differ, and what stands there."""
    match recorded, found:
        case dict(), dict():
            for name in (*recorded, *(name for name in found if name not in recorded)):
                if recorded.get(name) != found.get(name):
                    return difference(recorded.get(name), found.get(name), f"{path}.{name}")
        case list(), list() if len(recorded) == len(found):
            for number, (one, other) in enumerate(zip(recorded, found, strict=True)):
                if one != other:
                    return difference(one, other, f"{path}.{number}")
    shown = [orjson.dumps(value).decode() for value in (found, recorded)]
    return f"{path.lstrip('.')} is {shown[0]:.120}, and was recorded as {shown[1]:.120}"
