"""Connectors' calls and downloads, restricted to allowed hosts.

`Fetcher` is the entry point. Its parts:

`calls`, `downloads`                                the calls of a flow, and the download of a file
`redirects`, `exchange`, `transport`                one request at a time, redirects included
`allowlist`, `origin`, `pinned_network`             the hosts and addresses that may be contacted
`tokens`                                            the tokens of connectors: obtained, kept and renewed
`headers`                                           the headers and credentials of a request
`refusals`                                          the platforms' words, with our credentials masked
`body`, `file_writer`, `verification`               reading, writing and checking the response
`deadlines`, `host_limits`, `circuit_breaker`       time limits, and pauses for failing hosts
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
