"""The last line of defence against secrets in the log: whatever looks like one is masked.

Whoever logs must not hand secrets over in the first place. This catches the slip: a URL inside an exception's
text, a header in a library's message, a secret of the settings in a stranger's words.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

_MASK = "***"

#: What is logged is a line to be read; a body that slipped in is not.
_MAX_LENGTH = 16_000
_MAX_DEPTH = 8
#: Shorter secrets are words that honest lines hold too.
_MIN_SECRET_LENGTH = 6

_SENSITIVE_WORDS = r"token|secret|password|passwd|signature|credential|authorization|cookie|api[_-]?key|access[_-]?key"
_SENSITIVE_HEADERS = (
    r"(?:proxy-)?authorization|(?:set-)?cookie|[a-z0-9-]{1,60}-signature(?:-[0-9]{1,4})?"
)

#: What secrets look like on the left, what is left of them on the right. Every repetition is bounded or begins at
#: a fixed word, so that a long hostile text costs no more than its length.
_PATTERNS = tuple(
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        (
            rf"\b({_SENSITIVE_HEADERS})([\"']?\s{{0,4}}[:=]\s{{0,4}}[\"']?)[^\r\n\"']+",
            rf"\1\2{_MASK}",
        ),
        (r"\b(bearer|basic)\s{1,4}[A-Za-z0-9._~+/=:-]+", rf"\1 {_MASK}"),
        (r"whsec_[A-Za-z0-9+/=_-]+", f"whsec_{_MASK}"),
        (r"\beyJ[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*", _MASK),
        (r"([a-z][a-z0-9+.-]{0,15}://)[^\s/?#@\"']+@", rf"\1{_MASK}@"),
        (r"([a-z][a-z0-9+.-]{0,15}://[^\s?#\"'<>]{0,300})\?[^\s\"'<>]*", rf"\1?{_MASK}"),
        (r"(?<=\S)\?[^\s?=\"'<>]+=[^\s\"'<>]*", f"?{_MASK}"),
        (rf"((?:{_SENSITIVE_WORDS}|\bsig)s?[\"']?\s?=\s?[\"']?)[^\s&\"',;)}}\]]+", rf"\1{_MASK}"),
        (rf"((?:{_SENSITIVE_WORDS}|\bsig)s?[\"']\s?:\s?)\"[^\"]*\"", rf'\1"{_MASK}"'),
        (rf"((?:{_SENSITIVE_WORDS}|\bsig)s?[\"']\s?:\s?)'[^']*'", rf"\1'{_MASK}'"),
    )
)
#: Names under which a value is a secret, whatever it looks like.
_SENSITIVE_KEYS = re.compile(rf"(?:^|[_. -])(?:{_SENSITIVE_WORDS}|sig)s?(?:-\d+)?$", re.IGNORECASE)


class Mask:
    """A structlog processor, and the same for a single text. `secrets` are masked wherever they turn up."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        # The longest first: one secret may hold another.
        known = sorted({secret for secret in secrets if len(secret) >= _MIN_SECRET_LENGTH}, key=len)
        self._known = re.compile("|".join(map(re.escape, reversed(known)))) if known else None

    def __call__(self, _logger: Any, _method: str, event: Any) -> dict[str, Any]:
        return {
            self.text(str(key)): self._mask_field(key, value, 0) for key, value in event.items()
        }

    def text(self, text: str) -> str:
        """The text without whatever looks like a secret."""
        if self._known:
            text = self._known.sub(_MASK, text)
        if len(text) > _MAX_LENGTH:
            text = text[:_MAX_LENGTH] + "…"
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
        return text

    def _mask_field(self, key: Any, value: Any, depth: int) -> Any:
        if _SENSITIVE_KEYS.search(str(key)) and not isinstance(value, bool | int | float | None):
            return _MASK
        return self._mask_value(value, depth + 1)

    def _mask_value(self, value: Any, depth: int) -> Any:
        if depth > _MAX_DEPTH:
            return "…"
        match value:
            case None | bool() | int() | float():
                return value
            case str():
                return self.text(value)
            case Mapping():
                return {
                    self.text(str(key)): self._mask_field(key, part, depth)
                    for key, part in value.items()
                }
            case list() | tuple() | set() | frozenset():
                return [self._mask_value(part, depth + 1) for part in value]
            case _:
                return self.text(_text_of(value))


def _text_of(value: Any) -> str:
    try:
        return str(value)
    except Exception as exc:  # noqa: BLE001 - a log line must not fail for a stranger's __str__
        return f"<{type(value).__name__} that cannot be shown: {type(exc).__name__}>"
