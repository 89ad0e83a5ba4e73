"""Webhook endpoint: verifies each delivery, appends it to the journal, and acknowledges it once it is durable."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NoReturn

import structlog
from aiohttp import web
from multidict import CIMultiDictProxy

from connectors import Connector, Forbidden, Request, Response, TooLarge, inflate
from gateway.fault_points import fault_point
from gateway.intake_priority import IntakePriority
from gateway.journal import Accepted, Journal, JournalUnavailable
from gateway.observability.metrics import DELIVERIES
from gateway.problems import Problem, unavailable
from gateway.timestamps import to_ms

from .request_body import BodyTooLarge, read_body

log = structlog.get_logger(__name__)

_NO_QUERY: Mapping[str, str] = {}


class Webhooks:
    """The endpoint `/webhooks/{connector}`, one for each configured connector."""

    def __init__(
        self,
        journal: Journal,
        connectors: Mapping[str, Connector[Any]],
        public_url: str,
        may_accept: Callable[[], str | None],
        priority: IntakePriority,
    ) -> None:
        self._journal = journal
        self._connectors = connectors
        self._public_url = public_url.rstrip("/")
        self._may_accept = may_accept
        self._priority = priority
        self._accepted = {name: DELIVERIES.labels(name, "accepted") for name in connectors}

    def names(self) -> Iterable[str]:
        """Return the names of the configured connectors."""
        return self._connectors

    async def get(self, request: web.Request, name: str) -> web.Response:
        """Answer a platform's check that this address belongs to the gateway."""
        connector = self._connectors[name]
        response = connector.handshake(self._request(request, b""))
        if response is None:
            raise Problem(
                405,
                "Method not allowed",
                "this platform only sends POST requests",
                {"allow": "POST"},
            )
        return _web_response(response)

    async def post(self, request: web.Request, name: str) -> web.Response:
        """Accept a delivery: 401 if it is not verified, 413 if it is too large, 503 if it could not be stored."""
        connector = self._connectors[name]
        try:
            body = await read_body(request, connector.max_body)
        except BodyTooLarge:
            _too_large(name, connector.max_body)
        incoming = self._request(request, body)
        self._verify(name, connector, incoming)
        _check_decompressed_size(name, connector, body)
        refusal = self._may_accept()
        if refusal is not None:
            DELIVERIES.labels(name, "unavailable").inc()
            unavailable(refusal)
        fault_point("accepted-before-append")
        self._priority.arrived()
        try:
            await self._journal.append(_accepted(name, connector, incoming))
        except JournalUnavailable:
            DELIVERIES.labels(name, "unavailable").inc()
            unavailable("the delivery could not be stored; send it again")
        finally:
            self._priority.answered()
        fault_point("after-append")
        self._accepted[name].inc()
        return _web_response(connector.acknowledge())

    def _request(self, request: web.Request, body: bytes) -> Request:
        return Request(
            method=request.method,
            # Not the URL that this server sees: a proxy changes it, and some platforms sign the public one.
            url=self._public_url + request.raw_path,
            headers=_combined(request.headers),
            body=body,
            received_at=datetime.now(UTC),
            query=request.query if "?" in request.raw_path else _NO_QUERY,
        )

    def _verify(self, name: str, connector: Connector[Any], request: Request) -> None:
        try:
            connector.verify(request)
        except Forbidden as exc:
            report_only = connector.config.signature == "report"
            DELIVERIES.labels(name, "unproven_taken" if report_only else "unproven").inc()
            log.warning("delivery_unproven", connector=name, reason=str(exc), taken=report_only)
            if not report_only:
                raise Problem(
                    401,
                    "Unauthorized",
                    "the delivery could not be verified as sent by the platform",
                ) from None


def _check_decompressed_size(name: str, connector: Connector[Any], body: bytes) -> None:
    if connector.body == "gzip-json":
        try:
            inflate(body, connector.max_body)
        except TooLarge:
            _too_large(name, connector.max_body)
        except ValueError:
            return  # verified but damaged: accepted, and reported to the core as unrecognised


def _too_large(name: str, limit: int) -> NoReturn:
    DELIVERIES.labels(name, "too_large").inc()
    detail = f"this webhook accepts at most {limit} bytes"
    raise Problem(413, "Content too large", detail) from None


def _accepted(name: str, connector: Connector[Any], request: Request) -> Accepted:
    headers = {
        header: request.headers[header] for header in connector.keeps if header in request.headers
    }
    # Signatures and tokens in headers and in the query have done their work, and are not stored.
    query = {key: request.query[key] for key in connector.keeps_query if key in request.query}
    return Accepted(name, to_ms(request.received_at), headers, query, request.body)


def _combined(headers: CIMultiDictProxy[str]) -> dict[str, str]:
    """Return headers by lower-case name; a header that was sent twice holds both values."""
    combined: dict[str, str] = {}
    for name, value in headers.items():
        key = name.lower()
        combined[key] = f"{combined[key]}, {value}" if key in combined else value
    return combined


def _web_response(response: Response) -> web.Response:
    # Set as a header: aiohttp would parse and rebuild `content_type`.
    headers = {"content-type": f"{response.media_type}; charset=utf-8"}
    return web.Response(status=response.status, body=response.body, headers=headers)
