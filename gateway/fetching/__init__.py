"""Running connectors' flows and downloading media, behind a fence.

`Fetcher` is the face. Beneath it: `calls` and `downloads` (what is wanted), `hops` and `exchange` (one
request at a time), `fence`, `origin`, `addresses` and `network` (where it may go), `headers` (what it may
carry), `body`, `landing` and `claims` (what comes back), `patience`, `hosts` and `breaker` (how long we wait).
"""

from .breaker import Attempt, Breaker, Open, Tolerance
from .claims import Fetched
from .fetcher import Fetcher
from .patience import Patience
from .trouble import Ambiguous, Unreachable

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
