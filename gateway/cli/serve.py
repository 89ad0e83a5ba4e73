"""`airlock serve`: run the gateway until it is asked to end."""

import sys

import structlog

from gateway.journal import JournalUnavailable
from gateway.observability.logs import configure
from gateway.service import Gateway
from gateway.settings import Settings
from normalizer.sandbox.errors import SandboxUnavailable
from workspace.store.migrations import TooNew

from .running import asked_to_end, run, settle

log = structlog.get_logger(__name__)


def serve(settings: Settings) -> int:
    configure(settings.secrets())
    try:
        run(_serve(settings))
    except (OSError, JournalUnavailable, SandboxUnavailable, TooNew) as trouble:
        print(f"airlock cannot start: {trouble}", file=sys.stderr)
        return 1
    return 0


async def _serve(settings: Settings) -> None:
    end = asked_to_end()
    async with Gateway(settings) as gateway:
        if settings.core.url is None:
            log.info("workspace_listens", address=f"{gateway.url}/workspace/")
        settle()
        await gateway.wait(end)
        log.info("gateway_ends")
