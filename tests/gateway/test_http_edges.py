"""Edges of HTTP: several ranges, parameters without a value, and problem details for every refusal."""

import asyncio
from collections.abc import AsyncIterator

import orjson
import pytest
import pytest_asyncio

from gateway.service import Gateway
from gateway.settings import (
    CoreSettings,
    FetchSettings,
    GatewaySettings,
    MediaSettings,
    Settings,
)

from .test_gateway import House, house, linked


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def home(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with house(tmp_path_factory.mktemp("home")) as built:
        yield built


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def picture(home: House) -> str:
    _, url = await linked(home)
    return url


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def port(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[int]:
    """A gateway with the built-in workspace."""
    listening = GatewaySettings(listen="127.0.0.1:0", data=tmp_path_factory.mktemp("data"))
    settings = Settings(
        gateway=listening,
        core=CoreSettings(),
        media=MediaSettings(),
        fetch=FetchSettings(),
        connectors={},
    )
    async with Gateway(settings) as gateway:
        yield gateway.port


@pytest.mark.parametrize(
    ("asked", "status", "answered"),
    [
        ("bytes=0-4", 206, (0, 5)),
        ("bytes=0-4, ", 206, (0, 5)),
        ("Bytes=0-4", 206, (0, 5)),
        ("bytes=-5", 206, (-5, None)),
        ("bytes=0-4,10-14", 200, (0, None)),
        ("bytes=0-4, -5", 200, (0, None)),
        ("bytes=0-0,999999999-", 200, (0, None)),
        ("bytes=9-3", 200, (0, None)),
        ("bytes=abc", 200, (0, None)),
        ("items=0-4", 200, (0, None)),
        ("bytes=999999999-", 416, (0, 0)),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_a_range_is_answered_as_http_wants(
    home: House, picture: str, asked: str, status: int, answered: tuple[int, int | None]
) -> None:
    async with home.http.get(picture) as response:
        whole = await response.read()
    async with home.http.get(picture, headers={"range": asked}) as response:
        assert response.status == status
        assert await response.read() == whole[slice(*answered)]
        assert ("content-range" in response.headers) == (status != 200)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_range_of_another_version_is_answered_with_the_whole_file(
    home: House, picture: str
) -> None:
    asked = {"range": "bytes=0-4"}
    async with home.http.get(picture, headers=asked) as response:
        tag = response.headers["etag"]
    for condition, status in ((tag, 206), ('"another"', 200), (f"W/{tag}", 200)):
        async with home.http.get(picture, headers={**asked, "if-range": condition}) as response:
            assert response.status == status


@pytest.mark.asyncio(loop_scope="module")
async def test_head_ignores_ranges(home: House, picture: str) -> None:
    async with home.http.head(picture, headers={"range": "bytes=0-4"}) as response:
        assert (response.status, int(response.headers["content-length"]) > 5) == (200, True)


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/v1/conversations?connector=&consumer=&before=&limit=", "conversations"),
        ("/v1/conversations/{conversation}/messages?after=&limit=", "messages"),
        ("/v1/failures?limit=", "failures"),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_a_parameter_without_value_counts_as_left_out(
    home: House, picture: str, path: str, key: str
) -> None:
    _, found = await home.call("GET", "/v1/conversations")
    path = path.format(conversation=found["conversations"][0]["id"])

    status, answer = await home.call("GET", path)

    assert status == 200
    assert answer == (await home.call("GET", path.partition("?")[0]))[1]
    assert answer[key] or key == "failures"


async def answer(port: int, line: str) -> tuple[int, dict[str, str], bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    async with asyncio.timeout(10):
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    first, *lines = head.decode().splitlines()
    headers = dict(text.lower().split(": ", 1) for text in lines)
    return int(first.split()[1]), headers, body


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("GET /none", 404),
        ("GET /v1/none", 404),
        ("POST /webhooks/none", 404),
        ("GET /media/none", 404),
        ("GET /workspace/none", 404),
        ("GET /workspace/static/none.js", 404),
        ("GET /workspace/static/", 403),
        ("GET /workspace/api/me", 401),
        ("POST /workspace/events", 401),
        ("DELETE /workspace/api/me", 405),
        ("PUT /metrics", 405),
        ("OPTIONS *", 404),
        ("CONNECT a:1", 404),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_every_refusal_has_problem_details(port: int, line: str, status: int) -> None:
    answered, headers, body = await answer(port, line)

    assert (answered, headers["content-type"]) == (status, "application/problem+json")
    problem = orjson.loads(body)
    assert (problem["status"], problem["type"]) == (status, "about:blank")
    assert problem["title"]
    assert problem["detail"]
    assert ("allow" in headers) == (status == 405)
    assert headers["server"] == "airlock"


@pytest.mark.asyncio(loop_scope="module")
async def test_static_files_are_still_served(port: int) -> None:
    status, headers, body = await answer(port, "GET /workspace/static/api-client.js")

    assert (status, headers["content-type"].endswith("javascript")) == (200, True)
    assert body
