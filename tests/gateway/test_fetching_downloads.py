"""Downloads are complete, verified, decrypted and within limits, or fail with a reason."""

import asyncio
import base64
import gzip
import hashlib
import os
import select
import zlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from connectors import AesCtr, Call, Download, Rejected
from gateway.fetching import BreakerPolicy, Fetched, Fetcher, Unreachable
from gateway.fetching.body import plain_chunks
from normalizer.media import MediaFailed, MediaRejected

from .fetching_fakes import (
    QUICK,
    Behaviour,
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

PHOTO = bytes(range(256)) * 2000
DIGEST = hashlib.sha256(PHOTO).digest()
LIMIT = 1_000_000

#: A test vector of AES-256-CTR as Apple uses it.
KEY = bytes.fromhex("8254c329a92850f6d539dd376f4816ee2764517da5e0235514af433164480d7a")
CIPHERTEXT = bytes.fromhex(
    "363b9fab50acfa2431802c691bd06dd31758b2f942c7a2a0e412b8022559ae5157a67eb5da46"
)
PLAINTEXT = b"apple attachment test bytes 0123456789"


async def fetch(
    fetcher: Fetcher, url: str, *, limit: int = LIMIT, **claims: Any
) -> tuple[Fetched, bytes]:
    with scratch_descriptor() as into:
        fetched = await fetcher.download(
            fake_platform(url), Download(Call("GET", f"{url}/file"), **claims), into, limit
        )
        return fetched, content_of(into)


async def fetch_from(
    behaviour: Behaviour, *, limit: int = LIMIT, **claims: Any
) -> tuple[Fetched, bytes]:
    async with serving(behaviour) as server, fetching() as fetcher:
        return await fetch(fetcher, server.url, limit=limit, **claims)


def chunked(*pieces: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + end


async def test_a_file_is_written_completely_with_size_hash_and_type() -> None:
    fetched, content = await fetch_from(
        answers_with(http_response(body=PHOTO, content_type="Image/JPEG; q=1"))
    )
    assert content == PHOTO
    assert fetched == Fetched(len(PHOTO), DIGEST.hex(), "image/jpeg")


async def test_files_without_a_content_length_are_written_completely() -> None:
    assert (await fetch_from(answers_with(chunked(PHOTO[:7], PHOTO[7:]))))[1] == PHOTO
    assert (await fetch_from(cuts_off_after(b"HTTP/1.1 200 OK\r\n\r\n" + PHOTO)))[1] == PHOTO


async def test_an_empty_file_is_accepted_only_if_announced() -> None:
    with pytest.raises(Unreachable, match="short body"):
        await fetch_from(answers_with(http_response()))
    fetched, content = await fetch_from(answers_with(http_response()), size=0)
    assert (fetched.size, content) == (0, b"")


@pytest.mark.parametrize("served", ["", "application/octet-stream", "binary/octet-stream"])
async def test_the_type_of_the_lookup_replaces_an_uninformative_one(
    served: str,
) -> None:
    answer = http_response(body=PHOTO, content_type=served)
    fetched, _ = await fetch_from(answers_with(answer), media_type="image/heic")
    assert fetched.media_type == "image/heic"


async def test_a_file_is_written_from_the_descriptors_position() -> None:
    async with serving(answers_with(http_response(body=b"photo"))) as server, fetching() as fetcher:
        with scratch_descriptor() as into:
            os.write(into, b"before ")
            await fetcher.download(
                fake_platform(server.url), Download(Call("GET", server.url)), into, LIMIT
            )
            assert content_of(into) == b"before photo"


# decrypting -------------------------------------------------------------------------------------


async def test_an_encrypted_file_is_decrypted_and_its_plaintext_is_hashed() -> None:
    digest = hashlib.sha256(PLAINTEXT).hexdigest()
    fetched, content = await fetch_from(
        answers_with(http_response(body=CIPHERTEXT)),
        decrypt=AesCtr(KEY),
        size=len(CIPHERTEXT),
        sha256=digest,
    )
    assert content == PLAINTEXT
    assert fetched.sha256 == digest


async def test_an_encrypted_file_in_odd_pieces_is_decrypted() -> None:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    counter = b"\xff" * 16  # overflows after the first block
    encrypt = Cipher(algorithms.AES(KEY), modes.CTR(counter)).encryptor()
    ciphertext = encrypt.update(PHOTO)
    pieces = [ciphertext[start : start + 12_345] for start in range(0, len(ciphertext), 12_345)]
    _, content = await fetch_from(answers_with(chunked(*pieces)), decrypt=AesCtr(KEY, counter))
    assert content == PHOTO


@pytest.mark.parametrize("secret", [AesCtr(b"short"), AesCtr(b""), AesCtr(KEY, b"short")])
async def test_an_invalid_key_is_refused_before_any_request(secret: AesCtr) -> None:
    async with (
        serving(answers_with(http_response(body=CIPHERTEXT))) as server,
        fetching() as fetcher,
    ):
        with pytest.raises(MediaRejected) as refusal:
            await fetch(fetcher, server.url, decrypt=secret)
    assert refusal.value.reason == "corrupt"
    assert server.requests == []


# claims -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "claim",
    [
        DIGEST.hex(),
        DIGEST.hex().upper(),
        base64.b64encode(DIGEST).decode(),
        base64.b64encode(DIGEST).decode().rstrip("="),
        base64.urlsafe_b64encode(DIGEST).decode(),
        f" {DIGEST.hex()}\n",
    ],
)
async def test_the_claimed_hash_may_be_hex_or_base64(claim: str) -> None:
    assert (await fetch_from(answers_with(http_response(body=PHOTO)), sha256=claim))[1] == PHOTO


@pytest.mark.parametrize(
    "claim",
    [
        hashlib.sha256(b"another").hexdigest(),
        base64.b64encode(hashlib.sha256(b"another").digest()).decode(),
        base64.b64encode(DIGEST + b"\0").decode(),
        base64.b64encode(DIGEST.hex().encode()).decode(),
        DIGEST.hex()[:-1],
        DIGEST.hex()[:40],
        "",
        "=",
        "ü",
        "not a hash",
    ],
)
async def test_a_wrong_hash_is_a_mismatch(claim: str) -> None:
    with pytest.raises(MediaFailed) as mismatch:
        await fetch_from(answers_with(http_response(body=PHOTO)), sha256=claim)
    assert mismatch.value.reason == "checksum_mismatch"


@pytest.mark.parametrize(
    ("behaviour", "size"),
    [
        pytest.param(
            cuts_off_after(http_response(body=PHOTO[:-1], content_length=str(len(PHOTO)))),
            None,
            id="length",
        ),
        pytest.param(cuts_off_after(http_response(content_length="1")), None, id="nothing of it"),
        pytest.param(cuts_off_after(chunked(PHOTO, end=b"")), None, id="chunks"),
        pytest.param(cuts_off_after(chunked(PHOTO, end=b"ff\r\nabc")), None, id="in a chunk"),
        pytest.param(answers_with(http_response(body=PHOTO[:-1])), len(PHOTO), id="announced size"),
        pytest.param(
            cuts_off_after(b"HTTP/1.1 200 OK\r\n\r\n" + PHOTO[:-1]), len(PHOTO), id="no length"
        ),
    ],
)
async def test_a_file_that_ends_early_can_be_retried(
    behaviour: Behaviour, size: int | None
) -> None:
    with pytest.raises(Rejected) as short:
        await fetch_from(behaviour, size=size)
    assert (short.value.reason, short.value.retry, short.value.detail) == (
        "unreachable",
        True,
        "short body",
    )


async def test_a_short_file_is_reported_before_its_hash() -> None:
    with pytest.raises(Unreachable, match="short body"):
        await fetch_from(
            answers_with(http_response(body=PHOTO[:-1])), size=len(PHOTO), sha256=DIGEST.hex()
        )


async def test_a_file_longer_than_announced_needs_a_matching_hash() -> None:
    with pytest.raises(Unreachable, match="longer than announced"):
        await fetch_from(answers_with(http_response(body=PHOTO)), size=len(PHOTO) - 1)
    assert (await fetch_from(answers_with(http_response(body=PHOTO)), size=5, sha256=DIGEST.hex()))[
        1
    ] == PHOTO


async def test_a_length_shorter_than_the_body_ends_the_file_there() -> None:
    answer = http_response(body=PHOTO, content_length="10")
    with pytest.raises(Unreachable, match="short body"):
        await fetch_from(answers_with(answer), size=len(PHOTO))
    assert (await fetch_from(answers_with(answer)))[1] == PHOTO[:10]


# limits -----------------------------------------------------------------------------------------


async def test_a_file_of_exactly_the_limit_is_accepted() -> None:
    fetched, _ = await fetch_from(answers_with(http_response(body=PHOTO)), limit=len(PHOTO))
    assert fetched.size == len(PHOTO)


async def test_a_file_announced_as_too_large_is_not_requested() -> None:
    async with serving(answers_with(http_response(body=PHOTO))) as server, fetching() as fetcher:
        with pytest.raises(MediaRejected) as refusal:
            await fetch(fetcher, server.url, size=LIMIT + 1)
    assert refusal.value.reason == "too_large"
    assert server.requests == []


async def test_a_content_length_above_the_limit_is_refused_early() -> None:
    async def never_sends(received: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        writer.write(http_response(content_length=str(LIMIT + 1)))
        await asyncio.sleep(3600)

    with pytest.raises(MediaRejected) as refusal:
        await fetch_from(never_sends)
    assert refusal.value.reason == "too_large"


@pytest.mark.parametrize("head", [b"", b"transfer-encoding: chunked\r\n"])
async def test_an_endless_stream_is_stopped_at_the_limit(head: bytes) -> None:
    sent = 0

    async def floods(received: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n")
        block = bytes(65536)
        while True:
            writer.write(b"10000\r\n" + block + b"\r\n" if head else block)
            await writer.drain()
            sent += len(block)

    with pytest.raises(MediaRejected) as refusal:
        await fetch_from(floods)
    assert refusal.value.reason == "too_large"
    assert sent < 20 * LIMIT


# compression ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(PHOTO)),
        ("x-gzip", gzip.compress(PHOTO)),
        ("GZIP", gzip.compress(PHOTO)),
        ("deflate", zlib.compress(PHOTO)),
        ("identity", PHOTO),
    ],
)
async def test_a_compressed_body_is_decompressed(encoding: str, body: bytes) -> None:
    fetched, content = await fetch_from(
        answers_with(http_response(body=body, content_encoding=encoding)), size=len(PHOTO)
    )
    assert content == PHOTO
    assert fetched.size == len(PHOTO)


async def test_a_body_of_exactly_one_piece_is_complete() -> None:
    for size in (65535, 65536, 65537, 131072):
        body = gzip.compress(bytes(size))
        fetched, _ = await fetch_from(
            answers_with(http_response(body=body, content_encoding="gzip"))
        )
        assert fetched.size == size


async def test_a_decompression_bomb_is_stopped_at_the_limit() -> None:
    bomb = gzip.compress(bytes(200_000_000), compresslevel=9)
    assert len(bomb) < LIMIT
    with pytest.raises(MediaRejected) as refusal:
        await fetch_from(answers_with(http_response(body=bomb, content_encoding="gzip")))
    assert refusal.value.reason == "too_large"


async def test_a_decompression_bomb_is_inflated_in_small_pieces() -> None:
    class Bomb(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield gzip.compress(bytes(50_000_000))

    response = httpx.Response(200, headers={"content-encoding": "gzip"}, stream=Bomb())
    sizes = [len(piece) async for piece in plain_chunks(response, QUICK)]
    assert sum(sizes) == 50_000_000
    assert max(sizes) <= 65536


async def test_a_decompression_bomb_in_a_reply_is_stopped() -> None:
    def flow() -> Any:
        return (yield Call("GET", server.url))

    bomb = gzip.compress(bytes(200_000_000), compresslevel=9)
    async with (
        serving(answers_with(http_response(body=bomb, content_encoding="gzip"))) as server,
        fetching() as fetcher,
    ):
        reply = await fetcher.run(fake_platform(server.url), flow(), "lookup")
    assert len(reply.body) == 1024 * 1024


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "compress", "rot13"])
async def test_an_unsupported_content_encoding_is_refused(encoding: str) -> None:
    with pytest.raises(Unreachable, match="not asked for"):
        await fetch_from(answers_with(http_response(body=PHOTO, content_encoding=encoding)))


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (gzip.compress(PHOTO)[:-9], "short body"),
        (b"", "short body"),
        (b"no gzip at all", "damaged compression"),
        (gzip.compress(PHOTO) + b"more", "damaged compression"),
    ],
)
async def test_damaged_compression_is_refused(body: bytes, detail: str) -> None:
    with pytest.raises(Unreachable, match=detail):
        await fetch_from(answers_with(http_response(body=body, content_encoding="gzip")))


