"""Google's refusals, by the code of google.rpc (https://google.aip.dev/193) or of OAuth.

Google documents 400 and 404 for this API, the others for its APIs in general. Whether it sends `RetryInfo` here is not
documented: the connector applies it if it is there.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from connectors import (
    GONE,
    INVALID,
    MISCONFIGURED,
    RATE_LIMITED,
    TEMPORARY,
    UNAUTHORIZED,
    UNDELIVERABLE,
    Rejected,
    Reply,
    Verdict,
    refusal_from,
)

VERDICTS: Mapping[str, Verdict] = {
    # Also a feature that the consumer's phone lacks.
    "INVALID_ARGUMENT": INVALID,
    "UNAUTHENTICATED": UNAUTHORIZED,
    # The service account belongs to another partner, or the agent may not send yet.
    "PERMISSION_DENIED": MISCONFIGURED,
    # No RCS on this number, or the agent is not launched on its network.
    "NOT_FOUND": UNDELIVERABLE,
    "RESOURCE_EXHAUSTED": RATE_LIMITED,
    **dict.fromkeys(("ABORTED", "DEADLINE_EXCEEDED", "INTERNAL", "UNAVAILABLE"), TEMPORARY),
    # https://developers.google.com/identity/protocols/oauth2/service-account#error-codes
    **dict.fromkeys(("invalid_client", "invalid_grant", "unauthorized_client"), UNAUTHORIZED),
    **dict.fromkeys(("invalid_scope", "admin_policy_enforced"), MISCONFIGURED),
}
#: Cloud Storage answers 403 for a missing object, too, so that nobody can find out what exists.
_GONE = frozenset({403, 404, 410})
_SECONDS = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,9})?)s")


def refused(reply: Reply) -> Rejected:
    """The meaning of a refusal."""
    code, words = _code_and_words(reply.content)
    verdict = VERDICTS.get(code or "")
    if reply.purpose == "download" and reply.status in _GONE:
        verdict = GONE
    pause = next(_pauses(reply.content), None)
    if verdict is not None and verdict.retry and pause is not None:
        verdict = replace(verdict, after=pause)
    return refusal_from(reply, verdict, words, code=code)


def _code_and_words(content: Any) -> tuple[str | None, str]:
    match content:
        case {"error": {"status": str(code), "message": str(words)}} if code:
            return code, words
        case {"error": {"status": str(code)}} if code:
            return code, ""
        case {"error": str(code), "error_description": str(words)} if code:
            return code, words
        case {"error": str(code)} if code:
            return code, ""
    return None, ""


def _pauses(content: Any) -> Iterator[float]:
    """The seconds that each google.rpc.RetryInfo asks for."""
    match content:
        case {"error": {"details": list(details)}}:
            for detail in details:
                match detail:
                    case {"retryDelay": str(delay)} if found := _SECONDS.fullmatch(delay):
                        yield float(found[1])
