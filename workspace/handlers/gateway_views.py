"""The audit log where another core has the conversations: the views that the gateway recorded."""

from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from workspace.gateway.client import GatewayError
from workspace.http.context import workspace_of
from workspace.store.audit_log import PAGE, AuditFilter
from workspace.timestamps import parse_timestamp, rfc3339

#: What the page sends as the number of an entry to begin with the latest.
_NO_LIMIT = 1 << 49
#: Views of thumbnails and posters come in great numbers, so that several pages may hold nothing else.
_MOST_PAGES = 5
_GLIMPSES = frozenset({"thumbnail", "poster"})


async def list_views(
    request: web.Request, wanted: AuditFilter, before: int, page: int = PAGE
) -> list[dict[str, Any]]:
    """Return a page of views as entries of the audit log, latest first. The conversation's id names the customer."""
    entries: list[dict[str, Any]] = []
    following: str | None = str(before) if before < _NO_LIMIT else None
    for _ in range(_MOST_PAGES):
        found = await _page(request, wanted, following)
        entries += [_entry(view) for view in found["views"] if _is_wanted(view, wanted)]
        following = found["next"]
        if following is None or len(entries) >= page:
            break
    return entries[:page]


def _is_wanted(view: dict[str, Any], wanted: AuditFilter) -> bool:
    return (
        (wanted.glimpses or view["rendition"] not in _GLIMPSES)
        and wanted.customer in view["conversation"]
        and parse_timestamp(view["at"], 0) < wanted.until
    )


async def _page(request: web.Request, wanted: AuditFilter, before: str | None) -> Any:
    given = {
        "agent": wanted.agent,
        "before": before,
        "since": rfc3339(wanted.since) if wanted.since else "",
        "limit": str(PAGE),
    }
    query = urlencode({name: value for name, value in given.items() if value})
    try:
        return (await workspace_of(request).gateway.request("GET", f"/v1/views?{query}")).content
    except GatewayError as exc:
        raise web.HTTPBadGateway(reason=exc.detail.partition("\n")[0]) from exc


def _entry(view: dict[str, Any]) -> dict[str, Any]:
    return {
        "number": view["number"],
        "at": parse_timestamp(view["at"], 0),
        "agent": view["agent"],
        "did": view["rendition"],
        "kind": view["kind"],
        "name": None,
        "conversation": None,
        "gone": False,
        "consumer": view["conversation"],
        "reference": view["conversation"],
        "attachment": view["attachment"],
        "shown": False,
        "detail": None,
    }
