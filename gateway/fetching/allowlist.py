"""Where a connector may be fetched from, and where its credentials may go.

An address passes if it is the origin of the connector's `api_url`, or https on port 443 at one of its
`hosts`, its `media_hosts` or the operator's `fetch.extra_hosts`. What the names resolve to is checked when
connecting (`network`), at every hop.

`allow_private_hosts` is for simulators: this machine (localhost, 127.0.0.0/8, ::1) over plain http, any
port, then stands in for any platform host. Nothing else is loosened: 10.0.0.1 and 169.254.169.254 stay
blocked, and so does a name that only resolves to this machine.
"""

from collections.abc import Collection
from typing import Any

import httpx

from connectors import Connector

from .errors import Blocked
from .origin import Origin, origin_of, read_url


class Allowlist:
    """The rules of one installation."""

    def __init__(self, *, allow_private_hosts: bool, extra_hosts: Collection[str]) -> None:
        self._allow_private_hosts = allow_private_hosts
        self._extra_hosts = frozenset(host.lower() for host in extra_hosts)

    def admit(self, connector: Connector[Any], url: httpx.URL) -> Origin:
        """The origin of an address this connector may ask; raises `Blocked` for any other."""
        origin = origin_of(url)
        if self._allow_private_hosts and origin.scheme == "http" and origin.is_loopback:
            return origin
        if origin.scheme != "https":
            raise Blocked(f"{origin}: plain http{_remedy_for_loopback(origin)}")
        if origin == api_origin(connector):
            return origin
        if origin.port != 443:
            raise Blocked(f"{origin}: only port 443 is open to media")
        if not self._is_declared(connector, origin.host):
            raise Blocked(
                f"{origin.host} is not a host of {connector.name};"
                " if the platform serves media there, add it to fetch.extra_hosts"
            )
        return origin

    def _is_declared(self, connector: Connector[Any], host: str) -> bool:
        return host in connector.hosts or any(
            _matches(host, pattern) for pattern in connector.media_hosts | self._extra_hosts
        )


def trusts(connector: Connector[Any], origin: Origin) -> bool:
    """Whether credentials may go to an origin the fence has admitted. Another port is another origin."""
    return origin == api_origin(connector) or (
        origin.scheme == "https" and origin.port == 443 and origin.host in connector.hosts
    )


def api_origin(connector: Connector[Any]) -> Origin:
    """The origin of `api_url`."""
    return origin_of(read_url(str(connector.config.api_url)))


def _matches(host: str, pattern: str) -> bool:
    return host.endswith(pattern) if pattern.startswith(".") else host == pattern


def _remedy_for_loopback(origin: Origin) -> str:
    return "; for a simulator set fetch.allow_private_hosts" if origin.is_loopback else ""
