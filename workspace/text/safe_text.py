"""Strangers' words made plain: nothing in them may hide, reorder or break what stands around them."""

import re

#: Control characters but tab and line feed; embeddings, overrides and isolates; invisible operators and
#: tags. Left-to-right and right-to-left *marks* stay in texts, and joiners everywhere: Arabic, Hebrew,
#: Persian and many emoji need them.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2060-\u2064\u2066-\u206f"
    "\ufeff\ufff9-\ufffb\U000e0000-\U000e001f]"
)
#: In a name the marks have no business: `gpj.exe` must not read `exe.jpg`.
_HIDDEN_IN_NAMES = re.compile("[\u061c\u200b\u200e\u200f]")

#: A display name or file name longer than this is somebody being funny.
_MAX_NAME_LENGTH = 200


def clean_text(text: str | None) -> str | None:
    """A message's text without what hides or reorders."""
    if text is None:
        return None
    return _HIDDEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def clean_name(text: str | None) -> str | None:
    """A name on one line, of a length that fits a page; None when nothing is left of it."""
    if text is None:
        return None
    visible = _HIDDEN_IN_NAMES.sub("", clean_text(text) or "")
    return " ".join(visible.split())[:_MAX_NAME_LENGTH] or None
