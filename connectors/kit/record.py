"""Completion of recordings: with AIRLOCK_RECORD=1, a recording without results gets the results of this run."""

import os
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any

import orjson

#: The environment variable. Any value turns recording on.
VARIABLE = "AIRLOCK_RECORD"


def mismatch(file: Path, found: Mapping[str, Any], asserted: frozenset[str]) -> str:
    """The message for a recording whose results differ from this run.

    If AIRLOCK_RECORD is set and the recording has none of the `asserted` fields, the results are written to the
    file. The test still fails, so that the author reviews the results.
    """
    known = orjson.loads(file.read_bytes())
    where = difference({name: known.get(name) for name in found}, found)
    if asserted & known.keys():
        return (
            f"{file.stem}: {where}; correct the connector, or, if the new value is right, remove"
            f" {' or '.join(sorted(asserted))} from the file and run with {VARIABLE}=1"
        )
    if not os.environ.get(VARIABLE):
        value = orjson.dumps(found).decode()
        return (
            f"{file.stem}: {where}. If the new value is correct, record it ({VARIABLE}=1):\n{value}"
        )
    file.write_bytes(orjson.dumps({**known, **found}, option=orjson.OPT_INDENT_2) + b"\n")
    return f"{file.stem}: results written to {file.name}; review them and run the test again"


def difference(recorded: Any, found: Any, path: str = "") -> str:
    """The first place where two JSON values differ, and both values there."""
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
    return f"{path.lstrip('.')} is {shown[0]:.120}, but was recorded as {shown[1]:.120}"


def completed(recorded: Any, value: Any) -> Any:
    """`recorded` with the defaults of the fields that it leaves out, as far as it has the shape of `value`.

    A recording stays valid when a later version of the contract adds optional fields to an event.
    """
    match recorded:
        case dict() if is_dataclass(value):
            left_out = {
                field.name: field.default
                for field in fields(value)
                if field.name not in recorded and field.default is not MISSING
            }
            known = {
                name: completed(one, getattr(value, name, None)) for name, one in recorded.items()
            }
            return left_out | known
        case list() if isinstance(value, list | tuple) and len(value) == len(recorded):
            return [completed(one, other) for one, other in zip(recorded, value, strict=True)]
    return recorded
