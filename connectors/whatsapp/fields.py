"""Reading of optional fields: a value of the wrong type counts as absent, so that it costs nothing but itself."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connectors.tools.entries import listed, parse_timestamp

#: The fields of a message around its content: who wrote it, when, and what led to it.
_ENVELOPE = frozenset(
    {
        *("id", "timestamp", "type", "context", "referral", "group_id", "history_context"),
        *("from", "from_user_id", "from_parent_user_id", "to", "to_user_id", "to_parent_user_id"),
    }
)

#: Any character but spaces and those that look like nothing: joiners, marks of direction, fillers.
_VISIBLE = re.compile(
    r"[^\s\x00-\x1f\u00ad\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0]"
)


def fields(value: Any) -> Mapping[str, Any]:
    """The object, or an empty one."""
    return value if isinstance(value, dict) else {}


def words(value: Any) -> str | None:
    """The text, unless it is blank."""
    return value if isinstance(value, str) and _VISIBLE.search(value) else None


def lines(*texts: str | None) -> str | None:
    """The texts that are there, each on a line of its own."""
    return "\n".join(text for text in texts if text) or None


def time_of(raw: Mapping[str, Any], name: str = "timestamp") -> datetime | None:
    """The time of an entry. A message without a valid time is still a message."""
    try:
        return parse_timestamp(raw.get(name))
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def rest_of(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a message as it arrived, for content that has no form of its own."""
    return {name: value for name, value in raw.items() if name not in _ENVELOPE}


def problem_of(raw: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Meta's code and words in the first of an entry's `errors`."""
    for error in map(fields, listed(raw, "errors")):
        code = error.get("code")
        data = fields(error.get("error_data"))
        texts = map(words, (error.get("title"), error.get("message"), data.get("details")))
        detail = " / ".join(dict.fromkeys(text for text in texts if text))
        return (str(code) if isinstance(code, int | str) else None), detail[:500] or None
    return None, None
