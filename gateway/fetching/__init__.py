"""Running connectors' flows and downloading media, behind a fence.

`Fetcher` is the face. Beneath it: `calls` and `downloads` (what is wanted), `hops` and `exchange` (one
request at a time), `fence`, `origin`, `addresses` and `network` (where it may go), `headers` (what it may
carry), `body`, `landing` and `claims` (what comes back), `patience`, `hosts` and `breaker` (how long we wait).
"""

from .circuit_breaker import Attempt, Breaker, Open, Tolerance
from .deadlines import Patience
from .errors import Ambiguous, Unreachable
from .fetcher import Fetcher
from .verification import Fetched

__all__ = [
    "Ambiguous",
    "Attempt",
    "Breaker",
    "Fetched",
    "Fetcher",
    "Open",
    "Patience",
    "Tolerance",
    "Unreachable",
]
