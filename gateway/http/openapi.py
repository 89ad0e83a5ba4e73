"""OpenAPI 3.1 description of the HTTP routes, served at /openapi.json; `answers.py` has the types of its schemas."""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from typing import Any

from pydantic import TypeAdapter

from gateway.events.schemas import PlainSchemas

from .answers import ProblemDetails
from .operation import Answer, Operation, Parameter
from .operations import OPERATIONS, TAGS

_PROBLEM = "Problem"
_PROBLEM_TYPE = "application/problem+json"
_SCHEMAS = "#/components/schemas/{model}"


def document(public_url: str) -> dict[str, Any]:
    """Return the description of a gateway that is reached at `public_url`."""
    schemas, components = _schemas()
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Airlock",
            "version": version("airlock-messaging"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": public_url}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "One of gateway.api_tokens with one of the scopes of the operation",
                }
            },
            "headers": {"RequestId": _REQUEST_ID},
            "responses": {_PROBLEM: _problem("An error")},
            "schemas": components,
        },
    }


@cache
def _schemas() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the schema of each answer and body by its key, and the definitions that they use."""
    answers = {
        f"{operation.id}.{status}": answer.type
        for operation in OPERATIONS
        for status, answer in operation.responses.items()
        if answer.type is not None
    }
    bodies = {f"{one.id}.body": one.body for one in OPERATIONS if one.body is not None}
    types = {**answers, **bodies, _PROBLEM: ProblemDetails}
    found, definitions = TypeAdapter.json_schemas(
        [(key, "validation", TypeAdapter(made)) for key, made in types.items()],
        ref_template=_SCHEMAS,
        schema_generator=PlainSchemas,
    )
    return {key: schema for (key, _), schema in found.items()}, definitions["$defs"]


def _operation(operation: Operation, schemas: Mapping[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "parameters": [
            *_path_parameters(operation.path),
            *(_parameter(parameter) for parameter in operation.parameters),
        ],
        "responses": _responses(operation, schemas),
        "security": [{"token": []}] if operation.scopes is not None else [],
    }
    if operation.scopes is not None:
        described["x-scopes"] = sorted(operation.scopes)
    if operation.body is not None:
        content = {"application/json": {"schema": schemas[f"{operation.id}.body"]}}
        described["requestBody"] = {"required": operation.body_is_required, "content": content}
    return described


def _responses(operation: Operation, schemas: Mapping[str, Any]) -> dict[str, Any]:
    found = {
        str(status): _response(answer, schemas.get(f"{operation.id}.{status}"))
        for status, answer in operation.responses.items()
    }
    problems = dict(operation.problems)
    if operation.scopes is not None:
        problems = {
            **({400: "A parameter or the body is wrong"} if _takes_something(operation) else {}),
            401: "No token, or an unknown one",
            403: "The token lacks the scope",
            **problems,
        }
    found |= {
        str(status): {"$ref": f"#/components/responses/{_PROBLEM}", "description": text}
        for status, text in problems.items()
    }
    return {**found, "default": {"$ref": f"#/components/responses/{_PROBLEM}"}}


def _takes_something(operation: Operation) -> bool:
    return bool(operation.parameters) or operation.body is not None


def _response(answer: Answer, schema: Any) -> dict[str, Any]:
    described: dict[str, Any] = {
        "description": answer.description,
        "headers": {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}},
    }
    content: dict[str, Any] = {} if schema is None else {"schema": schema}
    if answer.media_types:
        described["content"] = dict.fromkeys(answer.media_types, content)
    return described


def _path_parameters(path: str) -> list[dict[str, Any]]:
    names = [part.strip("{}") for part in path.split("/") if part.startswith("{")]
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in names
    ]


def _parameter(parameter: Parameter) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": parameter.kind}
    if parameter.kind == "integer":
        schema["minimum"] = 0
    return {
        "name": parameter.name,
        "in": parameter.place,
        "description": parameter.description,
        "required": parameter.is_required,
        "schema": schema,
    }


_REQUEST_ID = {
    "description": "The id of this request, which is in every log line about it",
    "schema": {"type": "string"},
}


def _problem(description: str) -> dict[str, Any]:
    return {
        "description": description,
        "headers": {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}},
        "content": {_PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}},
    }
