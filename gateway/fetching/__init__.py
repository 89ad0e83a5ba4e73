"""Running connectors' flows and downloading media, behind a fence.

`Fetcher` is the face. Beneath it: `calls` and `downloads` (what is wanted), `redirects` and `exchange` (one
request at a time), `allowlist`, `origin`, `addresses` and `network` (where it may go), `headers` (what it may
carry), `body`, `landing` and `claims` (what comes back), `deadlines`, `hosts` and `breaker` (how long we wait).
"""

from .circuit_breaker import Attempt, Breaker, BreakerPolicy, Open
from .deadlines import Deadlines
from .errors import Ambiguous, Unreachable
from .fetcher import Fetcher
from .verification import Fetched

__all__ = [
    "Ambiguous",
    "Attempt",
    "Breaker",
    "BreakerPolicy",
    "Deadlines",
    "Fetched",
    "Fetcher",
    "Open",
    "Unreachable",
]
