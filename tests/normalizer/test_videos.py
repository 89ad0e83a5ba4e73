"""Videos of all kinds become MP4s that browsers play, with an upright first frame and nothing else in them."""

import asyncio
import io
import os
import struct
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest

from normalizer.isobmff import Box, Broken, find_boxes, walk
from normalizer.media import Clean, Limits, MediaRejected
from normalizer.renditions.mp4_audit import audit
from normalizer.sanitizer import Sanitizer, Stage

from .assertions import alike, assert_bare, assert_upright, colour, content, rendition, shown
from .conftest import Sanitize, sanitize_with
from .media_samples import CORNERS, box, descriptor, make_video

pytestmark = pytest.mark.asyncio(loop_scope="module")

PQ, HLG, BT2020 = 16, 18, 9


def opened(clean: Clean) -> Any:
    return reading(content(clean, "video"))


def reading(data: bytes) -> Any:
    return av.open(io.BytesIO(data))


def tracks(clean: Clean) -> list[tuple[str, str]]:
    with opened(clean) as container:
        return [
            (stream.type, stream.codec_context.codec.canonical_name) for stream in container.streams
        ]


def frames(clean: Clean) -> list[np.ndarray[Any, Any]]:
    with opened(clean) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def assert_playable(clean: Clean, *, sound: bool = True) -> None:
    """Assert that Chromium, Firefox and Safari play the video: index first, without an unneeded byte."""
    data = content(clean, "video")
    audit(memoryview(data))
    assert [each.kind for each in walk(memoryview(data), 0, len(data))] == [
        b"ftyp",
        b"moov",
        b"mdat",
    ]
    assert tracks(clean) == [("video", "h264"), *([("audio", "aac")] if sound else [])]
    with opened(clean) as container:
        assert next(container.decode(video=0)).format.name in {"yuv420p", "yuvj420p"}
    for signature in (b"Lavf", b"Lavc", b"x264", b"x265", b"udta", b"meta", b"CANARY"):
        assert signature not in data[: data.index(b"mdat")], signature
    for signature in (b"Lavf", b"Lavc", b"x264 - core", b"CANARY"):
        assert signature not in data, signature
    assert_bare(clean)


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


@pytest.mark.parametrize(
    ("codec", "pixel_format", "container"),
    [
        ("libx265", "yuv420p", "mov"),
        ("libx265", "yuv420p10le", "mp4"),
        ("libx264", "yuv422p10le", "mp4"),
        ("libx264", "yuv444p", "mp4"),
        ("mpeg4", "yuv420p", "3gp"),
        ("h263", "yuv420p", "3gp"),
        ("prores_ks", "yuv422p10le", "mov"),
        ("mjpeg", "yuvj420p", "mov"),
        ("libvpx-vp9", "yuv420p", "mp4"),
    ],
)
async def test_other_codings_are_encoded_as_h264(
    sanitize: Sanitize, codec: str, pixel_format: str, container: str
) -> None:
    quiet = {"x265-params": "log-level=none"} if codec == "libx265" else None
    source = make_video(
        codec=codec,
        pixel_format=pixel_format,
        container=container,
        size=(352, 288),
        codec_options=quiet,
    )
    clean = await sanitize(source)
    assert_playable(clean)
    assert_upright(shown(clean, "poster"), 40)
    assert len(frames(clean)) == 25
    assert clean.duration_seconds == pytest.approx(1.0, abs=0.1)
    with opened(clean) as made:
        assert_upright(next(made.decode(video=0)).to_image(), 40)


@pytest.mark.parametrize(
    ("audio", "container", "rate"),
    [
        ("libopencore_amrnb", "3gp", 8000),
        ("pcm_s16le", "mov", 44100),
        ("libmp3lame", "mp4", 44100),
        ("libopus", "mp4", 48000),
        ("alac", "mov", 44100),
    ],
)
async def test_other_sounds_become_aac(
    sanitize: Sanitize, audio: str, container: str, rate: int
) -> None:
    source = make_video(audio=audio, container=container, sample_rate=rate, seconds=2)
    clean = await sanitize(source)
    assert_playable(clean)
    assert len(frames(clean)) == 50
    with opened(clean) as made:
        samples = np.concatenate([f.to_ndarray()[0] for f in made.decode(audio=0)])
        rate = made.streams.audio[0].rate
    assert len(samples) / rate == pytest.approx(2.0, abs=0.15)
    spectrum = np.abs(np.fft.rfft(samples))
    assert np.argmax(spectrum) * rate / len(samples) == pytest.approx(440, abs=15)


