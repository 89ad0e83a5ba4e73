"""The gateway's only way out to the platforms: runs connectors' flows and downloads media, fenced."""

import ssl
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, TypeVar

import httpcore
import httpx

from connectors import Connector, Download, Flow, Purpose

from .allowlist import Allowlist
from .calls import Calls
from .circuit_breaker import BreakerPolicy
from .deadlines import Deadlines
from .downloads import Downloads
from .host_limits import HostLimits
from .pinned_network import PinnedNetwork, Resolve, SystemResolver
from .redirects import RedirectFollower
from .transport import AllowlistedTransport
from .verification import Fetched

T = TypeVar("T")

#: Connections kept for the next request to the same origin.
_MAX_IDLE_CONNECTIONS = 20

#: Downloads that may run at one host at once. A host that hangs holds no more than these.
_MAX_AT_ONE_HOST = 32

#: Threads that decrypt, hash and write; enough to keep a disk busy.
_WRITERS = 4


def _now() -> datetime:
    return datetime.now(UTC)


class Fetcher:
    """Makes calls only where the fence allows, with credentials only where they may go.

    What a platform or the network does wrong is raised as `connectors.Rejected`, what the fence or our
    limits refuse as `MediaFailed` or `MediaRejected` (`normalizer.media`). Only a connector's own mistake,
    an exception before it had any reply, passes as it is. Nothing here is durable: whoever wants more than
    one try of a download or a text keeps their own account.

    `resolve`, `dial` and `tls` stand in for the machine's resolver, its network and its certificates.
    """

    def __init__(
        self,
        *,
        allow_private_hosts: bool,
        extra_hosts: Collection[str],
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
        network = PinnedNetwork(
            resolve or self._resolver, allow_loopback=allow_private_hosts, dial=dial
        )
        tls = tls or httpx.create_ssl_context()
        self._pooled = AllowlistedTransport(network, tls, idle=_MAX_IDLE_CONNECTIONS)
        self._unpooled = AllowlistedTransport(network, tls, idle=0)
        allowlist = Allowlist(allow_private_hosts=allow_private_hosts, extra_hosts=extra_hosts)
        redirects = RedirectFollower(allowlist, deadlines, clock)
        self._calls = Calls(redirects, deadlines, pooled=self._pooled, unpooled=self._unpooled)
        self._downloads = Downloads(
            redirects,
            HostLimits(policy, at_once=at_one_host, clock=steady),
            deadlines,
            clock=clock,
            threads=self._threads,
            transport=self._pooled,
        )

    async def run(self, connector: Connector[Any], flow: Flow[T], purpose: Purpose) -> T:
        """Make the calls a flow yields, at most 8, and return what it returns; a plain value at once.

        `refusal` reads statuses of 300 and above that a call does not expect. `unreachable` means no
        answer; for a call that changes something, made to send, that is said only when it certainly did
        not get through, and `Ambiguous` is raised when it may have.
        """
        return await self._calls.run(connector, flow, purpose)

    async def download(
        self, connector: Connector[Any], download: Download, into: int, limit: int
    ) -> Fetched:
        """Stream a file into the descriptor `into`, from its present position on, decrypting on the way.

        At most `limit` bytes: a file that is or claims to be larger is MediaRejected("too_large"). What is
        in `into` is worth nothing unless this returns.
        """
        return await self._downloads.download(connector, download, into, limit)

    async def aclose(self) -> None:
        """Close what is open; whatever is still under way fails."""
        await self._pooled.aclose()
        await self._unpooled.aclose()
        self._resolver.close()
        self._threads.shutdown(wait=False, cancel_futures=True)
