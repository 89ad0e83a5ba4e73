"""Answers of a running gateway, compared with its OpenAPI description."""

import copy
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import jsonschema  # type: ignore[import-untyped]  # it has no type hints
import orjson

from gateway.http.openapi import document
from gateway.http.operation import Operation
from gateway.http.operations import OPERATIONS

DESCRIPTION = document("https://gateway.example.com")


def _strict(components: dict[str, Any]) -> dict[str, Any]:
    """Return the schemas, refusing keys that they do not name."""
    found = copy.deepcopy(components)
    for schema in found.values():
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
    found["ExportLine"].pop("additionalProperties", None)
    return found


_COMPONENTS = {"schemas": _strict(DESCRIPTION["components"]["schemas"])}


def operation(id: str) -> Operation:
    (found,) = [one for one in OPERATIONS if one.id == id]
    return found


@dataclass
class Client:
    """Calls a gateway by the ids of the description, and checks every answer against it."""

    http: aiohttp.ClientSession
    url: str
    token: str
    #: The calls that were answered with success.
    answered: set[str] = field(default_factory=set)

    async def call(
        self,
        called: str,
        body: Any = None,
        /,
        *,
        query: Any = None,
        headers: Any = None,
        **path: str,
    ) -> tuple[int, Any]:
        one = operation(called)
        url = self.url + one.path.format(**path)
        given = {"authorization": f"Bearer {self.token}"} if one.scopes is not None else {}
        async with self.http.request(
            one.method,
            url,
            json=body,
            params=query,
            headers={**given, **(headers or {})},
            allow_redirects=False,
        ) as response:
            content = await response.read()
        check(one, response.status, response.headers, content)
        if response.status < 300:
            self.answered.add(called)
        return response.status, _parsed(response.content_type, content)


def check(one: Operation, status: int, headers: Any, content: bytes) -> None:
    """Raise AssertionError unless an answer is one that the operation describes."""
    described = DESCRIPTION["paths"][one.path][one.method]["responses"]
    assert str(status) in described, f"{one.id} answered {status}, which is not described"
    assert headers["x-request-id"]
    answer = described[str(status)]
    if "$ref" in answer:
        answer = DESCRIPTION["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    types = answer.get("content")
    if types is None:
        assert not content
        return
    media_type = headers["content-type"].partition(";")[0]
    assert media_type in {name.partition(";")[0] for name in types}, (one.id, media_type)
    schema = types.get(media_type, {}).get("schema")
    if schema is None:
        return
    for value in _values(media_type, content):
        jsonschema.validate(value, {**schema, "components": _COMPONENTS})


def _values(media_type: str, content: bytes) -> list[Any]:
    if media_type.endswith("json"):
        return [orjson.loads(line) for line in content.splitlines()]
    return [content.decode()]


def _parsed(media_type: str, content: bytes) -> Any:
    values = _values(media_type, content) if "json" in media_type else [content]
    return values if media_type == "application/x-ndjson" else (values or [None])[0]
