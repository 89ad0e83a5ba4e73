"""Interpretation of a platform's refusals: can we retry, when, and must a person act?

Tables map error codes to verdicts with the reasons for sending. If a file was refused, `refusal_from` translates
the verdict into the reasons for media. There is no default that blames anybody: a code that no table lists is
`unknown`, and the platform's code and words stand beside every reason.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from connectors.contract import Reply, retry_after
from connectors.errors import MAX_WORDS, Rejected, words_in

#: A platform's error code, or its code and subcode.
Code = int | tuple[int, int]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The meaning of an error code: a `Rejected` without the details of a single reply."""

    reason: str
    retry: bool = False
    after: float | None = None
    operator: bool = False


BLOCKED = Verdict("blocked")
#: The platform's code is not in the table. Its code and words are passed on; nobody is blamed.
UNKNOWN = Verdict("unknown")
INVALID = Verdict("invalid")
MISCONFIGURED = Verdict("misconfigured", operator=True)
#: Another app of the business answers the consumer at the moment; the platform accepts texts from that app only.
NOT_IN_CONTROL = Verdict("not_in_control")
OPTED_OUT = Verdict("opted_out")
RATE_LIMITED = Verdict("rate_limited", retry=True, after=5)
SUSPENDED = Verdict("suspended", operator=True)
TEMPORARY = Verdict("temporary", retry=True, after=1)
UNAUTHORIZED = Verdict("unauthorized", operator=True)
UNDELIVERABLE = Verdict("undeliverable")
WINDOW_CLOSED = Verdict("window_closed")

#: The address has expired; the next attempt asks for a new one.
EXPIRED = Verdict("expired", retry=True, after=1)
GONE = Verdict("gone")
#: The platform announced the file before it was available on all its servers, which usually takes less than a minute.
NOT_YET = Verdict("gone", retry=True, after=1)

_STATUSES: Mapping[int, Verdict] = {
    401: UNAUTHORIZED,
    408: TEMPORARY,
    413: Verdict("too_large"),
    425: TEMPORARY,
    429: RATE_LIMITED,
}

#: For a reply without a code of the platform's own, these statuses say enough.
_BARE_STATUSES: Mapping[int, Verdict] = {403: UNAUTHORIZED, 404: UNDELIVERABLE, 410: UNDELIVERABLE}
#: The same for a file.
_BARE_MEDIA_STATUSES: Mapping[int, Verdict] = {403: UNAUTHORIZED, 404: GONE, 410: GONE}

#: Seconds between attempts to fetch a file while an operator must act: platforms keep files for days, and the
#: settings may be corrected. Not less, because Meta blocks clients that fail 20 times within an hour.
_OPERATOR_PAUSE = 600
#: Seconds between attempts while the platform limits our requests.
_MEDIA_PAUSE = 30
#: Reasons for media that need no translation.
_MEDIA_REASONS = frozenset({"expired", "gone", "too_large"})
#: Reasons for sending, and what each one means for a file. No other reason says anything about the file: it is
#: asked for again until the platform's retention ends.
_ASK_AGAIN = Verdict("unreachable", retry=True)
_MEDIA_VERDICTS: Mapping[str, Verdict] = {
    "misconfigured": Verdict("unauthorized", retry=True, after=_OPERATOR_PAUSE, operator=True),
    "rate_limited": Verdict("unreachable", retry=True, after=_MEDIA_PAUSE),
    "suspended": Verdict("unauthorized", retry=True, after=_OPERATOR_PAUSE, operator=True),
    "temporary": Verdict("unreachable", retry=True),
    "unauthorized": Verdict("unauthorized", retry=True, after=_OPERATOR_PAUSE, operator=True),
    "unreadable_answer": Verdict("unreachable", retry=True),
}


def by_code(table: Mapping[Verdict, Iterable[Code]]) -> Mapping[Code, Verdict]:
    """Invert a table that lists codes under their verdict."""
    return {code: verdict for verdict, codes in table.items() for code in codes}


def refusal_from(
    reply: Reply, known: Verdict | None, detail: str = "", *, code: str | None = None
) -> Rejected:
    """Build the `Rejected` for a reply: from `known`, the verdict on the platform's code, or else the HTTP status.

    `code` is the platform's own code and `detail` its words; without `detail`, the words that the reply holds, or
    else its status. A code that is not known has the reason `unknown`; for a file, which may be there all the same,
    `unreachable` with `retry`.
    """
    is_media = reply.purpose in {"lookup", "download"}
    verdict = known or _by_status(reply.status, has_code=code is not None, is_media=is_media)
    if is_media and verdict.reason not in _MEDIA_REASONS:
        verdict = _media_verdict(verdict)
    seconds = retry_after(reply)
    if seconds is not None and verdict.retry:
        verdict = replace(verdict, after=seconds)
    return Rejected(
        verdict.reason,
        retry=verdict.retry,
        after=verdict.after,
        operator=verdict.operator,
        code=code,
        detail=detail or words_in(reply.content, reply.body) or f"HTTP {reply.status}",
        explained=known is not None or code is not None,
    )


def failure_from(
    known: Verdict | None, *, code: str | None = None, detail: str = ""
) -> dict[str, Any]:
    """Return the fields `reason`, `code` and `detail` of a `Receipt` (or `Attachment`) for a failure reported later.

    `known` is the verdict on the code, from the table that `refusal` uses; a code that is not known is `unknown`.
    """
    return {
        "reason": (known or UNKNOWN).reason,
        "code": code,
        "detail": detail[:MAX_WORDS] or None,
    }


#: Alias, kept for existing plugins.
judge = refusal_from


def _media_verdict(verdict: Verdict) -> Verdict:
    """Translate a verdict on a call about a file; a longer pause of a connector's own is kept."""
    translated = _MEDIA_VERDICTS.get(verdict.reason, _ASK_AGAIN)
    usual = translated.after or _MEDIA_PAUSE
    own = verdict.after or 0
    return replace(translated, after=own) if translated.retry and own > usual else translated


def _by_status(status: int, *, has_code: bool, is_media: bool) -> Verdict:
    # A success without an answer: whether a text was sent is unknown, so it is not sent again.
    if status < 300:
        return UNKNOWN if has_code else Verdict("unreadable_answer")
    if status >= 500:
        return TEMPORARY
    bare = {} if has_code else _BARE_MEDIA_STATUSES if is_media else _BARE_STATUSES
    return _STATUSES.get(status) or bare.get(status) or UNKNOWN
