"""The errors that a connector raises: the request is not from the platform, or the platform refused a call.

And the words of a platform's error reply, which a refusal passes on.
"""

from collections.abc import Iterable, Mapping
from typing import Any

#: The longest text that is passed on (characters).
MAX_WORDS = 500


class ConnectorError(Exception):
    """Base class of the errors that a connector raises on purpose."""


class Forbidden(ConnectorError):
    """The request is not from the platform. The reason is logged and must not contain a secret."""


class Rejected(ConnectorError):
    """The platform refused a call.

    `reason` is one of the contract's reasons (for media: `gone`, `expired`, `unauthorized`, `unreachable`,
    `too_large`; for sending: `window_closed`, `opted_out`, …). `retry` says whether the same call may succeed
    later, and `after` how many seconds to wait at least. `code` is the platform's own error code and `detail` its
    words, cut at 500 characters, for operators and agents: never tokens. `operator` means that a person must act,
    because credentials or settings are wrong. `explained` means that the platform gave an error code of its own, so
    the call certainly had no effect. After a server error without a code that is uncertain, and a text is not sent
    again.
    """

    def __init__(
        self,
        reason: str,
        *,
        retry: bool = False,
        after: float | None = None,
        code: str | None = None,
        detail: str = "",
        operator: bool = False,
        explained: bool = False,
    ) -> None:
        detail = detail[:MAX_WORDS]
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.retry = retry
        self.after = after
        self.code = code
        self.detail = detail
        self.operator = operator
        self.explained = explained


#: Usual names of fields that hold words, in the order in which they are read.
_FIELDS = (
    *("message", "error", "title", "detail", "details", "description", "reason"),
    "error_description",
)
_MAX_DEPTH = 4


def joined(parts: Iterable[Any]) -> str:
    """Join the texts among `parts` that say something new, cut at 500 characters. Anything but text is left out."""
    said: list[str] = []
    for part in parts:
        text = " ".join(part[: 4 * MAX_WORDS].split()) if isinstance(part, str) else ""
        if text and not any(text in earlier for earlier in said):
            said.append(text)
    return " / ".join(said)[:MAX_WORDS]


def words_in(content: Any, body: bytes = b"") -> str:
    """Return the words of an error reply of no particular shape: its usual fields, or else a body in plain text."""
    return joined(_texts(content, 0)) or joined([_plain(body)])


def _texts(content: Any, depth: int) -> Iterable[Any]:
    match content:
        case str():
            yield content
        case Mapping() if depth < _MAX_DEPTH:
            for name in _FIELDS:
                yield from _texts(content.get(name), depth + 1)
        case [first, *_] if depth < _MAX_DEPTH:
            yield from _texts(first, depth + 1)


def _plain(body: bytes) -> str:
    """The body if it is a short plain text: neither the page of a proxy nor data."""
    text = body[: 4 * MAX_WORDS].decode(errors="replace").strip()
    looks_like_words = text[:1].isalnum() and "\ufffd" not in text and " " in text
    return text if looks_like_words else ""
