"""Reports and closings in the SQLite journal."""

from functools import partial

from gateway.journal.interface import ReportJournal
from gateway.journal.operations import conversations, reports
from gateway.journal.records import Report

from .store import Store


class ReportStore(Store, ReportJournal):
    """The part of the journal that keeps reports."""

    async def close_conversation(self, conversation: str) -> bool:
        closed = await self._writer.announce(
            lambda c: conversations.close(c, conversation, self.informed)
        )
        return closed is not None

    async def due_reports(self, connector: str, now: int, limit: int) -> list[Report]:
        return await self._read(partial(reports.due, connector=connector, now=now, limit=limit))

    async def next_report(self, connector: str) -> int | None:
        return await self._read(partial(reports.next_due, connector=connector))

    async def report_done(self, key: int) -> None:
        await self._writer.submit(partial(reports.done, key=key))

    async def postpone_report(self, key: int, due: int) -> None:
        await self._writer.submit(partial(reports.postpone, key=key, due=due))

    async def expire_reports(self, before: int) -> int:
        return await self._writer.submit(partial(reports.expire, before=before))
