"""Fetching as a whole: no secrets in logs, little memory, and both event loops."""

import asyncio
import logging
import sys
import traceback
from pathlib import Path

import pytest
import structlog
import uvloop
from aiohttp import web

from connectors import Call, Download, Flow, Rejected
from normalizer.media import MediaFailed

from .fetching_fakes import (
    ReceivedRequest,
    answers_with,
    content_of,
    cuts_off_after,
    fake_platform,
    fetching,
    http_response,
    scratch_descriptor,
    serving,
)

SECRET = "s3cr3t"


async def test_logs_and_errors_contain_hosts_and_statuses_but_no_secrets(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    traces: list[str] = []

    async def attempt(server_url: str, path: str) -> None:
        with scratch_descriptor() as into:
            call = Call("GET", f"{server_url}{path}?sig={SECRET}", headers={"x-key": SECRET})
            try:
                await fetcher.download(fake_platform(server_url), Download(call), into, 100)
            except (Rejected, MediaFailed) as error:
                traces.append("".join(traceback.format_exception(error)))

    moved = http_response(302, location=f"/{SECRET}?sig={SECRET}", set_cookie=f"a={SECRET}")
    lost = http_response(302, location=f"https://elsewhere.example/{SECRET}?sig={SECRET}")
    odd = http_response(302, location=f"https://{SECRET}@elsewhere.example/{SECRET}")
    async with (
        serving(
            answers_with(
                moved,
                http_response(body=b"photo"),
                lost,
                odd,
                http_response(403, body=SECRET.encode()),
            )
        ) as good,
        serving(cuts_off_after(f"HTTP/1.1 200 OK\r\n{SECRET}\r\n\r\n".encode())) as bad,
        fetching() as fetcher,
    ):
        with structlog.testing.capture_logs() as logged:
            for server in (good, good, good, good, bad):
                await attempt(server.url, f"/{SECRET}")
    assert len(traces) == 4
    assert {
        "platform": "post",
        "event": "answered",
        "host": f"127.0.0.1:{good.port}",
        "log_level": "debug",
        "status": 302,
    } in logged
    assert [entry for entry in logged if entry["event"] == "downloaded"]
    assert [entry for entry in logged if entry["event"] == "blocked_host"]
    everything = f"{traces} {logged} {caplog.text}"
    assert SECRET not in everything
    assert "token-of-tests" not in everything


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
async def test_a_hundred_downloads_at_once_need_little_memory(loop: str) -> None:
    """Downloads 500 MB in total, which exceeds the memory that the test allows."""
    many, size = 100, 5_000_000
    block = bytes(100_000)

    async def streams(received: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        writer.write(http_response(content_length=str(size)))
        for _ in range(size // len(block)):
            writer.write(block)
            await writer.drain()

    async with serving(streams) as server:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "tests.gateway.fetching_peak_memory", loop, f"{server.url}/file", str(many)),
            cwd=Path(__file__).parents[2],
            stdout=asyncio.subprocess.PIPE,
        )
        answer, _ = await process.communicate()
    total, peak = map(int, answer.splitlines()[-1].split())
    assert total == many * size
    assert peak < 200_000_000


def test_fetching_works_on_uvloop() -> None:
    """Covers a flow, a download, a refusal and a closed connection on the event loop of production."""

    def flow(url: str) -> Flow[str]:
        reply = yield Call("POST", f"{url}/where", json={})
        return str(reply.content["url"])

    async def scenario() -> bytes:
        async def where(request: web.Request) -> web.Response:
            return web.json_response({"url": f"{request.url.origin()}/moved"})

        async def moved(request: web.Request) -> web.Response:
            raise web.HTTPFound("/file")

        async def file(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            for _ in range(10):
                await response.write(b"x" * 100_000)
            return response

        async def cut(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse(headers={"content-length": "10"})
            await response.prepare(request)
            assert request.transport is not None
            request.transport.abort()
            return response

        application = web.Application()
        application.router.add_post("/where", where)
        for name, answer in {"moved": moved, "file": file, "cut": cut}.items():
            application.router.add_get(f"/{name}", answer)
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            async with fetching() as fetcher:
                found = await fetcher.run(fake_platform(url), flow(url), "lookup")
                with pytest.raises(Rejected, match="short body"), scratch_descriptor() as into:
                    await fetcher.download(
                        fake_platform(url), Download(Call("GET", f"{url}/cut")), into, 2_000_000
                    )
                with pytest.raises(Rejected, match="gone"), scratch_descriptor() as into:
                    await fetcher.download(
                        fake_platform(url), Download(Call("GET", f"{url}/none")), into, 2_000_000
                    )
                with scratch_descriptor() as into:
                    await fetcher.download(
                        fake_platform(url), Download(Call("GET", found)), into, 2_000_000
                    )
                    return content_of(into)
        finally:
            await runner.cleanup()

    assert uvloop.run(scenario()) == b"x" * 1_000_000
