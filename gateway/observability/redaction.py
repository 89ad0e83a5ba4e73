"""Masks secrets in log events, as the last line of defence.

Code must not log secrets in the first place. Masking catches the slip: a URL in an exception's text, a header in a
library's message, a secret of the settings in a plugin's text.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

_MASK = "***"

#: Characters; longer texts are cut, because a log line is meant to be read.
_MAX_LENGTH = 16_000
_MAX_DEPTH = 8
#: Shorter secrets are not masked: ordinary log lines contain the same words.
_MIN_SECRET_LENGTH = 6

_SENSITIVE_WORDS = r"token|secret|password|passwd|signature|credential|authorization|cookie|api[_-]?key|access[_-]?key"
_SENSITIVE_HEADERS = (
    r"(?:proxy-)?authorization|(?:set-)?cookie|[a-z0-9-]{1,60}-signature(?:-[0-9]{1,4})?"
)

#: Patterns of secrets on the left, replacements on the right. Every repetition is bounded or begins at a fixed word,
#: so that matching a long hostile text takes linear time.
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
#: Keys whose values are always masked.
_SENSITIVE_KEYS = re.compile(rf"(?:^|[_. -])(?:{_SENSITIVE_WORDS}|sig)s?(?:-\d+)?$", re.IGNORECASE)


class Mask:
    """A structlog processor that masks the given `secrets` and everything that looks like a secret."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        # Longest first, because one secret may contain another.
        known = sorted({secret for secret in secrets if len(secret) >= _MIN_SECRET_LENGTH}, key=len)
        self._known = re.compile("|".join(map(re.escape, reversed(known)))) if known else None

    def __call__(self, _logger: Any, _method: str, event: Any) -> dict[str, Any]:
        return {
            self.text(str(key)): self._mask_field(key, value, 0) for key, value in event.items()
        }

    def text(self, text: str) -> str:
        """Return the text with secrets masked."""
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
    except Exception as exc:  # noqa: BLE001 - a broken __str__ must not make logging fail
        return f"<{type(value).__name__} that cannot be shown: {type(exc).__name__}>"
