"""Twilio's error codes, which are the same in replies to calls and in status callbacks.

https://www.twilio.com/docs/api/errors
"""

from connectors.tools.refusals import (
    BLOCKED,
    INVALID,
    MISCONFIGURED,
    OPTED_OUT,
    RATE_LIMITED,
    SUSPENDED,
    UNAUTHORIZED,
    UNDELIVERABLE,
    WINDOW_CLOSED,
    Verdict,
    by_code,
)

#: Filtered as spam, or over a daily cap: a retry soon does not help, and an operator should look into it.
_FILTERED = Verdict("blocked", operator=True)
_DAILY_CAP = Verdict("rate_limited", retry=True, after=3600, operator=True)

CODES = by_code(
    {
        UNAUTHORIZED: (20003,),
        SUSPENDED: (30002,),
        RATE_LIMITED: (14107, 20429, 21611, 30001, 30022, 63017, 63018),
        _DAILY_CAP: (63038,),
        # A problem with the sending number, service, region or registration.
        MISCONFIGURED: (21212, 21408, 21603, 21606, 21608, 21609, 21701, 30032, 30034),
        OPTED_OUT: (21610,),
        BLOCKED: (30004, 63032, 63033),
        _FILTERED: (30007,),
        INVALID: (11751, 20404, 21602, 21617, 21620, 21622, 21623, 30019),
        UNDELIVERABLE: (
            *(21211, 21604, 21612, 21614, 30003, 30005, 30006, 30008, 30009, 30010, 30410),
            *(63003, 63024),
        ),
        WINDOW_CLOSED: (63016,),
    }
)
