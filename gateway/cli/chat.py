"""`airlock chat`: runs the web channel's server alone until it receives SIGTERM or SIGINT."""

import asyncio
import os
import signal
import sys
from contextlib import AsyncExitStack

import structlog

from gateway.http.connections import raise_descriptor_limit
from gateway.http.listening import inherited
from gateway.http.web_channel import start_web_channel
from gateway.journal import keep_new_files_private
from gateway.observability.logs import configure
from gateway.observability.system_errors import CannotStart, words_of
from gateway.settings import Settings
from gateway.settings.webchat import WebchatSection
from gateway.upkeep.systemd import Supervisor
from webchat.store.opening import Unusable

from .running import run, stop_event, tune_for_serving

log = structlog.get_logger(__name__)


def chat(settings: Settings) -> int:
    if settings.webchat is None:
        print("airlock chat: the settings have no section webchat; add one", file=sys.stderr)
        return 2
    configure(settings.secrets())
    keep_new_files_private()
    try:
        run(_chat(settings.webchat, settings))
    except (CannotStart, OSError, Unusable) as exc:
        print(f"airlock chat: cannot start: {words_of(exc)}", file=sys.stderr)
        return 1
    return 0


async def _chat(section: WebchatSection, settings: Settings) -> None:
    supervisor = Supervisor(os.environ)
    sockets = [each.socket for each in inherited(os.environ)]
    stop = stop_event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, _decline_reload)
    raise_descriptor_limit()
    async with AsyncExitStack() as stack:
        server = await start_web_channel(section, settings, stack, sockets)
        background = [
            asyncio.create_task(server.watch()),
            asyncio.create_task(supervisor.feed_watchdog()),
        ]
        tune_for_serving()
        supervisor.ready()
        await stop.wait()
        supervisor.stopping()
        background[0].cancel()
        log.info("web_channel_ends")


def _decline_reload() -> None:
    log.warning("setting_needs_restart", setting="webchat", remedy="restart `airlock chat`")
