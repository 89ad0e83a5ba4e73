"""`airlock serve`: runs the gateway until it receives SIGTERM or SIGINT."""

import sys

import structlog

from gateway.journal import JournalUnavailable, JournalUnusable, keep_new_files_private
from gateway.observability.logs import configure
from gateway.observability.system_errors import CannotStart
from gateway.service import Gateway
from gateway.settings import Settings
from normalizer.sandbox.errors import SandboxUnavailable
from workspace.store.opening import Unusable

from .running import run, stop_event, tune_for_serving

log = structlog.get_logger(__name__)


def serve(settings: Settings) -> int:
    is_shared = settings.gateway.journal != "sqlite"
    configure(settings.secrets(), node=settings.gateway.node if is_shared else None)
    keep_new_files_private()
    try:
        run(_serve(settings))
    except (CannotStart, OSError, JournalUnusable, SandboxUnavailable, Unusable) as exc:
        print(f"airlock serve: cannot start: {exc}", file=sys.stderr)
        return 1
    except JournalUnavailable as exc:
        print(f"airlock serve: stopped: {exc}", file=sys.stderr)
        return 1
    return 0


async def _serve(settings: Settings) -> None:
    stop = stop_event()
    async with Gateway(settings) as gateway:
        if settings.core.url is None:
            log.info("workspace_listens", address=f"{gateway.url}/workspace/")
        tune_for_serving()
        await gateway.wait(stop)
        log.info("gateway_ends")
