"""The audit log, for supervisors: page by page, and as a table for export."""

import csv
import io
from datetime import UTC, datetime
from functools import partial
from typing import Any

from aiohttp import web

from workspace.http.context import agent_of, workspace_of
from workspace.http.responses import json_response, parse_number
from workspace.store import audit_log
from workspace.store.audit_log import AuditFilter
from workspace.timestamps import now

from .gateway_views import list_views

#: Entries that are read at once during an export.
_EXPORT_PAGE = 1_000

_COLUMNS = (
    "time",
    "agent",
    "action",
    "detail",
    "file kind",
    "file name",
    "file id",
    "customer",
    "conversation id",
)


async def list_audit(request: web.Request) -> web.Response:
    """Return a page of entries, latest first. `before` is an entry number; the rest of the query filters."""
    wanted = _parse_filter(request)
    before = parse_number(request.query.get("before", str(1 << 50)))
    if workspace_of(request).settings.pages_only:
        entries = await list_views(request, wanted, before)
        agents = sorted({entry["agent"] for entry in entries})
        return json_response({"entries": entries, "agents": agents})
    read = workspace_of(request).database.read
    entries = await read(partial(audit_log.list_entries, wanted=wanted, before=before))
    return json_response({"entries": entries, "agents": await read(audit_log.list_agents)})


async def export_audit(request: web.Request) -> web.StreamResponse:
    """Send all entries that the filter leaves as a table (CSV). The export is an entry itself."""
    workspace, wanted = workspace_of(request), _parse_filter(request)
    record = partial(
        audit_log.record, at=now(), agent=agent_of(request), did="exported the audit log"
    )
    await workspace.database.write(record)
    day = datetime.now(UTC).date().isoformat()
    headers = {"Content-Disposition": f'attachment; filename="audit-{day}.csv"'}
    response = web.StreamResponse(headers=headers)
    response.content_type, response.charset = "text/csv", "utf-8"
    await response.prepare(request)
    # Spreadsheets recognise UTF-8 by the mark at the beginning.
    await response.write("\ufeff".encode() + _rows([list(_COLUMNS)]))
    before = 1 << 50
    while True:
        if workspace.settings.pages_only:
            entries = await list_views(request, wanted, before)
        else:
            query = partial(audit_log.list_entries, wanted=wanted, before=before, page=_EXPORT_PAGE)
            entries = await workspace.database.read(query)
        if not entries:
            return response
        await response.write(_rows([_row(entry) for entry in entries]))
        before = entries[-1]["number"]


def _parse_filter(request: web.Request) -> AuditFilter:
    """Parse `agent`, `customer`, `since` and `until` (ms), `views=only` and `glimpses=too`."""
    query = request.query
    return AuditFilter(
        agent=query.get("agent", ""),
        customer=query.get("customer", "")[:200],
        since=parse_number(query.get("since") or "0"),
        until=parse_number(query.get("until") or str(1 << 50)),
        views=query.get("views") == "only",
        glimpses=query.get("glimpses") == "too",
    )


def _row(entry: dict[str, Any]) -> list[str]:
    at = datetime.fromtimestamp(entry["at"] / 1000, UTC).isoformat(timespec="seconds")
    names = ("agent", "did", "detail", "kind", "name", "attachment", "consumer", "conversation")
    return [at, *(_plain(entry[name]) for name in names)]


def _plain(value: str | None) -> str:
    """Return a text that a spreadsheet does not take for a formula."""
    text = value or ""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _rows(rows: list[list[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()
