"""Connector health: the result of each connector's harmless check call, made in the background."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import structlog

from connectors import Connector, Rejected
from gateway.fetching import Fetcher
from gateway.journal import JournalUnavailable, ShardJournal
from gateway.observability.metrics import HEALTHY
from gateway.settings import live
from gateway.timestamps import now_ms, rfc3339
from normalizer.media import Unsafe

from .each_connector import run_for_each

log = structlog.get_logger(__name__)

#: Seconds between two checks. Meta limits calls per hour.
_EVERY = 300.0
#: Seconds between two checks after a failed one.
_RETRY_EVERY = 30.0
#: Seconds between two looks at what another node found.
_LEARN_EVERY = 10.0
#: Seconds for one check, including connections and redirects.
_TIMEOUT = 20.0

State = Literal["ok", "waiting", "needs action"]


@dataclass(frozen=True, slots=True)
class Health:
    """The health of one connector. `account` is the platform's name of the account.

    ok            the check succeeded
    waiting       not checked yet, or the platform did not respond: the gateway keeps trying
    needs action  the platform refused the credentials or settings: a person must correct them
    """

    state: State
    account: str | None = None
    detail: str | None = None
    checked_at: int | None = None

    def view(self) -> dict[str, Any]:
        checked = self.checked_at and rfc3339(self.checked_at)
        return {
            "state": self.state,
            "account": self.account,
            "detail": self.detail,
            "checked_at": checked,
        }


NOT_ASKED = Health("waiting", detail="the platform has not been checked yet")


async def ask(fetcher: Fetcher, connector: Connector[Any]) -> Health:
    """Make the connector's check call and return its result. Never raises."""
    try:
        async with asyncio.timeout(_TIMEOUT):
            # Also for a check that makes no call.
            await fetcher.obtain_token(connector)
            account = await fetcher.run(connector, connector.check(), "check")
    except Rejected as exc:
        state: State = "needs action" if exc.operator else "waiting"
        return Health(state, detail=str(exc), checked_at=now_ms())
    except Unsafe as exc:
        return Health("needs action", detail=f"{exc}; check api_url", checked_at=now_ms())
    except TimeoutError:
        detail = f"no response within {_TIMEOUT:.0f} s"
        return Health("waiting", detail=detail, checked_at=now_ms())
    except Exception as exc:
        # A bug in a connector must not end the gateway.
        log.exception("check_unexpected_error", platform=connector.name)
        detail = f"{type(exc).__name__}; see the log for details"
        return Health("needs action", detail=detail, checked_at=now_ms())
    return Health("ok", account, checked_at=now_ms())


class ConnectorHealth:
    """Checks every connector periodically; `of` returns the latest result without waiting."""

    def __init__(
        self,
        connectors: Mapping[str, Connector[Any]],
        fetcher: Fetcher,
        every: float = _EVERY,
        journal: ShardJournal | None = None,
    ) -> None:
        self._journal = journal
        self._connectors = live(connectors)
        self._fetcher = fetcher
        self._every = every
        self._latest: dict[str, Health] = {}
        self._news: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        fetcher.watch_tokens(self._check_soon)

    def of(self, connector: str) -> Health:
        return self._latest.get(connector, NOT_ASKED)

    def _check_soon(self, connector: Connector[Any]) -> None:
        for name, known in self._connectors.items():
            if known is connector:
                self._news[name].set()

    async def run(self) -> None:
        await run_for_each(self._connectors, self._poll_until_removed)

    async def _poll_until_removed(self, name: str, connector: Connector[Any]) -> None:
        try:
            await self._poll(name, connector)
        finally:
            if name not in self._connectors:
                self._latest.pop(name, None)
                HEALTHY.remove(name)

    async def _poll(self, name: str, connector: Connector[Any]) -> None:
        while True:
            if not await self._is_ours(name):
                continue
            previous = self._latest.get(name)
            current = await ask(self._fetcher, connector)
            # A failure during the check itself is already in its result.
            self._news[name].clear()
            if previous is not None and current.account is None:
                current = replace(current, account=previous.account)
            await self._keep(name, current)
            self._latest[name] = current
            HEALTHY.labels(name).set(current.state == "ok")
            if current.state != "ok" and (previous is None or previous.state != current.state):
                log.warning(
                    "connector_unhealthy",
                    connector=name,
                    state=current.state,
                    detail=current.detail,
                )
            pause = self._every if current.state == "ok" else min(_RETRY_EVERY, self._every)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._news[name].wait()

    async def _is_ours(self, name: str) -> bool:
        """Whether this node has to check a connector; if not, learn what its owner found, and wait a while."""
        if self._journal is None or not self._journal.ownership.shared:
            return True
        if self._journal.ownership.owns_connector(name):
            return True
        with suppress(JournalUnavailable):
            kept = await self._journal.kept_health(name)
            if kept is not None:
                self._latest[name] = Health(**kept)
                HEALTHY.labels(name).set(kept["state"] == "ok")
        await asyncio.sleep(_LEARN_EVERY)
        return False

    async def _keep(self, name: str, found: Health) -> None:
        if self._journal is not None and self._journal.ownership.shared:
            with suppress(JournalUnavailable):
                await self._journal.keep_health(name, asdict(found))
