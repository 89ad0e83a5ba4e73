"""The web channel's server beside the gateway's: the same guarded connections, on a port of its own."""

import os
import socket
from contextlib import AsyncExitStack

import structlog

from gateway.observability.system_errors import about_data_folder, about_listening
from gateway.settings import Settings
from gateway.settings.webchat import WebchatSection
from gateway.upkeep.data_lock import claim
from webchat import create_app

from .server import Server

log = structlog.get_logger(__name__)

#: Seconds that requests in progress get at the end, and that a predecessor may take to release the folder.
_GRACE_SECONDS, _PREDECESSOR_SECONDS = 3.0, 15.0


async def start_web_channel(
    section: WebchatSection, settings: Settings, stack: AsyncExitStack
) -> Server:
    """Start the web channel; `stack` ends it. Run `watch` of the returned server."""
    own = section.settings(settings.gateway.data)
    with about_data_folder(own.data):
        own.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        stack.callback(os.close, await claim(own.data, _PREDECESSOR_SECONDS))
        app = create_app(own)
    listen = section.listen
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    with about_listening(listen, "webchat.listen"):
        sock = socket.create_server((listen.host, listen.port), family=family, backlog=1024)
    stack.callback(sock.close)
    server = await Server.start(app, sock, grace=_GRACE_SECONDS)
    stack.push_async_callback(server.close)
    port = sock.getsockname()[1]
    log.info("web_channel_listens", address=f"http://{listen.host}:{port}", sites=sorted(own.sites))
    return server
