"""Videos whose index is unusual and whose frames are all there: each one is ready, with every frame."""

import struct
from typing import Any

import pytest

from normalizer.media import Clean

from .assertions import alike, rendition
from .conftest import Sanitize
from .media_samples import CORNERS, make_video
from .video_assertions import assert_playable, frames, opened, rejection_reason
from .video_boxes import TABLE, box_of, clip, joined, table, with_box

pytestmark = pytest.mark.asyncio(loop_scope="module")

OTHER_CODING = {"profile": "baseline", "crf": "35"}
HEVC: dict[str, Any] = {
    "codec": "libx265",
    "codec_options": {"x265-params": "bframes=0:log-level=none"},
}


def times(clean: Clean) -> list[int]:
    with opened(clean) as container:
        return [packet.dts for packet in container.demux(video=0) if packet.dts is not None]


def claiming_more(source: bytes, excess: int, kind: bytes) -> bytes:
    """Return the video with its last box claiming more bytes than there are."""
    at = source.rindex(kind) - 4
    size = int.from_bytes(source[at : at + 4], "big")
    assert at + size == len(source)
    return source[:at] + struct.pack(">I", size + excess) + source[at + 4 :]


# a track of several codings -----------------------------------------------------------------------


@pytest.mark.parametrize("second", [(320, 240), (640, 480), (160, 320)])
async def test_a_track_of_two_codings_keeps_all_frames(
    sanitize: Sanitize, second: tuple[int, int]
) -> None:
    parts = [clip(20), clip(20, size=second, codec_options=OTHER_CODING)]
    clean = await sanitize(joined(parts))
    assert_playable(clean, sound=False)
    shown = frames(clean)
    assert len(shown) == 40
    # The second part begins with the same bright picture as the first.
    for number in (0, 20):
        height, width, _ = shown[number].shape
        found = tuple(int(each) for each in shown[number][height // 4, width // 4])
        assert alike(found, CORNERS[0], 25), number


async def test_a_track_of_three_codings_keeps_all_frames(sanitize: Sanitize) -> None:
    parts = [clip(10), clip(10, size=(640, 480)), clip(10, codec_options=OTHER_CODING)]
    clean = await sanitize(joined(parts))
    assert len(frames(clean)) == 30
    assert rendition(clean, "video").width == 320


async def test_one_coding_described_once_is_still_copied(sanitize: Sanitize) -> None:
    source = clip(10)
    made = await sanitize(source)
    assert box_of(bytes(rendition(made, "video").content), *TABLE, b"stsz") == box_of(
        bytes(rendition(await sanitize(joined([source])), "video").content), *TABLE, b"stsz"
    )


# a last box that claims too much ------------------------------------------------------------------


@pytest.mark.parametrize("excess", [1, 4, 7, 8, 9, 1000, 1 << 30])
@pytest.mark.parametrize(("flags", "kind"), [("faststart", b"mdat"), ("", b"moov")])
async def test_a_last_box_may_claim_too_many_bytes(
    sanitize: Sanitize, flags: str, kind: bytes, excess: int
) -> None:
    source = make_video(seconds=0.4, options={"movflags": flags} if flags else {})
    clean = await sanitize(claiming_more(source, excess, kind))
    assert_playable(clean)
    assert len(frames(clean)) == 10


@pytest.mark.parametrize("excess", [1, 8, 100])
async def test_the_last_fragment_may_claim_too_many_bytes(sanitize: Sanitize, excess: int) -> None:
    flags = {"movflags": "frag_keyframe+empty_moov"}
    source = make_video(seconds=0.4, options=flags)
    source = source[: source.rindex(b"mfra") - 4]
    clean = await sanitize(claiming_more(source, excess, b"mdat"))
    assert len(frames(clean)) == 10


@pytest.mark.parametrize("missing", [1, 2, 8, 20, 300])
@pytest.mark.parametrize("audio", ["aac", None])
@pytest.mark.parametrize("flags", ["faststart", "frag_keyframe+empty_moov"])
async def test_a_video_that_lacks_its_last_bytes_is_corrupt(
    sanitize: Sanitize, flags: str, audio: str | None, missing: int
) -> None:
    source = make_video(seconds=0.4, audio=audio, options={"movflags": flags})
    if b"mfra" in source:
        source = source[: source.rindex(b"mfra") - 4]
    assert await rejection_reason(sanitize, source[:-missing]) == "corrupt"


# frames that share a time -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["h264", "hevc"])
@pytest.mark.parametrize("shared", [2, 3, 4, 5, 10, 25, 50])
async def test_frames_that_share_a_time_are_all_kept(
    sanitize: Sanitize, shared: int, kind: str
) -> None:
    source = clip(100, **(HEVC if kind == "hevc" else {}))
    runs = [row for _ in range(100 // shared) for row in ((shared - 1, 0), (1, 512 * shared))]
    clean = await sanitize(with_box(source, table(b"stts", *runs), *TABLE, b"stts"))
    assert_playable(clean, sound=False)
    assert len(frames(clean)) == 100
    assert times(clean) == sorted(set(times(clean)))
    if shared < 50:
        # The library invents times of its own for HEVC if almost no frame states one.
        assert clean.duration_seconds == pytest.approx(4, abs=2.1 * shared / 25)


@pytest.mark.parametrize("first", [4, 24, 25])
async def test_a_video_that_begins_with_one_time_is_ready(sanitize: Sanitize, first: int) -> None:
    rows = [(first, 0), (25 - first, 512)] if first < 25 else [(25, 0)]
    clean = await sanitize(with_box(clip(25), table(b"stts", *rows), *TABLE, b"stts"))
    assert len(frames(clean)) == 25


async def test_a_clock_too_coarse_for_its_frames_is_replaced(sanitize: Sanitize) -> None:
    """Five ticks a second, and twenty frames at each tick."""
    source = bytearray(with_box(clip(60), table(b"stts", *[(19, 0), (1, 5)] * 3), *TABLE, b"stts"))
    for header in (b"mvhd", b"mdhd"):
        at = source.index(header) + 4 + 12
        scale, _ = struct.unpack_from(">II", source, at)
        struct.pack_into(">II", source, at, 5, 15)
        assert scale > 5
    clean = await sanitize(bytes(source))
    assert_playable(clean, sound=False)
    assert len(frames(clean)) == 60
    assert clean.duration_seconds == pytest.approx(3, abs=1.2)
