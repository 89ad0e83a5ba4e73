"""`airlock serve`: runs the gateway until it receives SIGTERM or SIGINT; SIGHUP reads the settings again."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from importlib.metadata import version
from platform import python_version

import structlog

from gateway.http.listening import WEBCHAT, Inherited, inherited
from gateway.journal import JournalUnavailable, JournalUnusable, keep_new_files_private
from gateway.observability.logs import configure
from gateway.observability.system_errors import CannotStart, words_of
from gateway.service import Gateway
from gateway.settings import Settings
from gateway.upkeep.systemd import Supervisor
from normalizer.sandbox.errors import SandboxUnavailable
from workspace.store.opening import Unusable

from .running import run, stop_event, tune_for_serving

log = structlog.get_logger(__name__)

Load = Callable[[], Settings]


def serve(load: Load) -> int:
    """Run the gateway with the settings that `load` returns now, and after each SIGHUP."""
    # Until the event loop runs, SIGHUP would end the process.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    load = _with_logs(load)
    settings = load()
    log.info("airlock_starts", version=version("airlock-messaging"), python=python_version())
    keep_new_files_private()
    try:
        run(_serve(settings, load, inherited(os.environ)))
    except (CannotStart, OSError, JournalUnusable, SandboxUnavailable, Unusable) as exc:
        print(f"airlock serve: cannot start: {words_of(exc)}", file=sys.stderr)
        return 1
    except JournalUnavailable as exc:
        print(f"airlock serve: stopped: {exc}", file=sys.stderr)
        return 1
    return 0


def _with_logs(load: Load) -> Load:
    """Return `load` with the logs set up as the settings say. They keep masking the secrets of earlier settings."""
    secrets: set[str] = set()
    nodes: list[str | None] = []

    def load_and_configure() -> Settings:
        settings = load()
        secrets.update(settings.secrets())
        is_shared = settings.gateway.journal != "sqlite"
        # The node's name stays that of the start.
        nodes.append(settings.gateway.node if is_shared else None)
        lines = settings.log
        configure(secrets, node=nodes[0], level=lines.level, form=lines.format)
        return settings

    return load_and_configure


async def _serve(settings: Settings, load: Load, sockets: list[Inherited]) -> None:
    supervisor = Supervisor(os.environ)
    stop, reload_requested = stop_event(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reload_requested.set)
    own = [each.socket for each in sockets if each.name != WEBCHAT]
    web = [each.socket for each in sockets if each.name == WEBCHAT]
    async with Gateway(settings, sockets=own, web_sockets=web) as gateway:
        if settings.core.url is None:
            log.info("workspace_listens", address=f"{gateway.url}/workspace/")
        tune_for_serving()
        supervisor.ready()
        reloading = _reload_on_request(gateway, load, reload_requested, supervisor)
        # The watchdog is fed until the end: stopping takes seconds.
        background = [asyncio.create_task(work) for work in (reloading, supervisor.feed_watchdog())]
        await gateway.wait(stop)
        supervisor.stopping()
        log.info("gateway_ends")
        background[0].cancel()


async def _reload_on_request(
    gateway: Gateway, load: Load, requested: asyncio.Event, supervisor: Supervisor
) -> None:
    while True:
        await requested.wait()
        requested.clear()
        with supervisor.reloading():
            await gateway.reload(load)
