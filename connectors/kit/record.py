"""Fills in what should come of a recording, where its author left that out and asks for it: AIRLOCK_RECORD=1 pytest."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

#: Anything but nothing asks for it.
ASKED = "AIRLOCK_RECORD"


def unlike(file: Path, found: Mapping[str, Any], unless: frozenset[str]) -> str:
    """What is said of a recording that means something else; fills it in if asked and none of `unless` is there.

    The test fails all the same, so that somebody looks at what was written before it counts.
    """
    known = orjson.loads(file.read_bytes())
    if not os.environ.get(ASKED) or unless & known.keys():
        told = orjson.dumps(found).decode()
        wrong = difference({name: known.get(name) for name in found}, found)
        return f"{file.stem}: {wrong}. If this is right, record it:\n{told}"
    file.write_bytes(orjson.dumps({**known, **found}, option=orjson.OPT_INDENT_2) + b"\n")
    return f"{file.stem}: written into {file.name}; look at it, and run again"


def difference(recorded: Any, found: Any, at: str = "") -> str:
    """The first place where two JSON values differ, and what stands there."""
    match recorded, found:
        case dict(), dict():
            for name in (*recorded, *(name for name in found if name not in recorded)):
                if recorded.get(name) != found.get(name):
                    return difference(recorded.get(name), found.get(name), f"{at}.{name}")
        case list(), list() if len(recorded) == len(found):
            for number, (one, other) in enumerate(zip(recorded, found, strict=True)):
                if one != other:
                    return difference(one, other, f"{at}.{number}")
    shown = [orjson.dumps(value).decode() for value in (found, recorded)]
    return f"{at.lstrip('.')} is {shown[0]:.120}, and was recorded as {shown[1]:.120}"
