"""Decoding of bodies: what a consumer wrote never makes a whole delivery unreadable.

Platforms cut texts at a number of UTF-16 units, which can leave half a character. One such half in one person's text
must not cost the other entries of the delivery: it is replaced by U+FFFD, and everything else stays as it was sent.
"""

import json
import re
from typing import Any
from urllib.parse import parse_qsl

import orjson

from connectors import Connector, inflate

_HALF = re.compile("[\ud800-\udfff]")
_REPLACEMENT = "\ufffd"
#: Fields of a form that are read; a platform's own forms stay far below.
_MAX_FIELDS = 10_000


def decode(body: bytes, connector: Connector[Any]) -> Any:
    """Decode a body as its connector declares it; raise ValueError (or a subclass) if it is something else."""
    match connector.body:
        case "json":
            return decode_json(body)
        case "form":
            text = body.decode(errors="replace")
            fields = parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_FIELDS)
            return {_whole(name): _whole(value) for name, value in fields}
        case "gzip-json":
            return decode_json(inflate(body, connector.max_body))


def decode_json(body: bytes) -> Any:
    """Decode JSON; half characters are replaced, and so are bytes that are not UTF-8. Raises ValueError."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return _decode_tolerantly(body)


def _decode_tolerantly(body: bytes) -> Any:
    try:
        found = json.loads(body.decode(errors="replace"), parse_constant=_refuse)
        return _repaired(found)
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _repaired(value: Any) -> Any:
    match value:
        case str():
            return _whole(value)
        case list():
            return [_repaired(one) for one in value]
        case dict():
            return {_whole(name): _repaired(one) for name, one in value.items()}
        case _:
            return value


def _whole(text: str) -> str:
    return _HALF.sub(_REPLACEMENT, text)
