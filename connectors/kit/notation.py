"""The notation for calls, replies and results in recordings: JSON that omits default values."""

import base64
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields
from datetime import datetime
from typing import Any

import orjson

from connectors.capabilities import TextLimits
from connectors.contract import AesCtr, Call, Download, Purpose, Reply, Response, Sent, Token
from connectors.errors import Rejected

#: The default values in a recorded refusal.
_DEFAULTS = {"retry": False, "after": None, "operator": False, "code": None, "detail": ""}
#: Fields that a recorded refusal may leave out whatever they are.
_OPTIONAL = ("code", "detail")


def shown(value: Any) -> Any:
    """Convert a call, or the result of a flow, to JSON without default values."""
    match value:
        case Response():
            return {**asdict(value), "body": value.body.decode()}
        case bytes():
            return base64.b64encode(value).decode()
        case Rejected():
            found = {name: getattr(value, name) for name in _DEFAULTS}
            return {"reason": value.reason, **{k: v for k, v in found.items() if v != _DEFAULTS[k]}}
        case Call() | Download() | Sent() | AesCtr() | Token() | TextLimits():
            given = {field.name: (getattr(value, field.name), field) for field in fields(value)}
            return {k: shown(v) for k, (v, field) in given.items() if not _is_default(v, field)}
        case frozenset():
            return sorted(value)
        case datetime():
            return value.isoformat()
        case Mapping():
            return {name: shown(inner) for name, inner in value.items()}
        case _:
            return value


def comparable(found: Mapping[str, Any], recorded: Mapping[str, Any]) -> dict[str, Any]:
    """Return the refusal `found` without the optional fields that the recorded one does not show."""
    return {
        name: value for name, value in found.items() if name in recorded or name not in _OPTIONAL
    }


def _is_default(value: Any, field: Any) -> bool:
    if field.default_factory is not MISSING:
        return bool(value == field.default_factory())
    return bool(field.default is not MISSING and value == field.default)


def reply_of(raw: Mapping[str, Any], purpose: Purpose) -> Reply:
    """Convert a recorded reply. By default, a reply is a success without headers and content."""
    status, headers, content = raw.get("status", 200), raw.get("headers", {}), raw.get("content")
    return Reply(status, headers, content, orjson.dumps(content), purpose)
