"""A decoder that is compromised or fails affects one attachment and nothing else."""

import asyncio
import contextlib
import os
import signal
import time
from pathlib import Path

import pytest

from normalizer.media import Clean, Limits, MediaFailed, MediaRejected
from normalizer.renditions import pipelines
from normalizer.sanitizer import Sanitizer

from .conftest import Sanitize, sanitize_with
from .hostile_decoder import TOGGLE_PROCESS_LIMIT, attack_file
from .media_samples import descriptor, encoded, quadrants

pytestmark = pytest.mark.asyncio(loop_scope="module")

PHOTO = encoded(quadrants(64, 48))

#: One for each of two slots and one in advance.
SPARES = 3


def children() -> set[int]:
    """Return all processes below this one."""
    found: set[int] = set()
    waiting = [os.getpid()]
    while waiting:
        for task in Path(f"/proc/{waiting.pop()}/task").glob("*/children"):
            new = {int(pid) for pid in task.read_text().split()} - found
            found |= new
            waiting += new
    return found


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize(
    "attack",
    [
        "open a file",
        "connect",
        "execute",
        "fork",
        "run written code",
        "kill the zygote",
        "slow all others",
        "slow its group",
        "shrink the canvas",
        "write the source",
    ],
)
async def test_attacks_of_a_compromised_decoder_are_refused(
    hostile_sanitizer: Sanitizer, attack: str
) -> None:
    sanitize = sanitize_with(hostile_sanitizer)
    with pytest.raises((MediaRejected, MediaFailed)) as refusal:
        await sanitize(attack_file(attack))
    # Refused by the system (an exception in the sandbox) or killed for the attempt.
    assert refusal.value.reason in {"corrupt", "decoder_crashed"}
    assert any(
        word in refusal.value.detail for word in ("PermissionError", "OSError", "forbidden")
    ), refusal.value.detail
    assert isinstance(await sanitize(PHOTO), Clean)


@pytest.mark.parametrize(
    ("attack", "why"),
    [
        ("crash", "SIGSEGV"),
        ("vanish", "without an answer"),
        ("start threads", "threads"),
        ("claim malware", "the answer is incomplete"),
        ("lie about width", "the decoder's answer is invalid"),
        ("lie about height", "the decoder's answer is invalid"),
        ("lie about kind", "the decoder's answer is invalid"),
        ("lie about size", "the decoder's answer is invalid"),
    ],
)
async def test_a_failing_decoder_is_reported_with_its_reason(
    hostile_sanitizer: Sanitizer, attack: str, why: str
) -> None:
    sanitize = sanitize_with(hostile_sanitizer)
    with pytest.raises(MediaFailed) as failure:
        await sanitize(attack_file(attack))
    assert failure.value.reason == "decoder_crashed"
    assert why in failure.value.detail
    assert isinstance(await sanitize(PHOTO), Clean)


@pytest.mark.parametrize("attack", ["claim", "allocate"])
async def test_a_file_that_needs_too_much_memory_is_not_retried(
    hostile_sanitizer: Sanitizer, attack: str
) -> None:
    """The next sandbox would not have more."""
    sanitize = sanitize_with(hostile_sanitizer)
    with pytest.raises(MediaRejected, match="out of memory") as refusal:
        await sanitize(attack_file(attack))
    assert refusal.value.reason == "corrupt"
    assert isinstance(await sanitize(PHOTO), Clean)


async def test_endless_output_stops_at_the_canvas(hostile_sanitizer: Sanitizer) -> None:
    sanitize = sanitize_with(hostile_sanitizer)
    with pytest.raises((MediaRejected, MediaFailed)):
        await sanitize(attack_file("write without end"))
    assert isinstance(await sanitize(PHOTO), Clean)


@pytest.mark.parametrize("attack", ["spin", "sleep", "flood"])
async def test_a_hanging_decoder_ends_at_its_deadline_and_others_finish(
    hostile_sanitizer: Sanitizer, monkeypatch: pytest.MonkeyPatch, attack: str
) -> None:
    sanitize = sanitize_with(hostile_sanitizer)
    await sanitize(PHOTO)
    # Long enough for the neighbours on a busy machine.
    monkeypatch.setattr(pipelines, "_PHOTO_SECONDS", 2.0)
    hanging = asyncio.create_task(sanitize(attack_file(attack)))
    await asyncio.sleep(0.1)
    neighbours = await asyncio.gather(*(sanitize(PHOTO) for _ in range(6)))
    assert len(neighbours) == 6
    assert not hanging.done()
    with pytest.raises(MediaFailed) as failure:
        await hanging
    assert failure.value.reason == "decoder_crashed"
    assert isinstance(await sanitize(PHOTO), Clean)


