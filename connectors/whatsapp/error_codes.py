"""WhatsApp's error codes, which are the same in replies to calls and in later statuses.

https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
"""

from typing import Any

from connectors.tools.graph_errors import GRAPH_CODES, graph_error, verdict_on
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
    failure_from,
)

#: Too many messages to one consumer: about one message in six seconds is allowed.
_PAIR_RATE = Verdict("rate_limited", retry=True, after=6)
#: The number's reputation or daily limit: wait an hour, and an operator should look into it.
_SPAM_RATE = Verdict("rate_limited", retry=True, after=3600, operator=True)
_MAINTENANCE = Verdict("temporary", retry=True, after=300, operator=True)

CODES = {
    **GRAPH_CODES,
    **by_code(
        {
            UNAUTHORIZED: (0,),
            # Permissions; a test number that may write to nobody else (131030); display name, payment, certificate; a
            # number that is not registered (133010).
            MISCONFIGURED: (10, 131005, 131030, 131037, 131042, 131045, 133010),
            SUSPENDED: (131031,),
            RATE_LIMITED: (130429, 133016),
            _PAIR_RATE: (131056,),
            _SPAM_RATE: (131048, 131064),
            TEMPORARY: (131000, 131016, 131053, 135000),
            _MAINTENANCE: (131057,),
            # About the message itself: a value that is missing, not valid or of a type that does not exist.
            INVALID: (100, 131008, 131009, 131051),
            # 131021: the consumer's number is the business's own. 131062: a user id cannot be written to in this way.
            UNDELIVERABLE: (130472, 130497, 131021, 131026, 131049, 131062, 137000),
            WINDOW_CLOSED: (131047,),
            OPTED_OUT: (131050,),
            GONE: (131052,),
        }
    ),
}

#: The words of 100 name the parameter; a subcode that is not listed could mean anything.
VAGUE = frozenset({100})


def failure(error: Any) -> dict[str, Any]:
    """Return `reason`, `code` and `detail` of one of the `errors` in a status or a message."""
    read = graph_error(error)
    return failure_from(verdict_on(read, CODES, VAGUE), code=read.code, detail=read.detail)
