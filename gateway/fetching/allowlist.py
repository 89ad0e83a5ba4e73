"""Allowlist: the hosts that a connector may contact, and those that may receive its credentials.

A URL is allowed if its origin is that of the connector's `api_url`, or if it is https on port 443 at one of the
connector's `hosts` or `media_hosts` or at one of the operator's `fetch.extra_hosts`. The addresses to which names
resolve are checked when connecting (`pinned_network`), for every redirect.

`allow_private_hosts` is for simulators: it also allows this machine (localhost, 127.0.0.0/8, ::1) over plain http on
any port, in place of any platform host. Everything else stays blocked, such as 10.0.0.1, 169.254.169.254, and names
that resolve to this machine.

`own_origins` are for a platform of ours, such as the web channel on the same machine: each opens one exact origin,
plain http and private addresses included, for the connector whose `api_url` it is.
"""

from collections.abc import Collection
from typing import Any

import httpx

from connectors import Connector

from .errors import Blocked
from .origin import Origin, origin_of, read_url


class Allowlist:
    """The allowed hosts of an installation."""

    def __init__(
        self,
        *,
        allow_private_hosts: bool,
        extra_hosts: Collection[str],
        own_origins: Collection[Origin] = (),
    ) -> None:
        self.allow(
            allow_private_hosts=allow_private_hosts,
            extra_hosts=extra_hosts,
            own_origins=own_origins,
        )

    def allow(
        self,
        *,
        allow_private_hosts: bool,
        extra_hosts: Collection[str],
        own_origins: Collection[Origin],
    ) -> None:
        """Replace what the operator allows, from the next request on."""
        self._allow_private_hosts = allow_private_hosts
        self._own_origins = frozenset(own_origins)
        self._extra_hosts = frozenset(host.lower() for host in extra_hosts)

    def admit(self, connector: Connector[Any], url: httpx.URL) -> Origin:
        """Return the origin of a URL that the connector may contact; raise `Blocked` for any other."""
        origin = origin_of(url)
        if self._allow_private_hosts and origin.scheme == "http" and origin.is_loopback:
            return origin
        # Only the platform itself: another one's address must not lead to a machine of ours.
        if origin in self._own_origins and origin == api_origin(connector):
            return origin
        if origin.scheme != "https":
            raise Blocked(f"{origin}: plain http is not allowed{_remedy_for_loopback(origin)}")
        if origin == api_origin(connector):
            return origin
        if origin.port != 443:
            raise Blocked(f"{origin}: only port 443 is allowed")
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
    """Whether an allowed origin may receive credentials. Another port is another origin."""
    return origin == api_origin(connector) or (
        origin.scheme == "https" and origin.port == 443 and origin.host in connector.hosts
    )


def api_origin(connector: Connector[Any]) -> Origin:
    """Return the origin of the connector's `api_url`."""
    return origin_of(read_url(str(connector.config.api_url)))


def _matches(host: str, pattern: str) -> bool:
    return host.endswith(pattern) if pattern.startswith(".") else host == pattern


def _remedy_for_loopback(origin: Origin) -> str:
    return (
        "; for a platform of your own, name it in fetch.own_origins; for a simulator, set fetch.allow_private_hosts"
        if origin.is_loopback
        else ""
    )
