"""The description of the consumer's API fits the routes and the answers."""

import re
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it has no type hints

from webchat.application import ROUTES
from webchat.http.openapi import OPERATIONS

from .running import Answer, Server, new_id


def test_every_route_of_consumers_is_described() -> None:
    routes = {
        (route.method.lower(), re.sub(r":[^/]+\}", "}", route.path.replace("{32}", "")))
        for route in ROUTES
        if not route.path.startswith("/platform/")
    }
    assert {(one.method, one.path) for one in OPERATIONS} == routes


async def test_answers_fit_their_description(server: Server) -> None:
    document = (await server.call("GET", "/openapi.json")).json

    def check(answer: Answer, method: str, path: str) -> Any:
        described = document["paths"][path][method]["responses"]
        response = described.get(str(answer.status), described["default"])
        if "$ref" in response:
            response = document["components"]["responses"]["Problem"]
        ((kind, content),) = response["content"].items()
        assert answer.headers["Content-Type"].startswith(kind)
        schema = {**content["schema"], "components": document["components"]}
        jsonschema.validate(answer.json, {**schema, "additionalProperties": True})
        return answer.json

    session = {"site": "shop", "carry": "header"}
    begun = await server.call("POST", "/v1/sessions", json=session)
    check(begun, "post", "/v1/sessions")
    check(await server.call("POST", "/v1/sessions", json={"site": "no"}), "post", "/v1/sessions")
    mia = await server.consumer()
    path = "/v1/messages/{id}"
    check(await mia.write("look", uploads=[await mia.upload()]), "put", path)
    check(await mia.write(None, uploads=[new_id()]), "put", path)
    await server.agent_writes(mia)
    check(await mia.call("GET", "/history"), "get", "/v1/history")
    check(await mia.call("GET", "/changes"), "get", "/v1/changes")
    check(await mia.call("GET", "/changes?since=999999"), "get", "/v1/changes")
    check(await mia.create(25_000_001), "post", "/v1/uploads")
    check(await server.call("GET", "/v1/history"), "get", "/v1/history")
