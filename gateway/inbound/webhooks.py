"""Webhook endpoint: verifies each delivery, appends it to the journal, and acknowledges it once it is durable."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, NoReturn

from aiohttp import web
from prometheus_client import Counter, Gauge

from connectors import Connector, Request, Response
from connectors.tools.authorization import MAX_HANDSHAKE
from gateway.fault_points import fault_point
from gateway.intake_priority import IntakePriority
from gateway.journal import Accepted, Journal, JournalUnavailable
from gateway.observability.lines import note
from gateway.observability.metrics import DELIVERIES, LAST_ACCEPTED, REFUSALS
from gateway.observability.request_ids import request_id
from gateway.problems import Problem, no_such_path, unavailable
from gateway.timestamps import to_ms

from .capacity import CapacityGate
from .handshakes import answer_to_get, answer_to_post, may_be_handshake
from .headers import combined
from .refusal_log import RefusalLog
from .request_body import BodyIncomplete, BodyTooLarge, read_pieces
from .unproved import MAX_BYTES, NoRoom, Share, TooSlow, UnprovedBodies
from .verification import Finding, Verifier, head_finding

_NO_QUERY: Mapping[str, str] = {}


class Webhooks:
    """The endpoint `/webhooks/{connector}`, one for each configured connector."""

    def __init__(
        self,
        journal: Journal,
        connectors: Mapping[str, Connector[Any]],
        public_url: str,
        capacity: CapacityGate,
        priority: IntakePriority,
    ) -> None:
        self._journal = journal
        self._connectors = connectors
        self._public_url = public_url.rstrip("/")
        self._capacity = capacity
        self._priority = priority
        self._verifier = Verifier()
        self._refusals = RefusalLog()
        self._unproved = UnprovedBodies()
        self._accepted = _Labelled(lambda name: DELIVERIES.labels(name, "accepted"))
        self._last_accepted = _Labelled(LAST_ACCEPTED.labels)
        self.connectors_changed()

    def connectors_changed(self) -> None:
        """Make room for the largest body, and show the time of the last delivery of the connectors that exist."""
        largest = max((connector.max_body for connector in self._connectors.values()), default=0)
        self._unproved.max_bytes = max(MAX_BYTES, 2 * largest)
        for name in self._last_accepted.keys() - self._connectors.keys():
            del self._last_accepted[name]
            LAST_ACCEPTED.remove(name)
        for name in self._connectors:
            self._last_accepted[name]

    def close(self) -> None:
        """End the threads that verify large bodies."""
        self._verifier.close()

    def names(self) -> Iterable[str]:
        """Return the names of the configured connectors."""
        return self._connectors

    async def get(self, request: web.Request, name: str) -> web.Response:
        """Answer a platform's check that this address belongs to the gateway."""
        connector = self._connector(request, name)
        response = answer_to_get(connector, self._request(request, b""))
        if response is None:
            raise Problem(
                405,
                "Method not allowed",
                "this platform only sends POST requests",
                {"allow": "POST"},
            )
        return _web_response(response)

    async def post(self, request: web.Request, name: str) -> web.Response:
        """Accept a delivery: 401 if it is not verified, 413 if it is too large, 503 if it could not be stored.

        408 and 400 if its body does not arrive.
        """
        connector = self._connector(request, name)
        head = self._request(request, b"")
        unproven = None if connector.config.signature == "report" else head_finding(connector, head)
        if unproven is not None and not may_be_handshake(connector, request.content_length):
            self._refuse_proof(name, unproven)
        incoming = await self._received(request, head, name, connector, unproven)
        if isinstance(incoming, Response):
            return _web_response(incoming)
        await self._keep(request, name, connector, incoming)
        return _web_response(connector.acknowledge())

    async def _received(
        self,
        request: web.Request,
        head: Request,
        name: str,
        connector: Connector[Any],
        unproven: str | None,
    ) -> Request | Response:
        """Return what `_examined` returns. Refuse a body that does not arrive in time, or does not fit."""
        try:
            return await self._examined(request, head, name, connector, unproven)
        except BodyTooLarge:
            if unproven is not None:
                self._refuse_proof(name, unproven)
            self._refuse_size(name, connector.max_body)
        except BodyIncomplete:
            self._refusals.note(name, "incomplete", "the body broke off")
            raise Problem(400, "Bad request", "the body is incomplete") from None
        except TooSlow:
            self._refusals.note(name, "too_slow", "the body did not arrive in time")
            raise Problem(408, "Request timeout", "the body did not arrive in time") from None
        except NoRoom:
            words = "too many bodies are arriving; the one that waited longest was given up"
            self._refusals.note(name, "no_room", words)
            unavailable("too many requests are arriving; send the delivery again later")

    async def _keep(
        self, request: web.Request, name: str, connector: Connector[Any], incoming: Request
    ) -> None:
        """Store a verified delivery; refuse it if the disk or the backlog is full, or the journal is unavailable."""
        refusal = self._capacity.refusal(name)
        if refusal is not None:
            self._refuse_for_now(name, refusal)
        fault_point("accepted-before-append")
        self._priority.arrived()
        # Before it is durable: it may be parsed as soon as it is.
        self._capacity.accepted(name, len(incoming.body))
        try:
            await self._journal.append(_accepted(name, connector, incoming, request_id(request)))
        except JournalUnavailable:
            self._capacity.parsed(name, len(incoming.body))
            self._refuse_for_now(name, "the delivery could not be stored; send it again")
        finally:
            self._priority.answered()
        fault_point("after-append")
        self._accepted[name].inc()
        self._last_accepted[name].set_to_current_time()
        note(
            "delivery_accepted",
            {
                "request_id": request_id(request),
                "connector": name,
                "bytes": len(incoming.body),
            },
        )

    def _connector(self, request: web.Request, name: str) -> Connector[Any]:
        connector = self._connectors.get(name)
        if connector is None:
            raise no_such_path(request.path)  # it was removed while the gateway runs
        return connector

    def _refuse_proof(self, name: str, why: str) -> NoReturn:
        self._refusals.note(name, "no_proof", why)
        _unauthorized()

    async def _examined(
        self,
        request: web.Request,
        head: Request,
        name: str,
        connector: Connector[Any],
        unproven: str | None,
    ) -> Request | Response:
        """Read and verify a request, or return the answer to a handshake. Until then, what it takes is limited.

        `unproven` is why its head shows that it can only be a handshake.
        """
        limit = connector.max_body if unproven is None else MAX_HANDSHAKE
        with self._unproved.share() as share:
            body = await self._body(request, limit, share)
            incoming = replace(head, body=body)
            answer = answer_to_post(name, connector, incoming, self._refusals)
            if answer is not None:
                return answer
            if unproven is not None:
                self._refuse_proof(name, unproven)
            self._judge(name, connector, await self._verifier.examine(connector, incoming))
            return incoming

    async def _body(self, request: web.Request, limit: int, share: Share) -> bytes:
        take = partial(self._unproved.add, share)
        if request.content.is_eof():
            # It has arrived along with the head, as almost every delivery does: there is nothing to wait for.
            await read_pieces(request, limit, take)
        else:
            async with self._unproved.arriving(share):
                await read_pieces(request, limit, take)
        return share.body()

    def _judge(self, name: str, connector: Connector[Any], finding: Finding) -> None:
        if finding.error is not None:
            self._refusals.note(name, "failed", "verification failed unexpectedly", finding.error)
            raise Problem(503, "Server error", "an unexpected error occurred; see the log")
        if finding.unproven is not None:
            if connector.config.signature != "report":
                self._refusals.note(name, "unproven", finding.unproven)
                _unauthorized()
            self._refusals.note_taken(name, finding.unproven)
        if finding.is_too_large:
            self._refuse_size(name, connector.max_body)

    def _refuse_size(self, name: str, limit: int) -> NoReturn:
        detail = f"this webhook accepts at most {limit} bytes"
        self._refusals.note(name, "too_large", detail)
        raise Problem(413, "Content too large", detail) from None

    def _refuse_for_now(self, name: str, why: str) -> NoReturn:
        DELIVERIES.labels(name, "unavailable").inc()
        REFUSALS.labels(name, "unavailable").inc()
        unavailable(why)

    def _request(self, request: web.Request, body: bytes) -> Request:
        return Request(
            method=request.method,
            # Not the URL that this server sees: a proxy changes it, and some platforms sign the public one.
            url=self._public_url + request.raw_path,
            headers=combined(request.headers),
            body=body,
            received_at=datetime.now(UTC),
            query=request.query if "?" in request.raw_path else _NO_QUERY,
        )


class _Labelled(dict[str, Any]):
    """A metric's children by connector, kept because finding one takes time."""

    def __init__(self, child: Callable[[str], Counter | Gauge]) -> None:
        super().__init__()
        self._child = child

    def __missing__(self, name: str) -> Any:
        self[name] = found = self._child(name)
        return found


def _unauthorized() -> NoReturn:
    detail = "the delivery could not be verified as sent by the platform"
    raise Problem(401, "Unauthorized", detail)


def _accepted(name: str, connector: Connector[Any], request: Request, request_id: str) -> Accepted:
    headers = {
        header: request.headers[header] for header in connector.keeps if header in request.headers
    }
    # Signatures and tokens in headers and in the query have done their work, and are not stored.
    query = {key: request.query[key] for key in connector.keeps_query if key in request.query}
    received_at = to_ms(request.received_at)
    return Accepted(name, received_at, headers, query, request.body, request_id)


def _web_response(response: Response) -> web.Response:
    # Set as a header: aiohttp would parse and rebuild `content_type`.
    headers = {"content-type": f"{response.media_type}; charset=utf-8"}
    return web.Response(status=response.status, body=response.body, headers=headers)
