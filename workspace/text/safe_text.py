"""Cleaning of untrusted text: it must not hide, reorder or break the text around it."""

import re

#: Control characters except tab and line feed; embeddings, overrides and isolates; invisible operators and
#: tags. Left-to-right and right-to-left *marks* stay in texts, and joiners stay everywhere, because Arabic, Hebrew,
#: Persian and many emoji need them.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2060-\u2064\u2066-\u206f"
    "\ufeff\ufff9-\ufffb\U000e0000-\U000e001f]"
)
#: Marks are removed from names, so that `gpj.exe` cannot look like `exe.jpg`.
_HIDDEN_IN_NAMES = re.compile("[\u061c\u200b\u200e\u200f]")

#: Longer display names and file names are not real names.
_MAX_NAME_LENGTH = 200


def clean_text(text: str | None) -> str | None:
    """Remove characters that hide or reorder text from a message."""
    if text is None:
        return None
    return _HIDDEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def clean_name(text: str | None) -> str | None:
    """Return a name on one line that fits a page, or None if nothing is left of it."""
    if text is None:
        return None
    visible = _HIDDEN_IN_NAMES.sub("", clean_text(text) or "")
    return " ".join(visible.split())[:_MAX_NAME_LENGTH] or None
