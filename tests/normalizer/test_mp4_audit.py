"""The audit of a finished video runs in the gateway: a hostile file must not cost it time, and ends in Broken."""

import contextlib
import struct
import time

import numpy as np
import pytest
import pytest_asyncio

from normalizer.isobmff import Broken, walk
from normalizer.renditions.mp4_audit import audit
from normalizer.sanitizer import Sanitizer

from . import mutations
from .assertions import content
from .conftest import sanitize_with
from .media_samples import box, make_video

#: CPU seconds. The slowest legal index takes a tenth.
AT_ONCE = 1.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def video(sanitizer: Sanitizer) -> bytes:
    """A video as the sandbox writes it."""
    return content(await sanitize_with(sanitizer)(make_video(seconds=0.4)), "video")


def refusal(data: bytes) -> str:
    """Return why the audit refuses a file; it must not take long."""
    begun = time.process_time()
    with pytest.raises(Broken) as refused, memoryview(data) as view:
        audit(view)
    assert time.process_time() - begun < AT_ONCE
    return str(refused.value)


def with_index(*content: bytes) -> bytes:
    """A file whose index has this content."""
    return box(b"ftyp", b"isom") + box(b"moov", *content) + box(b"mdat", b"pixels")


MOVIE = box(b"mvhd", bytes(12), struct.pack(">II", 1000, 400), bytes(80))
HEADER = box(b"tkhd", bytes(40), struct.pack(">i", 65536), bytes(32), bytes([0, 64, 0, 0] * 2))
HANDLER = box(b"hdlr", bytes(8), b"vide", bytes(12), b"VideoHandler\0")


def track(*, header: bytes = HEADER, handler: bytes = HANDLER, table: bytes = b"") -> bytes:
    """A track for pictures, without any."""
    return box(b"trak", header, box(b"mdia", handler, box(b"minf", box(b"stbl", table))))


def test_a_video_of_ours_passes(video: bytes) -> None:
    result = audit(memoryview(video))

    assert (result.tracks, result.width, result.height) == (2, 320, 240)
    assert 0.3 < result.seconds < 0.6


@pytest.mark.parametrize("kind", [b"moov", b"trak", b"mdia", b"minf", b"stbl"])
def test_deeply_nested_boxes_are_refused(kind: bytes) -> None:
    nested = b"".join(struct.pack(">I4s", (20_000 - level) * 8, kind) for level in range(20_000))

    assert "no player needs" in refusal(with_index(nested))


@pytest.mark.parametrize("kind", [b"trak", b"mvhd", b"free"])
def test_millions_of_boxes_are_refused_at_once(kind: bytes) -> None:
    assert "more than 500 boxes" in refusal(with_index(box(kind) * 6_700_000))


@pytest.mark.parametrize("kind", [b"stts", b"stco"])
def test_millions_of_boxes_in_a_track_are_refused_at_once(kind: bytes) -> None:
    assert "more than 500 boxes" in refusal(with_index(track(table=box(kind) * 6_700_000)))


@pytest.mark.parametrize("kind", [b"avc1", b"avcC"])
def test_millions_of_descriptions_are_refused_at_once(kind: bytes) -> None:
    entries = box(kind, bytes(78)) * 700_000
    description = box(b"stsd", bytes(4), struct.pack(">I", 700_000), entries)

    assert "more than 500 boxes" in refusal(with_index(track(table=description)))


def test_millions_of_boxes_beside_the_index_are_refused_at_once() -> None:
    assert "more than 500 boxes" in refusal(box(b"ftyp") * 6_700_000)


@pytest.mark.parametrize(("name", "size"), [(b"stco", 4), (b"co64", 8)])
def test_a_huge_table_of_offsets_is_refused_at_once(name: bytes, size: int) -> None:
    count = 60_000_000 // size
    offsets = box(name, bytes(4), struct.pack(">I", count), bytes(count * size))

    assert refusal(with_index(track(table=offsets))) == "an offset points outside the media"


def test_a_track_without_a_handler_is_refused() -> None:
    reason = refusal(with_index(MOVIE, track(handler=b"")))

    assert reason == "the index has 0 boxes hdlr in one place"


def test_the_shortest_index_passes() -> None:
    assert audit(memoryview(with_index(MOVIE, track()))).seconds == 0.4


@pytest.mark.parametrize(
    ("index", "kind"),
    [
        ((MOVIE, MOVIE, track()), "mvhd"),
        ((MOVIE, track(header=HEADER * 2)), "tkhd"),
        ((MOVIE, track(handler=HANDLER * 2)), "hdlr"),
    ],
)
def test_a_required_box_may_not_be_doubled(index: tuple[bytes, ...], kind: str) -> None:
    assert refusal(with_index(*index)) == f"the index has 2 boxes {kind} in one place"


def test_bytes_between_boxes_are_refused(video: bytes) -> None:
    kind, index, media = list(walk(memoryview(video), 0, len(video)))
    longer = box(b"moov", video[index.body : index.end], b"secret!")

    changed = video[: kind.end] + longer + video[media.start :]

    assert refusal(changed) == "there are bytes between boxes"


@pytest.mark.parametrize("size", [0, 1, 3, 7])
def test_a_file_that_ends_too_early_is_refused(video: bytes, size: int) -> None:
    assert refusal(video[:size])
    assert refusal(with_index(bytes(size)))


def test_a_mutated_video_passes_or_is_refused(video: bytes) -> None:
    for seed in range(1500):
        random = np.random.default_rng(seed)
        change = (mutations.boxes, mutations.blindly)[seed % 2]
        data = change(random, video)
        # Any other error would end the gateway's task instead of the attachment.
        with contextlib.suppress(Broken):
            audit(memoryview(data))
