"""Reports, in any engine."""

from functools import partial

from gateway.journal.interface import ReportJournal
from gateway.journal.operations import reports
from gateway.journal.records import Report

from .store import Store


class ReportStore(Store, ReportJournal):
    """The part of the journal that keeps reports."""

    async def due_reports(self, connector: str, now: int, limit: int) -> list[Report]:
        return await self._read(partial(reports.due, connector=connector, now=now, limit=limit))

    async def next_report(self, connector: str) -> int | None:
        return await self._read(partial(reports.next_due, connector=connector))

    async def report_waits_for_text(self, key: int) -> bool:
        return await self._read(partial(reports.waits_for_text, key=key))

    async def report_done(self, key: int) -> None:
        await self._submit(partial(reports.done, key=key))

    async def postpone_report(self, key: int, due: int) -> None:
        await self._submit(partial(reports.postpone, key=key, due=due))

    async def expire_reports(self, before: int) -> int:
        return await self._submit(partial(reports.expire, before=before))
