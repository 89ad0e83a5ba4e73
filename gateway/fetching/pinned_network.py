"""Network connections to checked addresses: each name is resolved once, checked, and pinned.

The Host header and the TLS server name are still the name, so certificates are verified as usual. A second DNS
look-up, which could return another address (DNS rebinding), does not happen.
"""

import asyncio
import socket
import ssl
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import ip_address
from typing import Any, Protocol

import httpcore

from .errors import Blocked
from .origin import is_loopback, is_loopback_host, is_public, literal

#: Addresses of one name that are tried; each gets a share of the time to connect.
_MAX_ADDRESSES = 4

#: Limits the data that the kernel buffers before it is read. By default it grows to 6 MB for each connection, and
#: uvloop, which reads all of it at once, holds as much again. With 128 KiB (Linux doubles it) 100 downloads of 25 MB
#: peaked at 119 MB instead of 776 MB. The window still transfers 25 MB in about 20 s at a latency of 100 ms.
_RECEIVE_BUFFER = [(socket.SOL_SOCKET, socket.SO_RCVBUF, 128 * 1024)]


class Resolve(Protocol):
    """Resolves a name to addresses; raises OSError for a name that has none."""

    async def __call__(self, host: str, port: int) -> Sequence[str]: ...


class SystemResolver:
    """The resolver of the machine, in its own threads.

    While DNS is down, each look-up blocks its thread for seconds. In shared threads it would stall work on files.
    """

    def __init__(self, threads: int = 8) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="resolve")

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        look_up = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, look_up)
        return tuple(dict.fromkeys(str(address[0]) for *_, address in found))

    def close(self) -> None:
        """Let each thread end with its current look-up."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class PinnedNetwork(httpcore.AsyncNetworkBackend):
    """Connects only to checked addresses. `dial` opens the connection to an address."""

    def __init__(
        self,
        resolve: Resolve,
        *,
        allow_loopback: bool,
        own: Collection[tuple[str, int]] = (),
        dial: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        self._resolve = resolve
        self.allow(allow_loopback=allow_loopback, own=own)
        self._dial = dial or httpcore.AnyIOBackend()

    def allow(self, *, allow_loopback: bool, own: Collection[tuple[str, int]]) -> None:
        """Replace what may be connected to; `own` are hosts and ports of ours, which may have any address."""
        self._allow_loopback = allow_loopback
        self._own = frozenset(own)

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        del local_address, socket_options
        deadline = None if timeout is None else asyncio.get_running_loop().time() + timeout
        addresses = await self._addresses(host, port)
        return _Stream(await self._first_open(addresses[:_MAX_ADDRESSES], port, deadline))

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        del path, timeout, socket_options
        raise Blocked("Unix sockets are not allowed")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def _addresses(self, host: str, port: int) -> Sequence[str]:
        """Return the addresses of a host. If one of them is not allowed, the host is blocked: its name is suspect."""
        found = (host,) if literal(host) is not None else await self._look_up(host, port)
        if (host, port) in self._own:
            return found
        is_simulator = self._allow_loopback and is_loopback_host(host)
        permitted = is_loopback if is_simulator else is_public
        if not all(permitted(ip_address(address)) for address in found):
            raise Blocked(f"{host} resolves to an address that is not public")
        return found

    async def _look_up(self, host: str, port: int) -> Sequence[str]:
        try:
            found = await self._resolve(host, port)
        except OSError as exc:
            raise httpcore.ConnectError(f"{host} has no address: {exc.strerror}") from exc
        if not found:
            raise httpcore.ConnectError(f"{host} has no address")
        return found

    async def _first_open(
        self, addresses: Sequence[str], port: int, deadline: float | None
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that accepts; each gets an equal share of the remaining time."""
        clock = asyncio.get_running_loop().time
        for tried, address in enumerate(addresses[:-1]):
            share = None if deadline is None else (deadline - clock()) / (len(addresses) - tried)
            try:
                return await self._dial.connect_tcp(
                    address, port, timeout=share, socket_options=_RECEIVE_BUFFER
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        remaining = None if deadline is None else deadline - clock()
        return await self._dial.connect_tcp(
            addresses[-1], port, timeout=remaining, socket_options=_RECEIVE_BUFFER
        )


class _Stream(httpcore.AsyncNetworkStream):
    """A connection that is closed if its TLS handshake is cancelled; httpcore closes it only on errors."""

    def __init__(self, inner: httpcore.AsyncNetworkStream) -> None:
        self._inner = inner

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return await self._inner.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            return await self._inner.start_tls(ssl_context, server_hostname, timeout)
        except asyncio.CancelledError:
            await self._inner.aclose()
            raise

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
