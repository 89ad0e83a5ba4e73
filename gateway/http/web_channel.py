"""The web channel's server beside the gateway's: the same guarded connections, on a port of its own."""

import os
import socket
from collections.abc import Sequence
from contextlib import AsyncExitStack

import structlog

from gateway.observability.system_errors import CannotStart, about_data_folder
from gateway.settings import Settings
from gateway.settings.webchat import WebchatSection
from gateway.upkeep.data_lock import claim
from webchat import create_app
from webchat.store.opening import Unusable

from .listening import listen
from .server import Server

log = structlog.get_logger(__name__)

#: Bytes that the kernel buffers of a connection (Linux doubles it): 1 MB/s at a latency of 100 ms.
_RECEIVE_BUFFER = 64 * 1024
#: Seconds that requests in progress get at the end, and that a predecessor may take to release the folder.
_GRACE_SECONDS, _PREDECESSOR_SECONDS = 3.0, 15.0


async def start_web_channel(
    section: WebchatSection,
    settings: Settings,
    stack: AsyncExitStack,
    sockets: Sequence[socket.socket] = (),
) -> Server:
    """Start the web channel; `stack` ends it. Run `watch` of the returned server.

    Without `sockets` that listen already, it opens that of `webchat.listen`.
    """
    own = section.settings(settings.gateway.data)
    with about_data_folder(own.data):
        own.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        stack.callback(os.close, await claim(own.data, _PREDECESSOR_SECONDS))
        app = create_app(own)
    sockets = sockets or [listen(section.listen, "webchat.listen")]
    for sock in sockets:
        stack.callback(sock.close)
        # Accepted connections inherit it. By default the kernel buffers megabytes of each upload, and uvloop takes all.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
    try:
        server = await Server.start(app, sockets, grace=_GRACE_SECONDS)
    except Unusable as exc:
        raise CannotStart(f"gateway.data: {exc}") from exc
    stack.push_async_callback(server.close)
    host, port, *_ = sockets[0].getsockname()
    log.info("web_channel_listens", address=f"http://{host}:{port}", sites=sorted(own.sites))
    return server
