"""Errors of Meta's Graph API: their code, their words, and what both say about who must act.

https://developers.facebook.com/docs/graph-api/guides/error-handling
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.errors import joined

from .refusals import (
    MISCONFIGURED,
    NOT_IN_CONTROL,
    RATE_LIMITED,
    SUSPENDED,
    TEMPORARY,
    UNAUTHORIZED,
    UNDELIVERABLE,
    WINDOW_CLOSED,
    Code,
    Verdict,
    by_code,
)

#: The codes that all of Meta's platforms share. A platform's own table takes precedence.
GRAPH_CODES = by_code(
    {
        UNAUTHORIZED: (102, 190),
        # Permissions that are missing, and the id of a node that does not exist or belongs to somebody else.
        MISCONFIGURED: (3, 33, (100, 33), *range(200, 300)),
        SUSPENDED: (368,),
        # 80000 and following: https://developers.facebook.com/docs/graph-api/overview/rate-limiting
        RATE_LIMITED: (4, 17, 32, 341, 613, *range(80000, 80015)),
        TEMPORARY: (1, 2),
    }
)

#: What the words of an error decide. Codes 10 and 100 have many causes, and not every error has a subcode.
_BY_WORDS: tuple[tuple[int, re.Pattern[str], Verdict], ...] = tuple(
    (code, re.compile(pattern, re.IGNORECASE), verdict)
    for code, pattern, verdict in (
        (10, r"outside (?:of )?(?:the )?allowed window", WINDOW_CLOSED),
        (10, r"another app|controls? (?:of )?this thread", NOT_IN_CONTROL),
        (10, r"\bpermission", MISCONFIGURED),
        (100, r"appsecret_proof|access token", MISCONFIGURED),
        (100, r"object with id|unsupported (?:get|post) request", MISCONFIGURED),
        (100, r"param(?:eter)? \W?phone_number_id", MISCONFIGURED),
        (100, r"no matching user", UNDELIVERABLE),
        # Of a profile: https://developers.facebook.com/docs/messenger-platform/instagram/features/user-profile
        (230, r"user consent", UNDELIVERABLE),
    )
)

#: On a look-up these say nothing about the file: the id may be right and a parameter or a permission wrong.
_SILENT_ON_FILES = frozenset({33, 100})
#: Instagram has codes below zero.
_NUMBER = re.compile(r"-?[0-9]{1,12}")
_OUR_PROOF = re.compile(r"appsecret_proof|access token", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class GraphError:
    """One error of the Graph API, of a reply or of a status that arrives later. Fields that are absent are None."""

    number: int | None
    subcode: int | None
    words: str
    trace: str | None = None

    @property
    def code(self) -> str | None:
        """The code as people write it: 190, or 10/2018300 with a subcode."""
        if self.number is None:
            return None
        return str(self.number) if self.subcode is None else f"{self.number}/{self.subcode}"

    @property
    def detail(self) -> str:
        """The words, and the trace by which Meta's support finds the call."""
        return f"{self.words} (trace {self.trace})" if self.words and self.trace else self.words


def graph_error(raw: Any) -> GraphError:
    """Read the `error` of a reply, or one of the `errors` of a webhook."""
    error = raw if isinstance(raw, Mapping) else {}
    data = error.get("error_data")
    details = data.get("details") if isinstance(data, Mapping) else data
    said = ("message", "title", "error_user_title", "error_user_msg")
    trace = error.get("fbtrace_id")
    return GraphError(
        _number(error.get("code")),
        _number(error.get("error_subcode")),
        joined([*(error.get(name) for name in said), details]),
        trace[:64] if isinstance(trace, str) else None,
    )


def verdict_on(
    error: GraphError, codes: Mapping[Code, Verdict], vague: frozenset[int]
) -> Verdict | None:
    """Return the meaning of an error: by code and subcode, by its words, or by its code alone.

    None means that nobody knows. For the codes in `vague`, a subcode that is not listed leaves that open: alone, the
    code says less than the subcode would.
    """
    if error.number is None:
        return None
    exact = error.subcode is not None and codes.get((error.number, error.subcode))
    if exact:
        return exact
    for code, pattern, verdict in _BY_WORDS:
        if code == error.number and pattern.search(error.words):
            return verdict
    if error.subcode is not None and error.number in vague:
        return None
    return codes.get(error.number)


def concerns_no_file(error: GraphError) -> bool:
    """Whether the error of a look-up leaves open what became of the file."""
    return error.number in _SILENT_ON_FILES and not _OUR_PROOF.search(error.words)


def _number(code: Any) -> int | None:
    """A code: a number, or its digits as a text."""
    if isinstance(code, bool) or not isinstance(code, int | str):
        return None
    text = str(code)
    return int(text) if _NUMBER.fullmatch(text) else None
