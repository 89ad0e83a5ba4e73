"""Before proof, anyone may send: memory, time and log lines stay bounded, and deliveries are taken."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.system.running import Site, site
from tests.system.strangers import (
    SHAPES,
    connections,
    delivered,
    exchange,
    head,
    log_lines,
    memory,
    processor_seconds,
    rest,
)

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="module")]

MB = 1_000_000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    async with site(tmp_path_factory.mktemp("site")) as started:
        await delivered(started, "before any stranger")
        yield started


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize("size", [4 * MB, 64 * 1024])
@pytest.mark.parametrize("unit", [b"%e4", b"a%e4", b"&", b"a&", b"%25=&"])
async def test_a_hostile_form_holds_nobody(running: Site, unit: bytes, size: int) -> None:
    body = (unit * (size // len(unit) + 1))[:size]
    before = memory(running)
    request = head("twilio", len(body), SHAPES["twilio"], kind=FORM) + body
    used = processor_seconds(running)
    answers = await asyncio.gather(*(exchange(running, request) for _ in range(10)))
    assert {answer[9:12] for answer in answers} <= {b"401", b"413", b""}
    # Decoding one such form of 4 MB takes half a second and more.
    assert processor_seconds(running) - used < 0.3
    assert memory(running) - before < 60 * MB


@pytest.mark.parametrize("name", ["whatsapp", "messenger", "instagram", "twilio", "apple"])
@pytest.mark.parametrize("proof", ["", "x-hub-signature-256: sha256=0", "x-twilio-signature: A"])
async def test_a_post_without_possible_proof_never_sends_its_body(
    running: Site, name: str, proof: str
) -> None:
    begin = time.monotonic()
    headers = [proof] if proof else []
    answer = await exchange(running, head(name, 50_000, *headers))
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert time.monotonic() - begin < 5


async def test_an_apple_body_is_read_only_for_a_valid_token(running: Site) -> None:
    answer = await exchange(running, head("apple", 50_000, "authorization: Bearer a.b.c"))
    assert answer.startswith(b"HTTP/1.1 401 ")


async def test_150_half_sent_bodies_take_little_memory(running: Site) -> None:
    before = memory(running)
    half = head("whatsapp", 4 * MB, SHAPES["whatsapp"]) + b"x" * 2 * MB

    async def send(writer: asyncio.StreamWriter) -> None:
        writer.write(half)
        await writer.drain()

    async with connections(running, 150) as streams:
        sending = [asyncio.create_task(send(writer)) for _, writer in streams]
        peak = 0
        for _ in range(20):
            await asyncio.sleep(0.1)
            peak = max(peak, memory(running) - before)
        await delivered(running, "beside half-sent bodies")
        assert peak < 220 * MB
        for task in sending:
            task.cancel()
        await asyncio.gather(*sending, return_exceptions=True)
        # The bodies that waited longest were answered: platforms send again.
        first = await asyncio.wait_for(rest(streams[0][0]), 20)
        assert first.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: " in first.lower()


async def test_a_body_that_drips_is_cut(running: Site) -> None:
    begin = time.monotonic()
    async with connections(running, 1) as [(reader, writer)]:
        writer.write(head("whatsapp", 1000, SHAPES["whatsapp"], close=False))
        drip = asyncio.create_task(_drip(writer, b"x"))
        answer = await asyncio.wait_for(rest(reader), 20)
        drip.cancel()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - begin < 18


@pytest.mark.parametrize("start", [b"", b"POST /webhooks/whatsapp HTTP/1.1\r\nx: "])
async def test_a_head_that_drips_is_cut(running: Site, start: bytes) -> None:
    async with connections(running, 1) as [(reader, writer)]:
        writer.write(start)
        drip = asyncio.create_task(_drip(writer, b"x" if start else b""))
        assert await asyncio.wait_for(rest(reader), 20) == b""
        drip.cancel()


async def _drip(writer: asyncio.StreamWriter, piece: bytes) -> None:
    while True:
        writer.write(piece)
        await asyncio.sleep(0.3)


async def test_unproved_posts_write_one_log_line_a_second(running: Site) -> None:
    written = len(log_lines(running, "delivery_unproven"))
    counted = await _refused(running)
    begin = time.monotonic()
    for _ in range(10):
        request = head("messenger", 2, SHAPES["messenger"]) + b"{}"
        await asyncio.gather(*(exchange(running, request) for _ in range(30)))
    async with asyncio.timeout(20):
        while _held_by(lines := log_lines(running, "delivery_unproven")[written:]) < 300:
            await asyncio.sleep(0.1)
    assert _held_by(lines) == 300
    assert len(lines) <= 2 + time.monotonic() - begin
    assert await _refused(running) - counted == 300


def _held_by(lines: list[str]) -> int:
    """Return how many refusals the lines count."""
    return sum(int(line.split('"refused": ')[1].split("}")[0].split(",")[0]) for line in lines)


async def _refused(running: Site) -> float:
    async with running.http.get(f"{running.url}/metrics") as response:
        lines = (await response.text()).splitlines()
    name = 'airlock_refusals_total{connector="messenger",reason="unproven"}'
    return sum(float(line.split()[-1]) for line in lines if line.startswith(name))


async def test_bodies_that_break_off_write_no_traceback(running: Site) -> None:
    log = running.folder / "gateway.log"
    size = log.stat().st_size
    async with connections(running, 50) as streams:
        for _, writer in streams:
            writer.write(head("whatsapp", 1000, SHAPES["whatsapp"]) + b"x")
        await asyncio.sleep(0.3)
    async with connections(running, 50) as streams:
        for _, writer in streams:
            writer.write(
                b"POST /webhooks/whatsapp HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n"
                + SHAPES["whatsapp"].encode()
                + b"\r\n\r\nzz\r\n"
            )
        await asyncio.sleep(0.3)
    await asyncio.sleep(0.5)
    assert "Traceback" not in log.read_text()[size:]
    assert log.stat().st_size - size < 5_000


async def test_heads_that_are_not_http_write_few_log_lines(running: Site) -> None:
    log = running.folder / "gateway.log"
    size = log.stat().st_size
    for bad in (
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\n: x\r\n\r\n",
        b"\x16\x03\x01\r\n\r\n",
    ):
        await asyncio.gather(*(exchange(running, bad) for _ in range(40)))
    assert log.stat().st_size - size < 10_000
