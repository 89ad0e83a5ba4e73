"""Videos of all kinds become MP4s that browsers play, with an upright first frame and nothing else in them."""

import io
import struct
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest

from normalizer.isobmff import Box, find_boxes, walk

from .assertions import alike, assert_upright, colour, content, rendition, shown
from .conftest import Sanitize
from .media_samples import CORNERS, box, make_video
from .video_assertions import assert_playable, frames, opened, reading

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_playable_videos_are_copied_frame_by_frame(sanitize: Sanitize) -> None:
    source = make_video(seconds=2, metadata={"title": "CANARY", "location": "+52.5200+013.4050/"})
    clean = await sanitize(source)
    assert_playable(clean)
    with reading(source) as container:
        before = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    after = frames(clean)
    assert len(after) == len(before) == 50
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    assert clean.duration_seconds == pytest.approx(2.0, abs=0.1)
    assert_upright(shown(clean, "poster"))
    assert_upright(shown(clean, "thumbnail"))


async def test_playable_sound_is_copied(sanitize: Sanitize) -> None:
    def samples(data: bytes) -> np.ndarray[Any, Any]:
        with reading(data) as container:
            return np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])

    source = make_video(seconds=2)
    before, after = samples(source), samples(content(await sanitize(source), "video"))
    assert len(before) == len(after)
    assert np.allclose(before, after, atol=1e-6)


@pytest.mark.parametrize("container", ["mp4", "mov", "3gp", "ipod"])
async def test_containers_of_all_phones_are_videos(sanitize: Sanitize, container: str) -> None:
    clean = await sanitize(make_video(container=container))
    assert_playable(clean)
    assert_upright(shown(clean, "poster"))


async def test_an_index_at_the_end_moves_to_the_front(sanitize: Sanitize) -> None:
    source = make_video()
    assert source.index(b"mdat") < source.index(b"moov")
    assert_playable(await sanitize(source))


@pytest.mark.parametrize(
    "flags", ["frag_keyframe+empty_moov", "frag_keyframe+empty_moov+default_base_moof", "faststart"]
)
async def test_fragments_become_one_video(sanitize: Sanitize, flags: str) -> None:
    clean = await sanitize(
        make_video(seconds=2, options={"movflags": flags}, codec_options={"g": "10"})
    )
    assert_playable(clean)
    assert len(frames(clean)) == 50
    assert clean.duration_seconds == pytest.approx(2.0, abs=0.1)


async def test_a_video_without_sound_is_accepted(sanitize: Sanitize) -> None:
    assert_playable(await sanitize(make_video(audio=None)), sound=False)


async def test_frames_at_irregular_times_keep_their_times(sanitize: Sanitize) -> None:
    times = [0, 1, 2, 10, 11, 40, 41, 42, 49]
    source = make_video(times=times, seconds=2, audio=None)
    clean = await sanitize(source)
    with opened(clean) as container:
        found = [round(frame.time * 25) for frame in container.decode(video=0)]
    assert [time - found[0] for time in found] == times
    assert clean.duration_seconds == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
async def test_videos_are_upright(
    sanitize: Sanitize, rotation: int, mirrored: bool, codec: str
) -> None:
    """Copied videos keep their rotation, encoded ones are rotated; either way a browser shows the poster."""
    clean = await sanitize(
        make_video(rotation=rotation, mirrored=mirrored, codec=codec, seconds=0.4)
    )
    turned = rotation in {90, 270}
    assert (clean.width, clean.height) == ((240, 320) if turned else (320, 240))
    poster = shown(clean, "poster")
    assert poster.size == (clean.width, clean.height)
    with opened(clean) as container:
        frame = next(container.decode(video=0))
        # PyAV reports how far a player rotates the picture, but not whether it mirrors it.
        seen = frame.to_image().rotate(frame.rotation, expand=True)
    if mirrored and codec == "libx264":
        seen = None
    for x, y in ((0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)):
        assert any(alike(colour(poster, x, y), corner, 40) for corner in CORNERS)
        if seen:
            assert alike(colour(poster, x, y), colour(seen, x, y), 40)


@pytest.mark.parametrize(
    ("options", "sides"),
    [
        ({"rotation": 90}, (240, 320)),
        ({"codec": "mpeg4", "rotation": 90}, (240, 320)),
        ({"codec": "mpeg4", "size": (1920, 1080), "seconds": 0.2}, (1280, 720)),
        ({"codec": "mpeg4", "size": (1920, 1080), "seconds": 0.2, "rotation": 270}, (720, 1280)),
        ({"codec": "mpeg4", "size": (322, 242)}, (322, 242)),
    ],
)
async def test_a_video_states_its_final_size(
    sanitize: Sanitize, options: dict[str, Any], sides: tuple[int, int]
) -> None:
    clean = await sanitize(make_video(**{"seconds": 0.4, **options}))
    video = rendition(clean, "video")
    assert (video.width, video.height) == sides
    with opened(clean) as container:
        frame = next(container.decode(video=0))
        seen = (frame.width, frame.height)
    assert sides == (seen[::-1] if frame.rotation in {90, -90} else seen)


