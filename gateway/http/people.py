"""The part of `/v1` about persons: look-ups, views, exports, erasures, and events that are sent again."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import datetime
from typing import Any

from aiohttp import web

from gateway.journal import Journal
from gateway.observability.lines import note
from gateway.observability.request_ids import current_id
from gateway.problems import bad_request, not_found
from gateway.timestamps import now_ms, to_ms
from gateway.upkeep.erasures import Erasures
from gateway.upkeep.failures import ids_of

from .bodies import ErasureOrder, ReplayOrder
from .export import Exporter
from .requests import json_response, parse_body, query_integer, query_text

_MAX_PAGE = 200


class PeopleApi:
    """The routes about persons."""

    def __init__(
        self,
        journal: Journal,
        connectors: Iterable[str],
        erasures: Erasures,
        exporter: Exporter,
        flush: Callable[[], Awaitable[None]],
    ) -> None:
        """`flush` records which events the core has taken."""
        self._journal = journal
        self._connectors = connectors
        self._erasures = erasures
        self._exporter = exporter
        self._flush = flush

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/v1/messages", self.look_up),
            web.get("/v1/views", self.views),
            web.get("/v1/exports", self.export),
            web.post("/v1/erasures", self.erase_person),
            web.get("/v1/erasures/{id}", self.receipt),
            web.delete("/v1/conversations/{id}", self.erase_conversation),
            web.delete("/v1/attachments/{id}", self.erase_attachment),
            web.post("/v1/events/replay", self.replay),
        ]

    async def look_up(self, request: web.Request) -> web.Response:
        """Return what became of a message by the platform's id: whether it came, when, and where it is now."""
        platform_id = query_text(request, "platform_id")
        if platform_id is None:
            bad_request("give the platform's id of the message as the parameter platform_id")
        connector = query_text(request, "connector")
        names = [connector] if connector else list(self._connectors)
        for name in names:
            found = await self._journal.message_state(self._journal.ids.message(name, platform_id))
            if found is not None:
                return json_response(_message_answer(name, platform_id, found))
        text = await self._journal.text_by_platform_id(platform_id)
        if text is not None and connector in {None, text["connector"]}:
            return json_response(_text_answer(platform_id, text))
        unreadable = await self._journal.unreadable_with(platform_id)
        held = [one for one in unreadable if connector in {None, one["connector"]}]
        if not held:
            not_found("message with the platform's id", platform_id)
        return json_response(_unreadable_answer(platform_id, held))

    async def views(self, request: web.Request) -> web.Response:
        """Return who looked at what, the latest first; `next` is the `before` of the next page."""
        limit = min(query_integer(request, "limit", _MAX_PAGE), _MAX_PAGE)
        before = query_text(request, "before")
        found = await self._journal.views(
            conversation=query_text(request, "conversation"),
            agent=query_text(request, "agent"),
            since=_time(request.query.get("since"), "since", 0),
            before=query_integer(request, "before", 0) if before else None,
            limit=limit,
        )
        following = str(found[-1]["number"]) if found and len(found) == limit else None
        return json_response({"views": found, "next": following})

    async def export(self, request: web.Request) -> web.StreamResponse:
        """Return everything held about a person, one JSON object a line."""
        consumer = query_text(request, "consumer")
        if consumer is None:
            bad_request("give an id of the person as the parameter consumer, such as a number")
        connector = query_text(request, "connector")
        response = web.StreamResponse(
            headers={
                "content-type": "application/x-ndjson",
                "content-disposition": 'attachment; filename="export.jsonl"',
                "cache-control": "no-store",
            }
        )
        lines = self._exporter.lines(consumer, connector)
        first = await anext(lines)
        await response.prepare(request)
        await response.write(first)
        await _write_all(response, lines)
        await response.write_eof()
        return response

    async def erase_person(self, request: web.Request) -> web.Response:
        """Erase a person in all conversations, in the background; the receipt says when that is done."""
        order = await parse_body(request, ErasureOrder)
        id = await self._erasures.request(order.consumer, order.connector)
        return json_response({"id": id}, status=202)

    async def receipt(self, request: web.Request) -> web.Response:
        id = request.match_info["id"]
        found = await self._journal.erasure(id)
        if found is None:
            not_found("erasure", id)
        return json_response(found)

    async def erase_conversation(self, request: web.Request) -> web.Response:
        id = request.match_info["id"]
        if not await self._erasures.erase_conversation(id):
            not_found("conversation", id)
        return web.Response(status=204)

    async def erase_attachment(self, request: web.Request) -> web.Response:
        id = request.match_info["id"]
        row = await self._journal.find_attachment(id)
        if row is None or not await self._erasures.erase_attachment(row.message, row.position):
            not_found("attachment", id)
        note("attachment_erased", ids_of(row))
        return web.Response(status=204)

    async def replay(self, request: web.Request) -> web.Response:
        """Send events again that the core has taken, with their old ids and in their old order."""
        order = await parse_body(request, ReplayOrder)
        if (
            order.conversation is not None
            and await self._journal.conversation(order.conversation) is None
        ):
            not_found("conversation", order.conversation)
        since = _time(order.since, "since", 0)
        until = _time(order.until, "until", now_ms())
        await self._flush()
        count = await self._journal.replay(since, until, order.conversation)
        ids = {"request_id": current_id(), "conversation": order.conversation}
        note("events_replayed", {**ids, "events": count})
        return json_response({"events": count}, status=202)


async def _write_all(response: web.StreamResponse, lines: AsyncIterator[bytes]) -> None:
    async for line in lines:
        await response.write(line)


def _time(text: str | None, name: str, default: int) -> int:
    """Return a time of RFC 3339 in ms."""
    if not text:
        return default
    try:
        # In a query a plus sign means a blank.
        at = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        bad_request(f"{name} must be a time such as 2026-11-22T01:02:03Z")
    if at.tzinfo is None:
        bad_request(f"{name} must say its time zone, such as 2026-11-22T01:02:03Z")
    return to_ms(at)


def _message_answer(connector: str, platform_id: str, found: dict[str, Any]) -> dict[str, Any]:
    message, events = found["message"], found["events"]
    attachments = message["attachments"] if message else []
    return {
        "connector": connector,
        "platform_id": platform_id,
        "state": "erased" if found["erased"] else _state(attachments, events),
        "received_at": message["received_at"] if message else None,
        "request_id": message.get("request_id") if message else None,
        "message": message,
        "events": events,
        "attachments": attachments,
        "failures": [one["id"] for one in attachments if one["state"] == "failed"],
    }


def _state(attachments: list[dict[str, Any]], events: list[dict[str, Any]]) -> str:
    """Return where a message is now."""
    if any(event["state"] == "held" for event in events):
        return "waiting_for_media"
    if any(event["state"] == "waiting" for event in events):
        return "waiting_for_core"
    if any(attachment["state"] == "pending" for attachment in attachments):
        return "waiting_for_media"
    return "taken"


def _text_answer(platform_id: str, text: dict[str, Any]) -> dict[str, Any]:
    message = text["message"]
    return {
        "connector": text["connector"],
        "platform_id": platform_id,
        "state": message["status"],
        "received_at": message["accepted_at"],
        "request_id": message["request_id"],
        "message": message,
        "events": [],
        "attachments": [],
        "failures": [],
    }


def _unreadable_answer(platform_id: str, found: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "connector": found[0]["connector"],
        "platform_id": platform_id,
        "state": "unreadable",
        "received_at": found[0]["at"],
        "request_id": found[0]["request_id"],
        "message": None,
        "events": [],
        "attachments": [],
        "failures": [one["id"] for one in found],
    }
