"""Reports to platforms: outcomes of attachments, erasures and closings, made until the platform takes them.

A report is recorded with the change that it reports, so a crash loses none; after a crash it may be made twice, which
the contract allows.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from connectors import Connector, Feature, Flow, Outcome, Purpose, Rejected
from gateway.backoff import delay
from gateway.fetching import Ambiguous
from gateway.identifiers import attachment_id
from gateway.journal import (
    Informed,
    JournalUnavailable,
    Recorded,
    Report,
    ReportJournal,
    ReportKind,
)
from gateway.media.consumer_links import Grant
from gateway.observability.lines import naming
from gateway.settings import live
from gateway.timestamps import now_ms
from normalizer.media import Unsafe

from .each_connector import run_for_each

log = structlog.get_logger(__name__)

#: The feature of the chart that says whether a platform is informed.
_FEATURES: Mapping[ReportKind, Feature] = {
    "outcome": "outcome",
    "forget": "forget",
    "closed": "send_close",
}
#: Reports that are read from the journal at a time.
_BATCH = 50
#: Seconds after which a report that the platform does not take is given up.
_GIVE_UP_AFTER = 7 * 86_400.0
#: Seconds between two attempts: the first pause, and the longest.
_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 3600.0
#: Seconds for one report, including connections and redirects.
_TIMEOUT = 60.0
#: Seconds without news after which the journal is read again.
_IDLE = 300.0


class Flows(Protocol):
    """The part of the fetcher that runs flows."""

    async def run(self, connector: Connector[Any], flow: Flow[None], purpose: Purpose) -> None: ...


def informed(connectors: Mapping[str, Connector[Any]]) -> Informed:
    """Return the connectors whose platforms are informed, as their charts say."""
    found = {
        kind: frozenset(
            name
            for name, connector in connectors.items()
            if connector.capabilities.support(feature) != "no"
        )
        for kind, feature in _FEATURES.items()
    }
    return Informed(found["outcome"], found["forget"], found["closed"])


@dataclass(frozen=True, slots=True)
class _Again:
    """A report was not taken: for what reason, and how long the platform asks us to wait."""

    reason: str
    after: float = 0.0


class PlatformReports:
    """Makes reports, one at a time for each connector. `first_pause` is in seconds.

    `owns` says whether a connector, by its name, is this node's.
    """

    def __init__(
        self,
        journal: ReportJournal,
        connectors: Mapping[str, Connector[Any]],
        fetcher: Flows,
        seal: Callable[[Grant], str],
        *,
        first_pause: float = _FIRST_PAUSE,
        owns: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self._connectors = live(connectors)
        self._journal = journal
        self._made_of = (journal, fetcher, seal, first_pause, owns)
        self._queues: dict[str, _Queue] = {}

    def recorded(self, recorded: Recorded) -> None:
        """Look for new reports. Called by the journal for each transaction."""
        if recorded.new_reports:
            self.look()

    def look(self) -> None:
        """Look for reports in the journal."""
        for queue in self._queues.values():
            queue.news.set()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(run_for_each(self._connectors, self._report_for))
            while True:
                with suppress(JournalUnavailable):
                    await self._journal.expire_reports(now_ms() - round(_GIVE_UP_AFTER * 1000))
                await asyncio.sleep(_IDLE)

    async def _report_for(self, name: str, connector: Connector[Any]) -> None:
        who = informed({name: connector})
        if name in who.outcome | who.forget | who.closed:
            queue = self._queues[name] = _Queue(name, connector, *self._made_of)
            await queue.run()


class _Queue:
    """The reports for one connector's platform."""

    def __init__(
        self,
        name: str,
        connector: Connector[Any],
        journal: ReportJournal,
        fetcher: Flows,
        seal: Callable[[Grant], str],
        first_pause: float,
        owns: Callable[[str], bool],
    ) -> None:
        self.news = asyncio.Event()
        self._name = name
        self._connector = connector
        self._journal = journal
        self._fetcher = fetcher
        self._seal = seal
        self._first_pause = first_pause
        self._owns = owns

    async def run(self) -> None:
        while True:
            self.news.clear()
            try:
                while found := await self._due():
                    for report in found:
                        if self._owns(self._name):
                            await self._settle(report)
                owned = self._owns(self._name)
                due = await self._journal.next_report(self._name) if owned else None
                pause = _IDLE if due is None else min(_IDLE, max(0.0, (due - now_ms()) / 1000))
            except JournalUnavailable as exc:
                log.error("reports_delayed", connector=self._name, error=str(exc))
                pause = self._first_pause
                await asyncio.sleep(pause)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self.news.wait()

    async def _due(self) -> list[Report]:
        if not self._owns(self._name):
            return []
        return await self._journal.due_reports(self._name, now_ms(), _BATCH)

    async def _settle(self, report: Report) -> None:
        with naming(request_id=report.request_id, connector=self._name, kind=report.kind):
            await self._try(report)

    async def _try(self, report: Report) -> None:
        # A consumer who reads that the conversation was closed must not receive another text after it.
        if report.kind == "closed" and await self._journal.report_waits_for_text(report.key):
            again: _Again | None = _Again("text_waiting")
        else:
            again = await self._make(report)
        if again is None:
            await self._journal.report_done(report.key)
            return
        pause = delay(report.attempts + 1, base=self._first_pause, ceiling=_LONGEST_PAUSE)
        pause = max(pause, min(again.after, _LONGEST_PAUSE))
        log.warning(
            "platform_not_informed",
            reason=again.reason,
            attempt=report.attempts + 1,
            retry_in=round(pause, 1),
        )
        await self._journal.postpone_report(report.key, now_ms() + round(pause * 1000))

    async def _make(self, report: Report) -> _Again | None:
        """Make a report once; None if it is settled, also because the platform refuses it for good."""
        try:
            async with asyncio.timeout(_TIMEOUT):
                await self._fetcher.run(self._connector, self._flow(report), "send")
        except Ambiguous as exc:
            return _Again(exc.reason)
        except Rejected as exc:
            if exc.retry or exc.operator:
                return _Again(exc.reason, exc.after or 0.0)
            log.warning(
                "report_refused",
                reason=exc.reason,
                code=exc.code,
                detail=exc.detail,
            )
        except Unsafe as exc:
            return _Again(exc.reason)
        except TimeoutError:
            return _Again("unreachable")
        except Exception as exc:
            # A bug in a connector must not end the gateway; a later version may make the report.
            log.exception("report_unexpected_error")
            return _Again(type(exc).__name__)
        return None

    def _flow(self, report: Report) -> Flow[None]:
        content = report.content
        match report.kind:
            case "outcome":
                renditions = tuple(content["renditions"])
                grant = self._grant(content) if renditions else None
                return self._connector.tell_outcome(
                    Outcome(**{**content, "renditions": renditions, "grant": grant})
                )
            case "forget":
                return self._connector.forget(**content)
            case "closed":
                return self._connector.tell_closed(**content)

    def _grant(self, content: Mapping[str, Any]) -> str:
        """Return the permission to show the file to the consumer who sent it."""
        message = self._journal.ids.message(self._name, content["message_id"])
        attachment = attachment_id(message, content["position"])
        return self._seal(Grant(self._name, attachment, content["to"]))
