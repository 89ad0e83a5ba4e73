"""Tolerant access to fields: Meta's payloads hold nulls, lists of one, and numbers where texts are documented."""

from datetime import datetime
from typing import Any

from connectors.tools.entries import Unreadable, as_json, parse_timestamp


def object_of(value: Any) -> dict[str, Any]:
    """The value as an object; a list of one object counts as that object. Empty for anything else."""
    match value:
        case dict():
            return value
        case [dict() as only]:
            return only
    return {}


def required_object(item: dict[str, Any], name: str) -> dict[str, Any]:
    """The object at `item[name]`. Raises Unreadable if it is missing or is not an object."""
    found = object_of(item.get(name))
    if not found:
        raise Unreadable(f"{name} is not an object")
    return found


def words_of(value: Any) -> str | None:
    """The value as text that people can read, None if it is blank or neither text nor a number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = str(value)
    return text if text.strip() else None


def mapping_of(value: Any) -> dict[str, Any] | None:
    """The value as an object for machines; a value that is not an object is kept under `value`."""
    if value is None or value == {}:
        return None
    kept: Any = as_json(value)
    return kept if isinstance(kept, dict) else {"value": kept}


def type_of(card: Any) -> str | None:
    """The type of an attachment, None if it is not an object or has no readable type."""
    return words_of(object_of(card).get("type"))


def name_of(value: Any) -> str | None:
    """An id as text, None if the value cannot be one."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value) or None


def is_set(value: Any) -> bool:
    """Whether a flag is on; as text, it is `true` or `1`."""
    return value is True or (isinstance(value, str | int) and str(value).lower() in {"true", "1"})


def time_of(value: Any) -> datetime | None:
    """A timestamp, None if it cannot be read: a message counts more than its time."""
    try:
        return None if value is None or isinstance(value, bool) else parse_timestamp(value)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
