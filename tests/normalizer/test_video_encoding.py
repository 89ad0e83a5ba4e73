"""Videos that browsers do not play are encoded, and photos do not wait for that."""

import asyncio
import os

import numpy as np
import pytest

from normalizer.media import Clean, Limits, MediaRejected
from normalizer.sanitizer import Sanitizer, Stage

from .assertions import alike, assert_upright, colour, shown
from .conftest import Sanitize, sanitize_with
from .media_samples import descriptor, make_video
from .video_assertions import assert_playable, frames, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")

PQ, HLG, BT2020 = 16, 18, 9


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
    video = make_video(codec="mpeg4", size=(1280, 720), seconds=2)
    slow = [asyncio.create_task(sanitize(video)) for _ in range(6)]
    await asyncio.sleep(0.3)
    from .media_samples import encoded, quadrants

    await asyncio.gather(*(sanitize(encoded(quadrants())) for _ in range(4)))
    assert not all(task.done() for task in slow)
    assert all(isinstance(clean, Clean) for clean in await asyncio.gather(*slow))
