"""WhatsApp's error codes, which are the same in replies to calls and in later statuses.

https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
"""

from connectors.tools.refusals import (
    GONE,
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

#: Too many messages to one consumer: about one message in six seconds is allowed.
_PAIR_RATE = Verdict("rate_limited", retry=True, after=6)
#: The number's reputation or daily limit: wait an hour, and an operator should look into it.
_SPAM_RATE = Verdict("rate_limited", retry=True, after=3600, operator=True)
_MAINTENANCE = Verdict("temporary", retry=True, after=300, operator=True)

CODES = by_code(
    {
        UNAUTHORIZED: (0, 190),
        MISCONFIGURED: (3, 10, *range(200, 300), 131005, 131030, 131037, 131042, 131045),
        SUSPENDED: (368, 131031),
        RATE_LIMITED: (4, 80007, 130429, 133016),
        _PAIR_RATE: (131056,),
        _SPAM_RATE: (131048, 131064),
        TEMPORARY: (1, 2, 131000, 131016, 131053, 135000),
        _MAINTENANCE: (131057,),
        INVALID: (100, 131008, 131009, 131021, 131051, 131062),
        UNDELIVERABLE: (130472, 130497, 131026, 131049, 137000),
        WINDOW_CLOSED: (131047,),
        OPTED_OUT: (131050,),
        GONE: (131052,),
    }
)
