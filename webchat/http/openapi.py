"""OpenAPI 3.1 description of the consumer's API, served at /openapi.json; tests compare it with routes and answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel, TypeAdapter

from webchat import shapes

from .problems import CODES

_REF = "#/components/schemas/{model}"
Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path. `answers` maps statuses to what they mean; `answer` is the JSON of success."""

    method: str
    path: str
    summary: str
    answers: Mapping[int, str]
    answer: Any = None
    body: type[BaseModel] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    session: bool = True


_OFFSET = "the offset of the part; it must be the upload's size"
_COMPLETE = "?1 with the last part, otherwise ?0"

OPERATIONS = (
    Operation(
        "post",
        "/v1/sessions",
        "Begin or resume a session",
        {201: "The session", 401: "identity_invalid, identity_required", 428: "work_wanted"},
        shapes.SessionView,
        shapes.BeginSession,
        session=False,
    ),
    Operation("delete", "/v1/sessions", "Sign out", {204: "Signed out"}),
    Operation(
        "post",
        "/v1/codes",
        "Get a code that continues the conversation in another window",
        {201: "The code, for `resume`: it works once, within a minute"},
        shapes.CodeView,
    ),
    Operation(
        "post",
        "/v1/uploads",
        "Create an empty upload",
        {
            201: "Created, or found again; Location, Upload-Offset and Upload-Limit say how to go on",
            403: "uploads_off",
            413: "too_large",
            429: "too_many",
            507: "no_room",
        },
        headers={
            "Upload-Length": "bytes of the file",
            "Upload-Complete": "?0",
            "Idempotency-Key": "your id of the upload: 32 hexadecimal digits",
            "X-Name": "the file's name, percent-encoded",
        },
    ),
    Operation(
        "head",
        "/v1/uploads/{id}",
        "Ask where to go on",
        {204: "Upload-Offset, Upload-Length and Upload-Complete", 404: "Begin it again"},
    ),
    Operation(
        "patch",
        "/v1/uploads/{id}",
        "Append a part of type application/partial-upload, at most 1,000,000 bytes",
        {
            204: "Upload-Offset",
            400: "length_differs",
            409: "offset_differs",
            413: "part_too_large",
            415: "unsupported_type",
        },
        headers={"Upload-Offset": _OFFSET, "Upload-Complete": _COMPLETE},
    ),
    Operation("delete", "/v1/uploads/{id}", "Cancel an upload", {204: "Forgotten"}),
    Operation(
        "put",
        "/v1/messages/{id}",
        "Send a message under your id; it may be repeated",
        {
            200: "The same as before",
            201: "Stored",
            409: "other_content, upload_incomplete",
            413: "text_too_long",
            429: "too_many",
        },
        shapes.MessageView,
        shapes.PutMessage,
    ),
    Operation(
        "get",
        "/v1/history",
        "List messages, the newest first",
        {200: "A page"},
        shapes.HistoryView,
        query={"before": "`before` of the page before", "limit": "at most 100"},
    ),
    Operation(
        "get",
        "/v1/changes",
        "Get what has changed, as a stream (Accept: text/event-stream) or as a long poll",
        {200: "The changes; in a stream, `data` of each event"},
        shapes.ChangesView,
        query={
            "since": "the last `revision` that you have",
            "wait": "seconds to wait for a change",
        },
    ),
    Operation(
        "post",
        "/v1/receipts",
        "Report how far agents' texts have arrived and were seen",
        {204: "Noted"},
        body=shapes.Receipts,
    ),
    Operation(
        "post",
        "/v1/typing",
        "Report that the consumer is writing",
        {204: "Noted"},
        body=shapes.Typing,
    ),
    Operation(
        "get",
        "/v1/attachments/{id}/{rendition}",
        "Get a sanitized file",
        {
            200: "The address as JSON, if Accept is application/json",
            302: "Its address, for some minutes",
            404: "Not this consumer's",
            410: "Not stored",
        },
        shapes.AddressView,
    ),
    Operation(
        "get",
        "/v1/media/{id}/{rendition}",
        "Get a sanitized file by an address that works for some minutes",
        {200: "The file", 206: "A range", 403: "expired", 410: "Not stored"},
        query={"expires": "expiry, Unix seconds", "signature": "the address's signature"},
        session=False,
    ),
    Operation("delete", "/v1/me", "Erase the consumer", {202: "Erased; the core is informed"}),
    Operation(
        "get",
        "/chat",
        "Get the page",
        {200: "HTML"},
        query={"site": "the site"},
        session=False,
    ),
    Operation("get", "/loader.js", "Get the script for a website", {200: "Script"}, session=False),
    Operation("get", "/static/{name}", "Get a file of the page", {200: "The file"}, session=False),
    Operation(
        "get",
        "/theme.css",
        "Get a site's colours",
        {200: "Styles"},
        query={"site": "the site"},
        session=False,
    ),
    Operation("get", "/healthz", "Check whether the server runs", {200: "It does"}, session=False),
    Operation("get", "/metrics", "Get Prometheus metrics", {200: "Metrics"}, session=False),
    Operation("get", "/openapi.json", "Get this description", {200: "OpenAPI"}, session=False),
)


def document(public_url: str) -> Schema:
    """Return the description."""
    schemas: Schema = {}
    paths: dict[str, Schema] = {}
    problem = _schema(shapes.ProblemView, schemas)
    schemas["ProblemView"]["properties"]["code"] = {"type": "string", "enum": list(CODES)}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Airlock web channel", "version": version("airlock-messaging")},
        "servers": [{"url": public_url}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "__Host-chat"},
            },
            "responses": {
                "Problem": {
                    "description": "A refusal, as RFC 9457 problem details",
                    "content": {"application/problem+json": {"schema": problem}},
                }
            },
            "schemas": schemas,
        },
    }


def _operation(operation: Operation, schemas: Schema) -> Schema:
    path = [part.strip("{}") for part in operation.path.split("/") if part.startswith("{")]
    described: Schema = {
        "summary": operation.summary,
        "parameters": [
            *(_parameter("path", name, "") for name in path),
            *(_parameter("query", name, text) for name, text in operation.query.items()),
            *(_parameter("header", name, text) for name, text in operation.headers.items()),
        ],
        "responses": {
            **{
                str(status): _response(operation, status, text, schemas)
                for status, text in operation.answers.items()
            },
            "default": {"$ref": "#/components/responses/Problem"},
        },
        "security": [{"token": []}, {"cookie": []}] if operation.session else [],
    }
    if operation.body is not None:
        content = {"application/json": {"schema": _schema(operation.body, schemas)}}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _response(operation: Operation, status: int, text: str, schemas: Schema) -> Schema:
    if status >= 400:
        return {
            "description": text,
            "content": {"application/problem+json": {"schema": {"$ref": _ref("ProblemView")}}},
        }
    if operation.answer is None or status >= 300:
        return {"description": text}
    schema = _schema(operation.answer, schemas)
    return {"description": text, "content": {"application/json": {"schema": schema}}}


def _parameter(place: str, name: str, text: str) -> Schema:
    described: Schema = {"name": name, "in": place, "schema": {"type": "string"}}
    if place == "path":
        described["required"] = True
    return {**described, "description": text} if text else described


def _schema(model: Any, schemas: Schema) -> Schema:
    """Return a reference to a model's schema, which is added with its parts."""
    found = TypeAdapter(model).json_schema(ref_template=_REF)
    schemas |= found.pop("$defs", {})
    schemas[model.__name__] = found
    return {"$ref": _ref(model.__name__)}


def _ref(name: str) -> str:
    return _REF.format(model=name)
