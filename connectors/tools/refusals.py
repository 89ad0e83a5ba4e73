"""What a platform's refusal means for us: may we try again, when, and must a person act?

Tables map codes to verdicts in the words of sending; `refusal_from` puts them into the words of media where it
was a file that was refused.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from connectors.contract import Reply, retry_after
from connectors.errors import Rejected

#: A platform's code, or code and subcode.
Code = int | tuple[int, int]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A `Rejected` yet without the details of one reply."""

    reason: str
    retry: bool = False
    after: float | None = None
    operator: bool = False


BLOCKED = Verdict("blocked")
INVALID = Verdict("invalid")
MISCONFIGURED = Verdict("misconfigured", operator=True)
OPTED_OUT = Verdict("opted_out")
RATE_LIMITED = Verdict("rate_limited", retry=True, after=5)
SUSPENDED = Verdict("suspended", operator=True)
TEMPORARY = Verdict("temporary", retry=True, after=1)
UNAUTHORIZED = Verdict("unauthorized", operator=True)
UNDELIVERABLE = Verdict("undeliverable")
WINDOW_CLOSED = Verdict("window_closed")

#: The address died; the next attempt asks for a new one.
EXPIRED = Verdict("expired", retry=True, after=1)
GONE = Verdict("gone")
#: The platform announced a file before it had it everywhere; it usually does within a minute.
NOT_YET = Verdict("gone", retry=True, after=1)

_STATUSES: Mapping[int, Verdict] = {
    401: UNAUTHORIZED,
    403: UNAUTHORIZED,
    404: UNDELIVERABLE,
    408: TEMPORARY,
    410: UNDELIVERABLE,
    413: Verdict("too_large"),
    425: TEMPORARY,
    429: RATE_LIMITED,
}

#: A file waits for its operator: it is kept for days, and somebody may repair the settings. Not more often
#: than this (seconds), because Meta shuts out whoever fails 20 times within an hour.
_OPERATOR_PAUSE = 600
#: Words of media already.
_MEDIA_REASONS = frozenset({"expired", "gone", "too_large"})
#: What the words of sending mean for a file; any other means that it is gone.
_MEDIA_VERDICTS: Mapping[str, Verdict] = {
    "misconfigured": Verdict("unauthorized", retry=True, after=_OPERATOR_PAUSE, operator=True),
    "rate_limited": Verdict("unreachable", retry=True, after=30),
    "suspended": Verdict("unauthorized", retry=True, after=_OPERATOR_PAUSE, operator=True),
    "temporary": Verdict("unreachable", retry=True),
    "unauthorized": Verdict("unauthorized", retry=True, after=_OPERATOR_PAUSE, operator=True),
    "unreadable_answer": Verdict("unreachable", retry=True),
}


def by_code(table: Mapping[Verdict, Iterable[Code]]) -> Mapping[Code, Verdict]:
    """A table of codes from one that lists them under their verdict."""
    return {code: verdict for verdict, codes in table.items() for code in codes}


def refusal_from(reply: Reply, known: Verdict | None, detail: str) -> Rejected:
    """The rejection a reply amounts to: by the platform's own code where that is known, else by HTTP."""
    verdict = known or _by_status(reply.status)
    if reply.purpose in {"lookup", "download"} and verdict.reason not in _MEDIA_REASONS:
        verdict = _MEDIA_VERDICTS.get(verdict.reason, GONE)
    seconds = retry_after(reply)
    if seconds is not None and verdict.retry:
        verdict = replace(verdict, after=seconds)
    return Rejected(
        verdict.reason,
        retry=verdict.retry,
        after=verdict.after,
        operator=verdict.operator,
        detail=detail,
        explained=known is not None,
    )


#: The name that it had at first.
judge = refusal_from


def _by_status(status: int) -> Verdict:
    # A success that held no answer: sent or not, nobody knows, so a text is not sent again.
    if status < 300:
        return Verdict("unreadable_answer")
    if status >= 500:
        return TEMPORARY
    return _STATUSES.get(status, INVALID)
