"""OpenAPI 3.1 description of the HTTP routes, served at /openapi.json; a test compares it with the routes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel

from gateway.replies.accept import Reply, Writing

from .api import Assignment, LinkRequest
from .consumer_links import LinkRequest as ConsumerLinkRequest

_PROBLEM = {"$ref": "#/components/responses/Problem"}


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path. `responses` maps status codes to descriptions; every operation may return a problem."""

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
        "Verify a webhook's ownership (the platform's handshake)",
        {200: "The challenge"},
        token=False,
    ),
    Operation(
        "post",
        "/webhooks/{connector}",
        "Receive a platform's delivery; answered once it is durable",
        {200: "Stored", 401: "Not authentic", 413: "Too large", 503: "Not stored; send it again"},
        token=False,
    ),
    Operation(
        "put",
        "/v1/conversations/{id}/agents",
        "Set the assigned agents",
        {200: "Assigned"},
        body=Assignment,
    ),
    Operation(
        "get",
        "/v1/conversations",
        "List conversations, the newest first",
        {200: "A page, and `next`, the `before` of the next page, null at the end"},
        query={
            "connector": "return those of this connector",
            "consumer": "return those of this person: any of their ids",
            "before": "return those after this conversation in the list",
            "limit": "at most 200",
        },
    ),
    Operation(
        "get",
        "/v1/conversations/{id}",
        "Get a conversation: its consumer, state, reply window and agents",
        {200: "The conversation; `merged_into` names the one that it became a part of"},
    ),
    Operation(
        "get",
        "/v1/conversations/{id}/messages",
        "List messages in order",
        {200: "A page, and `next`, the `after` of the next page"},
        query={"after": "return messages with a higher sequence", "limit": "at most 200"},
    ),
    Operation(
        "post",
        "/v1/conversations/{id}/messages",
        "Send an agent's text; needs an Idempotency-Key header",
        {202: "Accepted", 409: "Not now: window_closed, opted_out, closed", 422: "Not text only"},
        body=Reply,
    ),
    Operation(
        "post",
        "/v1/conversations/{id}/typing",
        "Show the consumer that an agent is writing, for some seconds or until the text arrives",
        {200: "Whether the platform was informed"},
        body=Writing,
        body_is_required=False,
    ),
    Operation(
        "post",
        "/v1/messages/{id}/read",
        "Report to the platform that an agent has seen the message",
        {200: "Whether the platform was informed"},
    ),
    Operation(
        "post",
        "/v1/conversations/{id}/close",
        "Close the conversation until the consumer writes again",
        {200: "Closed, and whether the platform is informed"},
    ),
    Operation(
        "delete", "/v1/conversations/{id}", "Erase the conversation completely", {204: "Erased"}
    ),
    Operation(
        "get", "/v1/messages/{id}", "Get a message in its current state", {200: "The message"}
    ),
    Operation(
        "get",
        "/v1/attachments/{id}",
        "Get an attachment in its current state; `progress` describes the processing of a pending one",
        {200: "The attachment"},
    ),
    Operation(
        "post",
        "/v1/attachments/{id}/links",
        "Create short-lived media links for one assigned agent",
        {200: "Links by rendition, those of a document's pages as `pages`", 403: "Not assigned"},
        body=LinkRequest,
    ),
    Operation(
        "post", "/v1/attachments/{id}/retry", "Fetch and sanitize again", {202: "Pending again"}
    ),
    Operation(
        "post",
        "/v1/consumer-links",
        "Create a short-lived link to a sanitized file for the consumer who sent it; signed as webhooks are",
        {200: "The link", 401: "Not authentic", 403: "Not this connector's grant", 410: "Erased"},
        body=ConsumerLinkRequest,
        token=False,
    ),
    Operation(
        "get",
        "/v1/failures",
        "List what could not be parsed, fetched or delivered",
        {200: "Failures, newest first"},
        query={"limit": "at most 1000"},
    ),
    Operation("get", "/v1/failures/{id}", "Get one failure with all details", {200: "The failure"}),
    Operation(
        "post",
        "/v1/failures/{id}/retry",
        "Retry one failure, several separated by commas, or `all`",
        {202: "The result of each retry"},
    ),
    Operation(
        "get",
        "/v1/capabilities",
        "List what each connector supports, and its health",
        {200: "The chart, with health"},
    ),
    Operation(
        "get",
        "/media/{attachment}/{rendition}",
        "Get a rendition, or a page of a document as `page-1`, for an agent's browser",
        {
            200: "The whole file",
            206: "A range",
            304: "Unchanged",
            403: "Invalid, expired or not assigned",
        },
        query={
            "agent": "the agent",
            "connector": "in a consumer's link, in place of the agent",
            "consumer": "in a consumer's link, in place of the agent",
            "expires": "expiry, Unix seconds",
            "signature": "the link's signature",
        },
        token=False,
    ),
    Operation("get", "/healthz", "Check whether the process is alive", {200: "It is"}, token=False),
    Operation(
        "get",
        "/readyz",
        "Check whether every component is ready",
        {200: "Ready", 503: "Not ready"},
        token=False,
    ),
    Operation("get", "/metrics", "Get Prometheus metrics", {200: "Metrics"}, token=False),
    Operation("get", "/openapi.json", "Get this description", {200: "OpenAPI"}, token=False),
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
        "description": "An error, as RFC 9457 problem details",
        "content": {"application/problem+json": {"schema": schema}},
    }
