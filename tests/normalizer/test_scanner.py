"""Nothing is clean before a real clamd has said so, and no failure lets a file through."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from normalizer.media import Clean, Limits, MediaFailed, MediaRejected
from normalizer.sanitizer import Sanitizer
from normalizer.scanner import Scanner, ScannerMisfit

from .conftest import Sanitize, sanitize_with
from .daemon import EICAR, SIGNATURE, Daemon
from .media_samples import box, descriptor, encoded, make_video, noise, quadrants

pytestmark = pytest.mark.asyncio(loop_scope="module")

PHOTO = encoded(quadrants())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def daemon(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Daemon]:
    running = Daemon(tmp_path_factory.mktemp("clamd"))
    await running.start()
    yield running
    running.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scanning_sanitizer(daemon: Daemon) -> AsyncIterator[Sanitizer]:
    running = Sanitizer(Limits(), sandboxes=2, scanner=Scanner(daemon.unix))
    await running.start()
    yield running
    await running.close()


def infected() -> dict[str, bytes]:
    """Return the test virus in every place that a scanner sees and a viewer does not."""
    comment = b"\xff\xfe" + (len(EICAR) + 2).to_bytes(2, "big") + EICAR
    return {
        "nothing else": EICAR,
        "after a photo": PHOTO + EICAR,
        "far after a photo": PHOTO + bytes(3_000_000) + EICAR,
        "in a comment": PHOTO[:2] + comment + PHOTO[2:],
        "before a photo": EICAR + PHOTO,
        "after a video": make_video() + EICAR,
        "in a box of a video": make_video() + box(b"uuid", bytes(16), EICAR),
        "in a document": b"%PDF-1.7\n" + EICAR,
        "in a broken photo": PHOTO[:300] + EICAR,
    }


@pytest.mark.parametrize("place", infected())
async def test_malware_is_found_in_every_place_and_named(
    scanning_sanitizer: Sanitizer, place: str
) -> None:
    with pytest.raises(MediaRejected) as refusal:
        await sanitize_with(scanning_sanitizer)(infected()[place])
    assert refusal.value.reason == "malware"
    assert SIGNATURE in refusal.value.detail


async def test_clean_files_pass(scanning_sanitizer: Sanitizer) -> None:
    photo, video = await asyncio.gather(
        *map(sanitize_with(scanning_sanitizer), (PHOTO, make_video()))
    )
    assert (photo.kind, video.kind) == ("photo", "video")


async def test_files_that_are_not_media_are_refused_as_unsupported(
    scanning_sanitizer: Sanitizer,
) -> None:
    with pytest.raises(MediaRejected) as refusal:
        await sanitize_with(scanning_sanitizer)(b"<html>nothing special")
    assert refusal.value.reason == "unsupported_type"


async def test_unix_sockets_and_tcp_work(daemon: Daemon) -> None:
    for address in (daemon.unix, daemon.tcp):
        scanner = Scanner(address)
        assert (await scanner.version()).startswith("ClamAV")
        clean, bad = descriptor(PHOTO), descriptor(bytes(700_000) + EICAR)
        await scanner.scan(clean, len(PHOTO))
        with pytest.raises(MediaRejected):
            await scanner.scan(bad, 700_000 + len(EICAR))
        os.close(clean)
        os.close(bad)


async def test_many_concurrent_scans_are_all_answered(scanning_sanitizer: Sanitizer) -> None:
    files = [PHOTO + (EICAR if n % 3 == 0 else b"") for n in range(30)]
    results = await asyncio.gather(
        *map(sanitize_with(scanning_sanitizer), files), return_exceptions=True
    )
    assert [isinstance(each, Clean) for each in results] == [n % 3 != 0 for n in range(30)]


async def test_a_restarted_daemon_lets_nothing_through_and_loses_nothing(
    tmp_path: Path,
) -> None:
    daemon = Daemon(tmp_path)
    running = Sanitizer(Limits(), sandboxes=1, scanner=Scanner(daemon.unix))
    # The sanitizer starts even though clamd cannot be reached.
    await running.start()
    sanitize = sanitize_with(running)
    try:
        for _ in range(2):
            with pytest.raises(MediaFailed) as failure:
                await sanitize(PHOTO)
            assert failure.value.reason == "scanner_unavailable"
            await daemon.start()
            assert isinstance(await sanitize(PHOTO), Clean)
            with pytest.raises(MediaRejected):
                await sanitize(PHOTO + EICAR)
            daemon.stop()
    finally:
        await running.close()
        daemon.stop()


async def test_a_daemon_killed_during_scans_lets_nothing_through(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path)
    await daemon.start()
    running = Sanitizer(Limits(), sandboxes=2, scanner=Scanner(daemon.unix))
    await running.start()
    large = encoded(noise(3000, 2000), "PNG", compress_level=1)
    try:
        jobs = [asyncio.create_task(sanitize_with(running)(large + EICAR)) for _ in range(6)]
        await asyncio.sleep(0.02)
        daemon.stop()
        results = await asyncio.gather(*jobs, return_exceptions=True)
    finally:
        await running.close()
        daemon.stop()
    assert all(isinstance(each, (MediaFailed, MediaRejected)) for each in results)
    assert any(isinstance(each, MediaFailed) for each in results)


async def test_files_that_are_not_media_are_rejected_without_a_scanner(
    tmp_path: Path,
) -> None:
    running = Sanitizer(Limits(), sandboxes=1, scanner=Scanner(f"unix:{tmp_path}/none.ctl"))
    await running.start()
    try:
        with pytest.raises((MediaRejected, MediaFailed)) as refusal:
            await sanitize_with(running)(b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    finally:
        await running.close()
    assert refusal.value.reason in {"unsupported_type", "scanner_unavailable"}


async def test_a_daemon_with_a_shorter_limit_is_found_at_start(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path, longest="5M")
    await daemon.start()
    running = Sanitizer(Limits(), sandboxes=1, scanner=Scanner(daemon.unix))
    try:
        with pytest.raises(ScannerMisfit) as misfit:
            await running.start()
        assert "StreamMaxLength" in str(misfit.value)
        # A file beyond its limit is never treated as clean.
        source = descriptor(bytes(6_000_000))
        with pytest.raises(MediaFailed) as failure:
            await Scanner(daemon.unix).scan(source, 6_000_000)
        os.close(source)
        assert "size limit exceeded" in failure.value.detail
    finally:
        daemon.stop()


async def test_a_daemon_that_skips_long_files_is_found_at_start(
    tmp_path: Path,
) -> None:
    daemon = Daemon(tmp_path, looked_into="2M")
    await daemon.start()
    running = Sanitizer(Limits(), sandboxes=1, scanner=Scanner(daemon.unix))
    try:
        with pytest.raises(ScannerMisfit, match="MaxFileSize"):
            await running.start()
    finally:
        daemon.stop()
        await running.close()


async def test_a_daemon_that_comes_back_is_checked_again(tmp_path: Path) -> None:
    careless = Daemon(tmp_path / "careless", looked_into="2M")
    careful = Daemon(tmp_path / "careful")
    address = tmp_path / "clamd.ctl"
    running = Sanitizer(Limits(), sandboxes=1, scanner=Scanner(f"unix:{address}"))
    await running.start()
    sanitize = sanitize_with(running)
    infection = PHOTO + bytes(3_000_000) + EICAR
    try:
        await careless.start()
        address.symlink_to(careless.unix.removeprefix("unix:"))
        for content in (infection, PHOTO):
            assert "MaxFileSize" in await unavailable_detail(sanitize, content)
        careless.stop()
        address.unlink()
        address.symlink_to(careful.unix.removeprefix("unix:"))
        await unavailable_detail(sanitize, PHOTO)
        await careful.start()
        assert isinstance(await sanitize(PHOTO), Clean)
        with pytest.raises(MediaRejected) as refusal:
            await sanitize(infection)
        assert refusal.value.reason == "malware"
    finally:
        careless.stop()
        careful.stop()
        await running.close()


async def unavailable_detail(sanitize: Sanitize, content: bytes) -> str:
    """Return the detail with which the file waits for the scanner."""
    with pytest.raises(MediaFailed) as failure:
        await sanitize(content)
    assert failure.value.reason == "scanner_unavailable"
    return failure.value.detail


async def test_an_early_clean_verdict_is_not_believed() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(100)
        writer.write(b"stream: OK\0")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    size = 20_000_000
    source = descriptor(bytes(size))
    with pytest.raises(MediaFailed) as failure:
        await Scanner(f"tcp://127.0.0.1:{port}", seconds=20).scan(source, size)
    assert failure.value.reason == "scanner_unavailable"
    os.close(source)
    server.close()
    await server.wait_closed()


async def test_a_daemon_with_our_limits_passes_the_check(daemon: Daemon) -> None:
    await Scanner(daemon.unix).check(25_000_000)


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"\0",
        b"stream: OK?\0",
        b"OK\0",
        b"stream: ERROR\0",
        b"stream: OK FOUND",
        b"x" * 10_000,
        b"\xff\xfe\0",
        None,
    ],
)
async def test_only_ok_means_clean(reply: bytes | None) -> None:
    """A server that is not clamd, or a broken one."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if reply is None:
                await reader.read()  # until the other side closes
            else:
                writer.write(reply)
        except ConnectionError:
            pass
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    source = descriptor(PHOTO)
    scanner = Scanner(f"tcp://127.0.0.1:{port}", seconds=1)
    with pytest.raises((MediaFailed, MediaRejected)) as refusal:
        await scanner.scan(source, len(PHOTO))
    assert refusal.value.reason in {"scanner_unavailable", "malware"}
    os.close(source)
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize(
    "address", ["", "clamd", "/run/clamd.ctl", "tcp://host", "tcp://host:port", "http://host:1"]
)
async def test_an_invalid_address_is_named(address: str) -> None:
    with pytest.raises(ValueError, match="is not the address of a scanner"):
        Scanner(address)


