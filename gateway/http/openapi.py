"""The OpenAPI 3.1 description of the HTTP surface, served at /openapi.json and kept true by a test."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel

from gateway.replies.accept import Reply, Writing

from .api import Assignment, LinkRequest

_PROBLEM = {"$ref": "#/components/responses/Problem"}


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path. `responses` maps a status to its sentence; every operation may answer a problem."""

    method: str
    path: str
    summary: str
    responses: Mapping[int, str]
    body: type[BaseModel] | None = None
    body_is_required: bool = True
    query: Mapping[str, str] = field(default_factory=dict)
    token: bool = True


OPERATIONS = (
    Operation(
        "get",
        "/webhooks/{connector}",
        "A platform's handshake",
        {200: "The challenge"},
        token=False,
    ),
    Operation(
        "post",
        "/webhooks/{connector}",
        "A platform's delivery, answered when it is on disk",
        {200: "Stored", 401: "Not proven", 413: "Too large", 503: "Not stored: send it again"},
        token=False,
    ),
    Operation(
        "put",
        "/v1/conversations/{id}/agents",
        "Set who is assigned",
        {200: "Assigned"},
        body=Assignment,
    ),
    Operation(
        "get",
        "/v1/conversations/{id}/messages",
        "Messages in order",
        {200: "A page, and `next`, the `after` of the next one"},
        query={"after": "sequence to begin after", "limit": "at most 200"},
    ),
    Operation(
        "post",
        "/v1/conversations/{id}/messages",
        "Send an agent's text; wants an Idempotency-Key",
        {202: "Accepted", 409: "Not now: window_closed, opted_out, closed", 422: "Not text alone"},
        body=Reply,
    ),
    Operation(
        "post",
        "/v1/conversations/{id}/typing",
        "An agent is writing: shown to the consumer for some seconds, or until the text comes",
        {200: "Whether the platform was told"},
        body=Writing,
        body_is_required=False,
    ),
    Operation(
        "post",
        "/v1/messages/{id}/read",
        "An agent has seen it",
        {200: "Whether the platform was told"},
    ),
    Operation("delete", "/v1/conversations/{id}", "Erase every trace", {204: "Erased"}),
    Operation("get", "/v1/messages/{id}", "A message as it is now", {200: "The message"}),
    Operation(
        "get",
        "/v1/attachments/{id}",
        "An attachment as it is now; `progress` tells what is being done for one that is pending",
        {200: "The attachment"},
    ),
    Operation(
        "post",
        "/v1/attachments/{id}/links",
        "Short-lived links for one assigned agent",
        {200: "Links by rendition", 403: "Not assigned"},
        body=LinkRequest,
    ),
    Operation(
        "post", "/v1/attachments/{id}/retry", "Fetch and make safe again", {202: "Pending again"}
    ),
    Operation(
        "get",
        "/v1/failures",
        "What could not be read or fetched",
        {200: "The newest first"},
        query={"limit": "at most 1000"},
    ),
    Operation("get", "/v1/failures/{id}", "One failure whole", {200: "The failure"}),
    Operation(
        "post",
        "/v1/failures/{id}/retry",
        "Try one again, several with commas between, or all",
        {202: "What came of each"},
    ),
    Operation(
        "get",
        "/v1/capabilities",
        "Which connector can do what, and how it is",
        {200: "The chart, with health"},
    ),
    Operation(
        "get",
        "/media/{attachment}/{rendition}",
        "A rendition, for an agent's browser",
        {200: "Whole", 206: "A part", 304: "Unchanged", 403: "Forged, over or not assigned"},
        query={"agent": "who", "expires": "until when", "signature": "proof"},
        token=False,
    ),
    Operation("get", "/healthz", "Whether the process is alive", {200: "It is"}, token=False),
    Operation(
        "get",
        "/readyz",
        "Whether every part is ready",
        {200: "Ready", 503: "Not ready"},
        token=False,
    ),
    Operation("get", "/metrics", "Prometheus metrics", {200: "Metrics"}, token=False),
    Operation("get", "/openapi.json", "This description", {200: "OpenAPI"}, token=False),
)


def document(public_url: str) -> dict[str, Any]:
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Airlock", "version": version("airlock-messaging")},
        "servers": [{"url": public_url}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "responses": {"Problem": _problem()},
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "summary": operation.summary,
        "parameters": [*_path_parameters(operation.path), *_query_parameters(operation.query)],
        "responses": {
            **{str(status): {"description": text} for status, text in operation.responses.items()},
            "default": _PROBLEM,
        },
        "security": [{"token": []}] if operation.token else [],
    }
    if operation.body is not None:
        content = {"application/json": {"schema": operation.body.model_json_schema()}}
        described["requestBody"] = {"required": operation.body_is_required, "content": content}
    return described


def _path_parameters(path: str) -> list[dict[str, Any]]:
    names = [part.strip("{}") for part in path.split("/") if part.startswith("{")]
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in names
    ]


def _query_parameters(query: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "query", "description": text, "schema": {"type": "string"}}
        for name, text in query.items()
    ]


def _problem() -> dict[str, Any]:
    properties = {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    }
    schema = {"type": "object", "properties": properties, "required": ["title", "status"]}
    return {
        "description": "What went wrong, by RFC 9457",
        "content": {"application/problem+json": {"schema": schema}},
    }
