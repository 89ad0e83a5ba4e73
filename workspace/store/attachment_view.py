"""An attachment as the page shows it: what it is, how large, which renditions it has, or why there are none."""

import re
from collections.abc import Mapping
from typing import Any

from workspace.text.cards import contact_cards
from workspace.text.file_types import describe_file
from workspace.text.safe_text import clean_name
from workspace.text.wording import (
    PLACEHOLDERS,
    can_retry,
    describe_state,
    format_duration,
    format_size,
)

#: What a download contains: the first of these that an attachment has.
DOWNLOADS = ("video", "audio", "document", "preview", "text")

#: The names that the gateway gives to charsets.
CHARSET = re.compile(r"[a-z0-9_]{3,12}")
_MAX_CHARSETS = 20

#: The gateway sends 64 bars. More would not fit a narrow page.
_MAX_BARS = 128


def show_attachment(body: Mapping[str, Any], line: str | None, *, media: bool) -> Mapping[str, Any]:
    """Return the attachment for the page; without `media`, only that it exists."""
    kind = str(body.get("kind"))
    public = {
        "id": body["id"],
        "kind": kind,
        "line": line or PLACEHOLDERS.get(kind, PLACEHOLDERS["unsupported"]),
        "state": body.get("state"),
        "words": describe_state(body),
        "visible": media,
        "retry": media and can_retry(body),
    }
    return {**public, **_details(body)} if media else public


def _details(body: Mapping[str, Any]) -> Mapping[str, Any]:
    renditions, seconds = renditions_of(body), _positive(body.get("duration_seconds"))
    size = _positive(_mapping(renditions.get(downloaded(body))).get("bytes"))
    return {
        "name": clean_name(_text(body.get("name"))),
        "width": body.get("width"),
        "height": body.get("height"),
        "seconds": seconds,
        "length": None if seconds is None else format_duration(seconds),
        "size": None if size is None else format_size(size),
        "file": describe_file(body),
        "renditions": sorted(renditions),
        "voice": body.get("voice") is True,
        "complete": body.get("complete") is not False,
        "waveform": _bars(body.get("waveform")),
        "pages": _count(body.get("pages")),
        "pages_total": _count(body.get("pages_total")),
        "text_differs": body.get("text_differs") is True,
        "charset_guessed": body.get("charset") == "guessed",
        "charsets": _charsets(body.get("charsets")),
        "location": _clean_values(body.get("location")),
        "contacts": contact_cards(body.get("contacts")),
    }


def renditions_of(body: Mapping[str, Any]) -> Mapping[str, Any]:
    return {str(name): value for name, value in _mapping(body.get("renditions")).items()}


def downloaded(body: Mapping[str, Any]) -> str:
    """Return the rendition that a download of the attachment contains."""
    renditions = renditions_of(body)
    return next((name for name in DOWNLOADS if name in renditions), "preview")


def _bars(waveform: object) -> list[int]:
    if not isinstance(waveform, list):
        return []
    heights = [height for height in waveform if isinstance(height, int | float)]
    return [round(max(0, min(255, height))) for height in heights[:_MAX_BARS]]


def _charsets(value: object) -> list[str]:
    if not isinstance(value, list):
        return []
    return [str(name) for name in value[:_MAX_CHARSETS] if CHARSET.fullmatch(str(name))]


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _positive(value: object) -> float | None:
    # Nothing that is shown is longer or larger.
    return value if isinstance(value, int | float) and 0 <= value < 1e15 else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _clean_values(values: Any) -> Mapping[str, Any] | None:
    if not isinstance(values, Mapping):
        return None
    return {str(name): clean_name(_text(value)) for name, value in values.items()}


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