async def test_concurrent_callers_share_one_ping(
    tmp_path: Path,
) -> None:
    connections = 0

    async def pong(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.readuntil(b"\0")
        writer.write(b"PONG\0")
        writer.close()

    server = await asyncio.start_server(pong, "127.0.0.1", 0)
    scanner = Scanner(f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    assert await asyncio.gather(*(scanner.error() for _ in range(50))) == [None] * 50
    assert connections == 1
    server.close()
    await server.wait_closed()
    error = await Scanner(f"unix:{tmp_path}/none.ctl").error()
    assert error is not None
    assert error.reason == "scanner_unavailable"


async def test_a_silent_scanner_counts_as_unreachable(tmp_path: Path) -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    scanner = Scanner(f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}", seconds=0.2)
    assert await scanner.error() is not None
    with pytest.raises(MediaFailed):
        await scanner.version()
    server.close()
    await server.wait_closed()


async def test_progress_reports_waiting_for_the_scanner() -> None:
    stages: list[str] = []
    decoded = asyncio.Event()

    def on_progress(stage: str, share: float | None) -> None:
        stages.append(stage)
        if stage == "scanning":
            decoded.set()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await decoded.wait()
        writer.write(b"stream: OK\0")
        writer.close()

    server = await asyncio.start_server(slow, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    running = Sanitizer(Limits(), sandboxes=1, scanner=Scanner(f"tcp://127.0.0.1:{port}"))
    await running._pool.start()
    source = descriptor(PHOTO)
    try:
        clean = await running.sanitize(source, progress=on_progress)
    finally:
        os.close(source)
        await running.close()
        server.close()
        await server.wait_closed()
    assert clean.kind == "photo"
    assert stages == ["making_safe", "scanning"]