@pytest.mark.parametrize("transfer", [PQ, HLG])
async def test_high_dynamic_range_is_tone_mapped(sanitize: Sanitize, transfer: int) -> None:
    source = make_video(
        codec="libx265",
        pixel_format="yuv420p10le",
        colours=(BT2020, transfer, BT2020),
        container="mov",
        codec_options={"x265-params": "log-level=none"},
        seconds=0.4,
    )
    clean = await sanitize(source)
    assert_playable(clean)
    poster = shown(clean, "poster")
    with opened(clean) as made:
        frame = next(made.decode(video=0))
        assert (frame.color_trc, frame.color_primaries) == (1, 1)
        seen = frame.to_image()
    for x, y in ((0.25, 0.25), (0.75, 0.25), (0.75, 0.75)):
        assert alike(colour(poster, x, y), colour(seen, x, y), 30)
    # Red stays the reddest, green the greenest, blue the bluest.
    for (x, y), channel in (((0.25, 0.25), 0), ((0.75, 0.25), 1), ((0.75, 0.75), 2)):
        found = colour(poster, x, y)
        assert max(range(3), key=lambda c: found[c]) == channel, found


async def test_transcode_always_encodes_every_video() -> None:
    running = Sanitizer(Limits(transcode="always"), sandboxes=1)
    await running.start()
    reports: list[tuple[Stage, float | None]] = []
    source = descriptor(make_video(seconds=2))
    try:
        clean = await running.sanitize(source, progress=lambda *report: reports.append(report))
    finally:
        os.close(source)
        await running.close()
    assert_playable(clean)
    assert len(frames(clean)) == 50
    assert {stage for stage, _ in reports} == {"making_safe"}
    assert all(0 <= share <= 1 for _, share in reports if share is not None)


async def test_a_video_that_is_too_long_is_refused() -> None:
    running = Sanitizer(Limits(video_max_seconds=1.5), sandboxes=1)
    await running.start()
    try:
        with pytest.raises(MediaRejected) as refusal:
            await sanitize_with(running)(make_video(seconds=2))
    finally:
        await running.close()
    assert refusal.value.reason == "too_long"


async def test_photos_do_not_wait_for_encoding_videos(sanitize: Sanitize) -> None:
    slow = [
        asyncio.create_task(sanitize(make_video(codec="mpeg4", size=(1280, 720), seconds=2)))
        for _ in range(3)
    ]
    await asyncio.sleep(0.3)
    from .media_samples import encoded, quadrants

    await asyncio.gather(*(sanitize(encoded(quadrants())) for _ in range(4)))
    assert not all(task.done() for task in slow)
    assert all(isinstance(clean, Clean) for clean in await asyncio.gather(*slow))


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


# files that are not videos, or not whole ----------------------------------------------------------


async def rejection_reason(sanitize: Sanitize, source: bytes) -> str:
    with pytest.raises(MediaRejected) as refusal:
        await sanitize(source)
    return refusal.value.reason


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("flags", ["", "faststart", "frag_keyframe+empty_moov"])
async def test_a_truncated_video_is_corrupt(sanitize: Sanitize, share: float, flags: str) -> None:
    source = make_video(options={"movflags": flags} if flags else {}, codec_options={"g": "5"})
    assert await rejection_reason(sanitize, source[: int(len(source) * share)]) == "corrupt"


async def test_data_in_another_file_is_never_read(sanitize: Sanitize) -> None:
    source = make_video(audio=None)
    reference = box(b"url ", struct.pack(">I", 1))
    assert reference in source
    outside = box(b"url ", struct.pack(">I", 0))
    assert (
        await rejection_reason(sanitize, source.replace(reference, outside)) == "unsupported_type"
    )


async def test_sound_alone_is_not_a_video(sanitize: Sanitize) -> None:
    buffer = io.BytesIO()
    with reading(make_video()) as source:
        output: Any
        with av.open(buffer, "w", format="ipod") as output:
            stream = output.add_stream_from_template(source.streams.audio[0])
            for packet in source.demux(audio=0):
                if packet.dts is not None:
                    packet.stream = stream
                    output.mux(packet)
    assert await rejection_reason(sanitize, buffer.getvalue()) == "unsupported_type"