# refusals ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "reason", "retry"),
    [
        (404, "gone", False),
        (403, "unauthorized", True),
        (500, "unreachable", True),
        (503, "unreachable", True),
    ],
)
async def test_the_connector_interprets_a_refusal(status: int, reason: str, retry: bool) -> None:
    with pytest.raises(Rejected) as refusal:
        await fetch_from(answers_with(http_response(status, body=b'{"error": 1}')))
    assert (refusal.value.reason, refusal.value.retry) == (reason, retry)


async def test_a_refused_download_has_the_purpose_download() -> None:
    purposes = []

    class Curious(type(fake_platform())):  # type: ignore[misc]  # a class made for one test
        def refusal(self, reply: Any) -> Rejected:
            purposes.append((reply.purpose, reply.content))
            return Rejected("expired", retry=True)

    async with (
        serving(answers_with(http_response(403, body=b'{"error": 1}'))) as server,
        fetching() as fetcher,
    ):
        connector = Curious(fake_platform(server.url).config)
        with scratch_descriptor() as into, pytest.raises(Rejected, match="expired"):
            await fetcher.download(connector, Download(Call("GET", server.url)), into, LIMIT)
    assert purposes == [("download", {"error": 1})]


@pytest.mark.parametrize("status", [201, 204, 206])
async def test_other_success_statuses_are_refused(status: int) -> None:
    with pytest.raises(Unreachable, match=f"HTTP {status} instead"):
        await fetch_from(answers_with(http_response(status, body=PHOTO if status != 204 else b"")))


