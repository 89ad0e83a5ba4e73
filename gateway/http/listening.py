"""The sockets on which the gateway listens: those that systemd holds for it, or one of its own.

With socket activation (sd_listen_fds(3)), the supervisor holds the socket while the gateway restarts. Connections wait
in it, and none is refused.
"""

import os
import socket
from collections.abc import MutableMapping
from dataclasses import dataclass

from gateway.observability.system_errors import CannotStart, about_listening
from gateway.settings import Address

#: The first inherited descriptor, as sd_listen_fds(3) defines it.
_FIRST = 3
_BACKLOG = 1024
#: The name of a socket whose unit does not name it.
_UNNAMED = "unknown"
#: The name that `FileDescriptorName=` gives to sockets for webhooks, the API and everything else.
GATEWAY = "gateway"
#: That of the sockets of the web channel's own server.
WEBCHAT = "webchat"


@dataclass(frozen=True, slots=True)
class Inherited:
    """A socket that the supervisor opened; `name` is that of its unit, unless FileDescriptorName= says otherwise."""

    name: str
    socket: socket.socket


def inherited(environ: MutableMapping[str, str], first: int = _FIRST) -> list[Inherited]:
    """Return the sockets that were opened for this process, and remove them from the environment of its children."""
    pid, count, names = (
        environ.pop(name, "") for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")
    )
    if pid != str(os.getpid()) or not count.isdigit():
        return []
    given = names.split(":") if names else []
    found = []
    for number in range(int(count)):
        descriptor = first + number
        os.set_inheritable(descriptor, False)
        name = given[number] if number < len(given) else _UNNAMED
        found.append(Inherited(name, _opened(name, descriptor)))
    return found


def listen(address: Address, setting: str = "gateway.listen") -> socket.socket:
    """Open the socket of a setting."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with about_listening(address, setting):
        return socket.create_server((address.host, address.port), family=family, backlog=_BACKLOG)


def _opened(name: str, descriptor: int) -> socket.socket:
    try:
        sock = socket.socket(fileno=descriptor)
    except OSError as exc:
        raise CannotStart(
            f"LISTEN_FDS: descriptor {descriptor} is not a socket; start Airlock from a .socket unit"
        ) from exc
    problem = _problem(name, sock)
    if problem is not None:
        sock.close()
        raise CannotStart(problem)
    return sock


def _problem(name: str, sock: socket.socket) -> str | None:
    listens = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    if not listens or sock.family not in {socket.AF_INET, socket.AF_INET6}:
        return (
            f"the socket {name} cannot be used; write ListenStream= with an address and a port in its unit, "
            "without Accept=yes"
        )
    if name not in {GATEWAY, WEBCHAT, _UNNAMED} and not name.endswith(".socket"):
        return f"nothing serves the socket {name}; write FileDescriptorName={GATEWAY} or {WEBCHAT} in its unit"
    return None
