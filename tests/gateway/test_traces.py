"""Traces: one from the webhook to the core's answer, and nothing of it where it is off."""

import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from gateway.events import schemas
from gateway.events.trace_context import CONTEXT
from gateway.service import Gateway
from gateway.settings import (
    ConfigError,
    CoreSettings,
    FetchSettings,
    GatewaySettings,
    Settings,
    TraceSettings,
    load,
)
from tests.gateway.notes import notes
from tests.gateway.test_gateway import photo
from tests.gateway.test_lanes import SECRET, Core, ok


@dataclass
class Traced:
    """A gateway with a core, a media host and a collector of traces."""

    core: Core
    url: str = ""
    #: The spans that arrived, and the headers of the events.
    spans: list[Any] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    service: dict[str, str] = field(default_factory=dict)

    async def event(self, request: web.Request) -> web.Response:
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        return await self.core.post(request)

    async def collect(self, request: web.Request) -> web.Response:
        found = ExportTraceServiceRequest.FromString(await request.read())
        for resource in found.resource_spans:
            self.service |= {a.key: a.value.string_value for a in resource.resource.attributes}
            self.spans += [span for scope in resource.scope_spans for span in scope.spans]
        return web.Response()

    def named(self, name: str) -> Any:
        (found,) = [span for span in self.spans if span.name == name]
        return found


async def _photo(_: web.Request) -> web.Response:
    return web.Response(body=photo())


@asynccontextmanager
async def traced(
    folder: Path, answer: Callable[..., web.Response] = ok, **traces: Any
) -> AsyncIterator[Traced]:
    """Yield after a message with a photo was sent; the spans have arrived when the block is left."""
    made = Traced(Core(answer))
    app = web.Application()
    app.router.add_post("/in", made.event)
    app.router.add_post("/v1/traces", made.collect)
    app.router.add_get("/photo", _photo)
    async with TestServer(app) as server:
        made.url = str(server.make_url("")).rstrip("/")
        settings = Settings(
            gateway=GatewaySettings(listen="127.0.0.1:0", data=folder),
            core=CoreSettings(url=f"{made.url}/in", secrets=(SECRET,), hold_seconds=5),
            fetch=FetchSettings(allow_private_hosts=True),
            traces=TraceSettings(url=f"{made.url}/v1/traces", **traces),
            connectors={"desk": notes()},
        )
        async with Gateway(settings) as gateway, aiohttp.ClientSession() as http:
            note = {"id": "1", "from": "ann", "media": [["photo", f"{made.url}/photo"]]}
            url, proof = f"{gateway.url}/webhooks/desk", {"x-password": "open sesame"}
            async with http.post(url, json={"notes": [note]}, headers=proof) as response:
                assert response.status == 200
            await made.core.until(1)
            yield made


@pytest.fixture(autouse=True)
def off_afterwards() -> Iterator[None]:
    yield
    CONTEXT.sample = None


async def test_one_trace_leads_from_the_webhook_to_the_cores_answer(tmp_path: Path) -> None:
    answers = iter([503, 204])

    def refuse_once(*_: Any) -> web.Response:
        return web.Response(status=next(answers))

    async with traced(tmp_path, refuse_once) as made:
        event = made.core.taken[0]
        schemas.validate(event)
    version, trace, span, flags = event["traceparent"].split("-")

    assert (version, flags) == ("00", "01")
    assert [headers["traceparent"] for headers in made.headers] == [event["traceparent"]] * 2
    assert {each.trace_id.hex() for each in made.spans} == {trace}
    whole = made.named("message")
    assert whole.parent_span_id == b""
    parts = [each for each in made.spans if each is not whole]
    assert {each.parent_span_id for each in parts} == {whole.span_id}
    assert sorted(each.name for each in parts) == [
        "POST message.received",
        "POST message.received",
        "make file safe",
        "webhook",
    ]
    refused, taken = sorted(
        (each for each in parts if each.name.startswith("POST")),
        key=lambda each: each.end_time_unix_nano,
    )
    # What the core does is a part of the attempt that it took.
    assert taken.span_id.hex() == span
    assert (refused.status.message, taken.status.message) == ("HTTP 503", "")
    assert all(each.start_time_unix_nano >= whole.start_time_unix_nano for each in parts)
    assert all(each.end_time_unix_nano <= whole.end_time_unix_nano for each in parts)
    assert made.service["service.name"] == "airlock"
    assert "ann" not in str(made.spans)


async def test_a_trace_that_is_not_sampled_says_so_and_is_not_sent(tmp_path: Path) -> None:
    async with traced(tmp_path, sample=0) as made:
        assert made.core.taken[0]["traceparent"].endswith("-00")
    assert made.spans == []


def test_without_a_url_nothing_of_opentelemetry_is_imported() -> None:
    program = (
        "import sys, gateway.service, gateway.cli.serve; "
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout == "[]\n"


def test_a_missing_extra_is_a_mistake_with_its_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.settings.model.find_spec", lambda _: None)
    file = tmp_path / "connectors.yaml"
    file.write_text("traces: {url: 'http://127.0.0.1:4318/v1/traces'}\n")

    with pytest.raises(
        ConfigError, match=r"traces\.url: .*pip install 'airlock-messaging\[traces\]'"
    ):
        load(file, {}, ())
