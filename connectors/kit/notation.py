"""How calls, replies and the ends of flows are written in recordings: as JSON, without what is as usual."""

import base64
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields
from typing import Any

import orjson

from connectors.contract import AesCtr, Call, Download, Purpose, Reply, Response, Sent
from connectors.errors import Rejected

#: What a refusal is, unless its recording says otherwise.
_MILD = {"retry": False, "after": None, "operator": False}


def shown(value: Any) -> Any:
    """A call or what a flow ended with as JSON, without what is as usual."""
    match value:
        case Response():
            return {**asdict(value), "body": value.body.decode()}
        case bytes():
            return base64.b64encode(value).decode()
        case Rejected():
            found = {name: getattr(value, name) for name in _MILD}
            return {"reason": value.reason, **{k: v for k, v in found.items() if v != _MILD[k]}}
        case Call() | Download() | Sent() | AesCtr():
            told = {one.name: (getattr(value, one.name), one) for one in fields(value)}
            return {k: shown(v) for k, (v, one) in told.items() if not _usual(v, one)}
        case frozenset():
            return sorted(value)
        case Mapping():
            return {name: shown(inner) for name, inner in value.items()}
        case _:
            return value


def _usual(value: Any, one: Any) -> bool:
    if one.default_factory is not MISSING:
        return bool(value == one.default_factory())
    return bool(one.default is not MISSING and value == one.default)


def reply_of(raw: Mapping[str, Any], purpose: Purpose) -> Reply:
    """A reply as a recording has it: a success without headers or content where it does not say."""
    status, headers, content = raw.get("status", 200), raw.get("headers", {}), raw.get("content")
    return Reply(status, headers, content, orjson.dumps(content), purpose)