async def test_a_download_is_attempted_once() -> None:
    async with serving(cuts_off_after(b"")) as server, fetching() as fetcher:
        with pytest.raises(Unreachable):
            await fetch(fetcher, server.url)
    assert len(server.requests) == 1


async def test_a_full_disk_is_reported_as_a_local_failure() -> None:
    async with serving(answers_with(http_response(body=PHOTO))) as server, fetching() as fetcher:
        into = os.open("/dev/full", os.O_WRONLY)
        try:
            with pytest.raises(Rejected, match="local scratch file") as error:
                await fetcher.download(
                    fake_platform(server.url), Download(Call("GET", server.url)), into, LIMIT
                )
        finally:
            os.close(into)
    assert (error.value.reason, error.value.retry, error.value.operator) == (
        "unreachable",
        True,
        True,
    )


async def test_a_cancelled_download_stops_writing_and_closes_its_connection() -> None:
    gone = asyncio.Event()

    async def endless(received: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                writer.write(bytes(65536))
                await writer.drain()
        finally:
            gone.set()

    async with serving(endless) as server, fetching() as fetcher:
        with scratch_descriptor() as into:
            download = Download(Call("GET", server.url))
            task = asyncio.ensure_future(
                fetcher.download(fake_platform(server.url), download, into, 10**12)
            )
            while os.fstat(into).st_size < 1_000_000:
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            size = os.fstat(into).st_size
            await asyncio.wait_for(gone.wait(), 10)
            assert os.fstat(into).st_size == size


async def test_a_cancelled_download_waits_for_its_writing_thread() -> None:
    """The caller closes the descriptor next, and another file may get its number."""
    read, write = os.pipe()
    try:
        async with (
            serving(answers_with(http_response(body=PHOTO))) as server,
            fetching() as fetcher,
        ):
            download = Download(Call("GET", server.url))
            task = asyncio.ensure_future(
                fetcher.download(fake_platform(server.url), download, write, LIMIT)
            )
            assert await asyncio.to_thread(_readable, read)
            task.cancel()
            await asyncio.sleep(0.1)
            task.cancel()
            await asyncio.sleep(0.1)
            assert not task.done()
            await asyncio.to_thread(_drain, read, 256 * 1024)
            with pytest.raises(asyncio.CancelledError):
                await task
    finally:
        os.close(read)
        os.close(write)


def _readable(descriptor: int) -> bool:
    return bool(select.select([descriptor], [], [], 30)[0])


def _drain(descriptor: int, size: int) -> None:
    while size > 0:
        size -= len(os.read(descriptor, size))


# failing hosts ----------------------------------------------------------------------------------


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


TWICE = BreakerPolicy(failures=2, cool_down=30, jitter=0)


async def test_a_host_that_keeps_failing_is_paused() -> None:
    clock = Clock()
    answers = answers_with(http_response(500), http_response(500), http_response(body=PHOTO))
    async with serving(answers) as server, fetching(policy=TWICE, steady=clock) as fetcher:
        for _ in range(2):
            with pytest.raises(Rejected, match="HTTP 500"):
                await fetch(fetcher, server.url)
        with pytest.raises(Unreachable, match="paused") as alone:
            await fetch(fetcher, server.url)
        assert (alone.value.retry, alone.value.after, alone.value.sent) == (True, 30, False)
        assert len(server.requests) == 2
        clock.now += 30
        assert (await fetch(fetcher, server.url))[1] == PHOTO
        assert (await fetch(fetcher, server.url))[1] == PHOTO


async def test_other_hosts_are_not_paused() -> None:
    async with (
        serving(answers_with(http_response(500))) as bad,
        serving(answers_with(http_response(body=PHOTO))) as good,
        fetching(policy=TWICE) as fetcher,
    ):
        for _ in range(3):
            with pytest.raises(Rejected):
                await fetch(fetcher, bad.url)
        assert (await fetch(fetcher, good.url))[1] == PHOTO


async def test_missing_files_do_not_count_against_the_host() -> None:
    answers = answers_with(
        http_response(500), *[http_response(404)] * 5, http_response(500), http_response(body=PHOTO)
    )
    async with serving(answers) as server, fetching(policy=TWICE) as fetcher:
        for _ in range(7):
            with pytest.raises(Rejected, match="HTTP"):
                await fetch(fetcher, server.url)
        assert (await fetch(fetcher, server.url))[1] == PHOTO


async def test_cut_off_bodies_count_against_the_host() -> None:
    broken = cuts_off_after(http_response(content_length="9"))
    async with serving(broken) as server, fetching(policy=TWICE) as fetcher:
        for _ in range(2):
            with pytest.raises(Unreachable, match="short body"):
                await fetch(fetcher, server.url)
        with pytest.raises(Unreachable, match="paused"):
            await fetch(fetcher, server.url)


async def test_retry_after_pauses_the_host() -> None:
    clock = Clock()
    date = "Sun, 22 Nov 2026 01:03:43 GMT"  # 100 s after the fake clock
    for after, seconds in (("50", 50), (date, 100)):
        answers = answers_with(http_response(429, retry_after=after), http_response(body=PHOTO))
        async with serving(answers) as server, fetching(policy=TWICE, steady=clock) as fetcher:
            with pytest.raises(Rejected, match="HTTP 429"):
                await fetch(fetcher, server.url)
            with pytest.raises(Unreachable) as alone:
                await fetch(fetcher, server.url)
            assert alone.value.after == seconds
            clock.now += seconds
            assert (await fetch(fetcher, server.url))[1] == PHOTO


@pytest.mark.parametrize("after", ["soon", "-5", "٣", "", "Sun, 99 Nov 2026 01:03:43 GMT", "1e9"])
async def test_an_unreadable_retry_after_is_ignored(after: str) -> None:
    answer = http_response(429, body=b"x").replace(
        b"\r\n\r\n", f"\r\nRetry-After: {after}\r\n\r\n".encode(), 1
    )
    async with serving(answers_with(answer)) as server, fetching(policy=TWICE) as fetcher:
        for _ in range(2):
            with pytest.raises(Rejected, match="HTTP 429"):
                await fetch(fetcher, server.url)


async def test_concurrent_downloads_from_one_host_are_limited() -> None:
    running = most = 0

    async def counts(received: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.02)
        running -= 1
        writer.write(http_response(body=PHOTO))

    async with serving(counts) as server, fetching(at_one_host=3) as fetcher:
        fetched = await asyncio.gather(*[fetch(fetcher, server.url) for _ in range(12)])
    assert most == 3
    assert all(content == PHOTO for _, content in fetched)
