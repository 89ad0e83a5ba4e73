"""The operators' page: health, channels, metrics and failures from the gateway's public endpoints."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

import orjson
from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families

from workspace.gateway.client import GatewayError
from workspace.http.context import Workspace, workspace_of
from workspace.http.responses import error_response, json_response
from workspace.text.language import say
from workspace.text.problems import find_problems
from workspace.timestamps import now

#: Only the gateway's own metrics are shown. Those of the Python process say little to operators.
_METRIC_PREFIX = "airlock_"

_MAX_NOTICES = 20


async def show_operations(request: web.Request) -> web.Response:
    """Return all parts of the page. A part that could not be loaded has a reason instead of its content."""
    workspace = workspace_of(request)
    parts = await asyncio.gather(
        *(_fetch_part(workspace, path, read) for path, read in _PARTS.values())
    )
    report = dict(zip(_PARTS, parts, strict=True))
    notices = await workspace.database.read(_account_notices)
    problems = _problems(workspace, report)
    return json_response({"problems": problems, **report, "notices": notices})


def _problems(workspace: Workspace, report: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what is wrong, with since when, or since when it has been noticed here."""
    found = find_problems(report)
    noticed = workspace.noticed_problems
    at = now()
    for key in set(noticed) - {problem.key for problem in found}:
        del noticed[key]
    return [
        {
            "key": problem.key,
            "urgent": problem.urgent,
            "what": problem.what,
            "todo": problem.todo,
            "since": problem.since,
            "noticed": noticed.setdefault(problem.key, at),
        }
        for problem in found
    ]


async def retry_failure(request: web.Request) -> web.Response:
    """Retry one failure, or `all`."""
    id = quote(request.match_info["failure"], safe="")
    try:
        done = await workspace_of(request).gateway.request("POST", f"/v1/failures/{id}/retry")
    except GatewayError as exc:
        return error_response(502, exc.detail)
    return json_response(done.content, 202)


async def _fetch_part(
    workspace: Workspace, path: str, read: Callable[[Any], Any]
) -> dict[str, Any]:
    try:
        content = (await workspace.gateway.request("GET", path)).content
    except GatewayError as exc:
        # A gateway that is not ready answers 503 and lists its checks.
        if "checks" not in exc.problem:
            reason = say("operations.unsupported") if exc.status in _UNSUPPORTED else exc.detail
            return {"trouble": reason}  # allow-word
        content = exc.problem
    try:
        return {"content": read(content)}
    except (KeyError, TypeError, ValueError, AttributeError):
        return {"trouble": say("operations.unreadable")}  # allow-word


#: The answers of a gateway that lacks a part.
_UNSUPPORTED = frozenset({404, 405, 501})


def _health(content: Mapping[str, Any]) -> Any:
    checks = content["checks"]
    return [{"name": name, **check} for name, check in checks.items()]


def _channels(content: Mapping[str, Any]) -> Any:
    return content["connectors"]


def _failures(content: Mapping[str, Any]) -> Any:
    return content["failures"]


def _metrics(text: str) -> list[dict[str, Any]]:
    return [
        {
            "name": family.name,
            "help": family.documentation,
            "type": family.type,
            "samples": [
                {"name": s.name, "labels": s.labels, "value": s.value} for s in family.samples
            ],
        }
        for family in text_string_to_metric_families(text)
        if family.name.startswith(_METRIC_PREFIX) and not family.name.endswith("_created")
    ]


_PARTS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "health": ("/readyz", _health),
    "channels": ("/v1/capabilities", _channels),
    "failures": ("/v1/failures?limit=200", _failures),
    "numbers": ("/metrics", _metrics),
}


def _account_notices(db: sqlite3.Connection) -> list[dict[str, Any]]:
    """Return the latest notices of platforms about our own accounts."""
    rows = db.execute(
        """SELECT taken_at, body FROM events WHERE type = 'account.notice' AND body IS NOT NULL
           ORDER BY taken_at DESC LIMIT ?""",
        (_MAX_NOTICES,),
    )
    return list(_parse_notices(rows))


def _parse_notices(rows: sqlite3.Cursor) -> Iterator[dict[str, Any]]:
    for row in rows:
        data = orjson.loads(row["body"]).get("data")
        if isinstance(data, dict) and isinstance(data.get("notice"), dict):
            yield {
                "at": row["taken_at"],
                "connector": data.get("connector"),
                "kind": data["notice"].get("kind"),
                "text": data["notice"].get("text"),
            }
