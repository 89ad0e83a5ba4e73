"""Vonage's errors, in replies to calls and in statuses: their codes, their words, and what they mean."""

from collections.abc import Mapping
from typing import Any

from connectors import (
    BLOCKED,
    INVALID,
    MISCONFIGURED,
    OPTED_OUT,
    RATE_LIMITED,
    SUSPENDED,
    TEMPORARY,
    UNAUTHORIZED,
    UNDELIVERABLE,
    WINDOW_CLOSED,
    Verdict,
    by_code,
)

QUOTA_USED_UP = Verdict("quota_used_up", operator=True)

#: https://developer.vonage.com/api-errors/messages; 1330 ("unknown") is left out on purpose.
_NUMBERED = by_code(
    {
        BLOCKED: (1050, 1210, 1270, 1280),
        INVALID: (1010, 1020, 1021, 1022, 1040, 1090, 1130, 1150),
        MISCONFIGURED: (1080, 1120, 1140, 1160, 1350, 1370),
        OPTED_OUT: (1240,),
        QUOTA_USED_UP: (1070,),
        RATE_LIMITED: (1000, 1241),
        SUSPENDED: (1060,),
        TEMPORARY: (1030, 1100, 1180, 1220, 1230),
        UNAUTHORIZED: (1110,),
        # 1430 is in replies that Vonage's users published, not in the list.
        UNDELIVERABLE: (1170, 1190, 1200, 1250, 1260, 1290, 1300, 1310, 1360, 1430),
        WINDOW_CLOSED: (1340,),
    }
)
#: Errors of all of Vonage's APIs: https://developer.vonage.com/api-errors
_NAMED: Mapping[str, Verdict] = {
    "forbidden": MISCONFIGURED,
    "low-balance": QUOTA_USED_UP,
    "throttled": RATE_LIMITED,
    "unauthorized": UNAUTHORIZED,
}
VERDICTS: Mapping[str, Verdict] = {
    **{str(code): verdict for code, verdict in _NUMBERED.items()},
    **_NAMED,
}


def code_of(error: Any) -> str | None:
    """The code: a number in `title` (statuses), or what follows `#` in `type` (replies)."""
    if not isinstance(error, dict):
        return None
    title = str(error.get("title"))
    if title.isdecimal():
        return title
    return str(error.get("type") or "").rpartition("#")[2] or None


def words_of(error: Any) -> str:
    """Vonage's own words: the title, unless it is the code, and the detail."""
    said = (error.get("title"), error.get("detail")) if isinstance(error, dict) else (error,)
    return ": ".join(one for one in said if isinstance(one, str) and one and not one.isdecimal())
