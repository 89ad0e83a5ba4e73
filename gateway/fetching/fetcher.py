"""Fetcher: runs connectors' flows and downloads media. The gateway contacts platforms in no other way."""

import ssl
import time
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from typing import Any, TypeVar

import httpcore
import httpx

from connectors import Call, Connector, Download, Flow, Purpose, Token

from .allowlist import Allowlist
from .calls import Calls
from .circuit_breaker import BreakerPolicy
from .deadlines import Deadlines
from .downloads import Downloads
from .host_limits import HostLimits
from .origin import Origin, origin_of, read_url
from .pinned_network import PinnedNetwork, Resolve, SystemResolver
from .redirects import RedirectFollower
from .refusals import Redact, Refusals
from .tokens import Tokens
from .transport import AllowlistedTransport
from .verification import Fetched

T = TypeVar("T")

#: Idle connections kept for later requests to the same origin.
_MAX_IDLE_CONNECTIONS = 20

#: Concurrent downloads from one host. A host that hangs occupies no more than these.
_MAX_AT_ONE_HOST = 32

#: Threads that decrypt, hash and write; enough to keep a disk busy.
_WRITERS = 4


def _now() -> datetime:
    return datetime.now(UTC)


class Fetcher:
    """Contacts only allowed hosts, and sends credentials only to those that may receive them.

    Failures of a platform or of the network are raised as `connectors.Rejected`, with the platform's code and words, in
    which our credentials are masked. Refusals by the allowlist or by a
    limit are raised as `MediaFailed` or `MediaRejected` (`normalizer.media`). A bug of a connector, an exception
    before it had any reply, is passed on unchanged. Nothing here is durable: callers keep track of retries.

    `redact` masks whatever else looks like a secret in the platforms' words. `resolve`, `dial` and `tls` replace the
    machine's resolver, network and certificates.
    """

    def __init__(
        self,
        *,
        allow_private_hosts: bool,
        extra_hosts: Collection[str],
        own_origins: Collection[str] = (),
        redact: Redact = str,
        clock: Callable[[], datetime] = _now,
        steady: Callable[[], float] = time.monotonic,
        deadlines: Deadlines = Deadlines(),  # noqa: B008 - frozen
        policy: BreakerPolicy = BreakerPolicy(),  # noqa: B008 - frozen
        at_one_host: int = _MAX_AT_ONE_HOST,
        resolve: Resolve | None = None,
        dial: httpcore.AsyncNetworkBackend | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._resolver = SystemResolver()
        self._threads = ThreadPoolExecutor(_WRITERS, thread_name_prefix="download")
        own = [origin_of(read_url(origin)) for origin in own_origins]
        self._network = network = PinnedNetwork(
            resolve or self._resolver,
            allow_loopback=allow_private_hosts,
            own=_places(own),
            dial=dial,
        )
        tls = tls or httpx.create_ssl_context()
        self._pooled = AllowlistedTransport(network, tls, idle=_MAX_IDLE_CONNECTIONS)
        self._unpooled = AllowlistedTransport(network, tls, idle=0)
        self._allowlist = allowlist = Allowlist(
            allow_private_hosts=allow_private_hosts, extra_hosts=extra_hosts, own_origins=own
        )
        self._tokens = Tokens(self._run_for_token, clock, steady)
        redirects = RedirectFollower(allowlist, deadlines, clock, self._tokens)
        self._refusals = refusals = Refusals(clock, redact, self._tokens.known)
        self._calls = Calls(
            redirects, deadlines, pooled=self._pooled, unpooled=self._unpooled, refusals=refusals
        )
        self._downloads = Downloads(
            redirects,
            HostLimits(policy, at_once=at_one_host, clock=steady),
            deadlines,
            clock=clock,
            threads=self._threads,
            transport=self._pooled,
            refusals=refusals,
        )

    def allow(
        self,
        *,
        allow_private_hosts: bool,
        extra_hosts: Collection[str],
        own_origins: Collection[str],
        redact: Redact,
    ) -> None:
        """Replace what the operator allows and what is masked, from the next request on."""
        own = [origin_of(read_url(origin)) for origin in own_origins]
        self._allowlist.allow(
            allow_private_hosts=allow_private_hosts, extra_hosts=extra_hosts, own_origins=own
        )
        self._network.allow(allow_loopback=allow_private_hosts, own=_places(own))
        self._refusals.redact = redact

    async def run(self, connector: Connector[Any], flow: Flow[T], purpose: Purpose) -> T:
        """Make the calls that a flow yields, at most 8, and return its result; return a plain value at once.

        The connector's `refusal` interprets statuses of 300 and above that a call does not expect. `unreachable`
        means that no response arrived. For a text, `unreachable` is raised only if it was certainly not sent, and
        `Ambiguous` if it may have been.
        """
        return await self._calls.run(connector, flow, purpose)

    async def obtain_token(self, connector: Connector[Any]) -> None:
        """Make sure that there is a valid token, if the connector needs one. Raises `connectors.Rejected`."""
        await self._tokens.current(connector)

    def watch_tokens(self, failed: Callable[[Connector[Any]], None]) -> None:
        """Call `failed` with each connector whose token could not be obtained. It must return at once."""
        self._tokens.on_failure.append(failed)

    async def _run_for_token(
        self, connector: Connector[Any], flow: Flow[Token | None]
    ) -> Token | None:
        return await self._calls.run(connector, flow, "check", for_token=True)

    def first_host(self, flow: Callable[[], Flow[Download]]) -> str:
        """Return the host and port that a look-up or download contacts first, without contacting it.

        Returns "" if the connector cannot say: the attempt will show why.
        """
        try:
            return str(origin_of(read_url(_first_call(flow()).url)))
        except Exception:  # noqa: BLE001 - a mistake of the connector, which the attempt reports
            return ""

    async def download(
        self,
        connector: Connector[Any],
        download: Download,
        into: int,
        limit: int,
        arriving: Callable[[str], None] | None = None,
    ) -> Fetched:
        """Stream a file into the descriptor `into`, from its current position on, and decrypt it.

        A file that is larger than `limit` bytes, or claims to be, raises MediaRejected("too_large"). The content of
        `into` is valid only if this returns. `arriving` is called with each host, redirects included, before it is
        contacted; what it raises ends the download.
        """
        return await self._downloads.download(connector, download, into, limit, arriving)

    async def aclose(self) -> None:
        """Close all connections; requests in flight fail."""
        await self._tokens.aclose()
        await self._pooled.aclose()
        await self._unpooled.aclose()
        self._resolver.close()
        self._threads.shutdown(wait=False, cancel_futures=True)


def _places(origins: Iterable[Origin]) -> list[tuple[str, int]]:
    return [(origin.host, origin.port) for origin in origins]


def _first_call(flow: Flow[Download]) -> Call:
    """Return the first call of a look-up, or the download itself if there is no look-up."""
    if isinstance(flow, Download):
        return flow.call
    with closing(flow):
        return next(flow)
