"""The error codes of the Messenger Platform. Pairs are a code and its subcode.

https://developers.facebook.com/documentation/business-messaging/messenger-platform/error-codes
"""

from connectors.tools.graph_errors import GRAPH_CODES
from connectors.tools.refusals import (
    BLOCKED,
    INVALID,
    MISCONFIGURED,
    NOT_IN_CONTROL,
    SUSPENDED,
    TEMPORARY,
    UNDELIVERABLE,
    WINDOW_CLOSED,
    by_code,
)

CODES = {
    **GRAPH_CODES,
    **by_code(
        {
            WINDOW_CLOSED: (10, (10, 2018278)),
            # Another app controls the thread:
            # https://developers.facebook.com/documentation/business-messaging/messenger-platform/conversation-routing
            NOT_IN_CONTROL: ((10, 2018300),),
            SUSPENDED: ((10, 1893063),),
            # Permissions, a retired tag, the Page's privacy terms.
            MISCONFIGURED: ((100, 1893061), (2, 2018344)),
            UNDELIVERABLE: ((100, 2018001),),
            INVALID: (100, 546, 36000),
            # The person cannot be written to at the moment; Meta does not say why.
            BLOCKED: (551, (200, 1545041)),
            TEMPORARY: (1200, 1357046),
        }
    ),
}

#: Window, thread control, permissions, users: the subcode says which of them.
VAGUE = frozenset({10, 100, 200})