async def test_crashes_in_a_row_affect_no_other_job(hostile_sanitizer: Sanitizer) -> None:
    sanitize = sanitize_with(hostile_sanitizer)
    files = [attack_file("crash") if n % 2 else PHOTO for n in range(20)]
    results = await asyncio.gather(*map(sanitize, files), return_exceptions=True)
    assert [isinstance(result, Clean) for result in results] == [n % 2 == 0 for n in range(20)]


async def test_memory_written_outside_the_picture_is_not_reused(
    hostile_sanitizer: Sanitizer,
) -> None:
    sanitize = sanitize_with(hostile_sanitizer)
    for _ in range(6):
        await sanitize(attack_file("paint elsewhere"))
        await sanitize(PHOTO)
        assert isinstance(await sanitize(attack_file("look around")), Clean)


async def test_a_killed_zygote_is_replaced(hostile_sanitizer: Sanitizer) -> None:
    sanitize = sanitize_with(hostile_sanitizer)
    before = children()
    for pid in before:
        # The sandboxes of a killed zygote end with it.
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert isinstance(await sanitize(PHOTO), Clean)
    assert not before & children()


async def test_a_machine_full_of_processes_ends_no_running_job(
    hostile_sanitizer: Sanitizer,
) -> None:
    sanitize = sanitize_with(hostile_sanitizer)
    await sanitize(PHOTO)
    await settled(hostile_sanitizer)
    neighbour = asyncio.create_task(sanitize(attack_file("sleep")))
    await asyncio.sleep(0.1)
    (zygote,) = (pid for pid in children() if _is_zygote(pid))
    os.kill(zygote, TOGGLE_PROCESS_LIMIT)
    results = [await _outcome(sanitize, PHOTO) for _ in range(6)]
    assert any(isinstance(result, MediaFailed) for result in results), (
        "sandboxes were still started"
    )
    os.kill(zygote, TOGGLE_PROCESS_LIMIT)
    for _ in range(6):
        assert isinstance(await sanitize(PHOTO), Clean)
    assert not neighbour.done()
    assert zygote in children()
    neighbour.cancel()
    await asyncio.gather(neighbour, return_exceptions=True)
    await settled(hostile_sanitizer)
    assert len(children()) == SPARES + 1


def _is_zygote(pid: int) -> bool:
    return bool(Path(f"/proc/{pid}/task/{pid}/children").read_text())


async def _outcome(sanitize: Sanitize, content: bytes) -> Clean | MediaFailed:
    try:
        return await sanitize(content)
    except MediaFailed as failure:
        return failure


async def test_a_cancelled_job_leaves_no_process_and_no_descriptor(
    hostile_sanitizer: Sanitizer,
) -> None:
    sanitize = sanitize_with(hostile_sanitizer)
    for _ in range(3):
        await sanitize(PHOTO)
    await settled(hostile_sanitizer)
    idle, open_before = len(children()), descriptors()
    for _ in range(5):
        job = asyncio.create_task(sanitize(attack_file("sleep")))
        await asyncio.sleep(0.05)
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
    await sanitize(PHOTO)
    await settled(hostile_sanitizer)
    assert len(children()) == idle
    assert descriptors() <= open_before


async def test_jobs_cancelled_while_waiting_leave_nothing(
    hostile_sanitizer: Sanitizer,
) -> None:
    sanitize = sanitize_with(hostile_sanitizer)
    await sanitize(PHOTO)
    await settled(hostile_sanitizer)
    idle, open_before = len(children()), descriptors()
    jobs = [asyncio.create_task(sanitize(attack_file("sleep"))) for _ in range(10)]
    await asyncio.sleep(0.1)
    for job in jobs:
        job.cancel()
    await asyncio.gather(*jobs, return_exceptions=True)
    assert isinstance(await sanitize(PHOTO), Clean)
    await settled(hostile_sanitizer)
    assert len(children()) == idle
    assert descriptors() <= open_before


async def test_close_ends_every_process() -> None:
    before = children()
    running = Sanitizer(Limits(), sandboxes=2)
    await running.start()
    assert children() > before
    await running.close()
    assert children() == before


async def test_sanitizing_after_close_fails() -> None:
    running = Sanitizer(Limits(), sandboxes=1)
    await running.start()
    await running.close()
    source = descriptor(PHOTO)
    with pytest.raises(MediaFailed) as failure:
        await running.sanitize(source)
    os.close(source)
    assert failure.value.reason == "decoder_crashed"


async def settled(running: Sanitizer) -> None:
    """Wait until the spare sandboxes are ready and memory is wiped."""
    expected = SPARES + 1
    deadline = time.monotonic() + 10
    while len(children()) != expected and time.monotonic() < deadline:
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.1)