async def test_unknown_boxes_are_skipped_everywhere(sanitize: Sanitize) -> None:
    source = make_video(seconds=0.4)
    # After the media, so that no offset changes, and before the index.
    index = source.index(b"moov") - 4
    assert index > source.index(b"mdat")
    strange = box(b"Abcd", b"CANARY" * 10)
    clean = await sanitize(source[:index] + strange + source[index:] + strange)
    assert_playable(clean)
    assert frames(clean)[0].shape == (240, 320, 3)


async def test_pixels_that_are_not_square_are_shown_correctly(sanitize: Sanitize) -> None:
    source = make_video(size=(176, 144), shape=Fraction(12, 11))
    clean = await sanitize(source)
    assert (clean.width, clean.height) == (192, 144)
    video = rendition(clean, "video")
    assert (video.width, video.height) == (192, 144)
    assert shown(clean, "poster").size == (192, 144)


async def test_the_first_track_of_each_kind_is_kept(sanitize: Sanitize) -> None:
    buffer = io.BytesIO()
    with (
        reading(make_video(seconds=1)) as one,
        reading(make_video(size=(64, 64), seconds=1)) as two,
    ):
        output: Any
        with av.open(buffer, "w", format="mp4") as output:
            streams = {s: output.add_stream_from_template(s) for c in (one, two) for s in c.streams}
            for source in (one, two):
                for packet in source.demux():
                    if packet.dts is not None:
                        packet.stream = streams[packet.stream]
                        output.mux(packet)
    clean = await sanitize(buffer.getvalue())
    assert_playable(clean)
    assert (clean.width, clean.height) == (320, 240)


# content of senders' videos other than pictures and sound -----------------------------------------


def user_data() -> bytes:
    location = box(b"\xa9xyz", struct.pack(">HH", 18, 0x15C7), b"+52.5200+013.4050/CANARY")
    name = box(
        b"meta",
        bytes(4),
        box(b"hdlr", bytes(4), b"\0\0\0\0mdir", bytes(13)),
        box(b"ilst", b"CANARY"),
    )
    return box(b"udta", location, name, box(b"loci", b"CANARY"))


def inserted(source: bytes, extra: bytes, *path: bytes) -> bytes:
    """Return a video with more boxes at the end of the one at the path. The index must come last."""
    data = memoryview(source)
    top = Box(b"", 0, 0, len(source))
    chain = []
    for kind in path:
        top = next(find_boxes(data, top, kind))
        chain.append(top)
    changed = bytearray(source[: top.end] + extra + source[top.end :])
    for each in chain:
        struct.pack_into(">I", changed, each.start, each.end - each.start + len(extra))
    return bytes(changed)


async def test_only_pictures_and_sound_survive(sanitize: Sanitize) -> None:
    source = inserted(make_video(), user_data(), b"moov")
    source = inserted(source, user_data(), b"moov", b"trak")
    source = inserted(source, box(b"uuid", b"CANARY" * 10), b"moov")
    source += (
        box(b"free", b"CANARY")
        + box(b"uuid", b"CANARY")
        + box(b"skip", b"CANARY")
        + b"PK\x03\x04CANARY"
    )
    clean = await sanitize(source)
    assert_playable(clean)
    assert b"+52" not in content(clean, "video")


async def test_media_bytes_without_a_frame_do_not_survive(sanitize: Sanitize) -> None:
    source = make_video()
    top = {each.kind: each for each in walk(memoryview(source), 0, len(source))}
    media = top[b"mdat"]
    grown = bytearray(source[: media.end] + b"CANARY" * 100 + source[media.end :])
    struct.pack_into(">I", grown, media.start, media.end - media.start + 600)
    assert_playable(await sanitize(bytes(grown)))


async def test_messages_between_pictures_do_not_survive(sanitize: Sanitize) -> None:
    """x264 writes its settings there, phones write time codes, and anything else is possible."""
    source = make_video()
    assert b"x264 - core" in source
    assert_playable(await sanitize(source))


async def test_the_encoders_name_is_removed_from_the_sound(sanitize: Sanitize) -> None:
    source = make_video()
    assert b"Lavc" in source
    assert_playable(await sanitize(source))