async def test_an_index_that_claims_millions_of_frames_is_refused(sanitize: Sanitize) -> None:
    source = bytearray(make_video(audio=None))
    at = source.index(b"stsz")
    struct.pack_into(">II", source, at + 8, 1, 0x7FFFFFFF)
    assert await rejection_reason(sanitize, bytes(source)) == "corrupt"


async def test_endless_nested_boxes_are_refused(sanitize: Sanitize) -> None:
    deep = b""
    for _ in range(3000):
        deep = box(b"moov", box(b"trak", deep))[:100_000]
    assert (
        await rejection_reason(sanitize, box(b"ftyp", b"isom", bytes(4)) + deep + box(b"mdat"))
        == "corrupt"
    )
    many = box(b"ftyp", b"isom", bytes(4)) + box(b"free") * 1_000_000
    assert await rejection_reason(sanitize, many) == "corrupt"


@pytest.mark.parametrize("damage", range(12))
async def test_damage_anywhere_affects_only_the_video(sanitize: Sanitize, damage: int) -> None:
    source = bytearray(make_video(seconds=0.4))
    random = np.random.default_rng(damage)
    for _ in range(8):
        source[int(random.integers(8, len(source)))] = int(random.integers(256))
    try:
        clean = await sanitize(bytes(source))
    except MediaRejected:
        return
    audit(memoryview(content(clean, "video")))


# the audit outside the sandbox --------------------------------------------------------------------


def forged(source: bytes, old: bytes, new: bytes) -> bytes:
    assert old in source
    return source.replace(old, new)


async def test_the_audit_refuses_output_of_a_compromised_sandbox(sanitize: Sanitize) -> None:
    good = content(await sanitize(make_video()), "video")
    audit(memoryview(good))
    top = {each.kind: each for each in walk(memoryview(good), 0, len(good))}
    index = good[top[b"moov"].start : top[b"moov"].end]
    bad = {
        "trailing bytes": good + b"CANARY",
        "a box more": good + box(b"free", b"CANARY"),
        "index last": good[: top[b"moov"].start] + good[top[b"mdat"].start :] + index,
        "a name": forged(good, b"VideoHandler", b"CANARYHandle"),
        "another coding": forged(good, b"avc1\0\0\0\0", b"hvc1\0\0\0\0"),
        "another box": forged(good, b"stsz", b"free"),
        "an encoder's name": good.replace(
            bytes(31) + b"\0\x18\xff\xff", b"CANARY".ljust(32, b"\0") + b"\x18\xff\xff"
        ),
        "cut": good[:-1],
        "nothing": b"",
    }
    assert bad["an encoder's name"] != good
    for name, data in bad.items():
        with pytest.raises(Broken):
            audit(memoryview(data))
            pytest.fail(name)


async def test_a_finished_video_cannot_be_changed(sanitize: Sanitize) -> None:
    made = rendition(await sanitize(make_video()), "video").content
    with pytest.raises(TypeError):
        made[0:4] = b"xxxx"  # type: ignore[index]


# videos that are not what they seem ---------------------------------------------------------------


async def test_an_unknown_box_before_the_index_hides_nothing(sanitize: Sanitize) -> None:
    source = make_video(options={"movflags": "faststart"})
    at = source.index(b"moov") - 4
    extra = box(b"beam", b"CANARY") + box(b"loop", bytes(4))
    # Offsets count from the start of the file.
    moved = bytearray(source[:at] + extra + source[at:])
    for found in find_boxes(
        memoryview(moved),
        Box(b"", 0, 0, len(moved)),
        *(b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stco"),
    ):
        (count,) = struct.unpack_from(">I", moved, found.body + 4)
        for place in range(found.body + 8, found.body + 8 + 4 * count, 4):
            (offset,) = struct.unpack_from(">I", moved, place)
            struct.pack_into(">I", moved, place, offset + len(extra))
    clean = await sanitize(bytes(moved))
    assert_playable(clean)
    assert b"CANARY" not in content(clean, "video")


@pytest.mark.parametrize(("plain", "locked"), [(b"avc1", b"encv"), (b"mp4a", b"enca")])
async def test_an_encrypted_video_is_refused(
    sanitize: Sanitize, plain: bytes, locked: bytes
) -> None:
    source = bytearray(make_video())
    at = source.index(plain, source.index(b"stsd"))
    source[at : at + 4] = locked
    assert await rejection_reason(sanitize, bytes(source)) == "unsupported_type"
