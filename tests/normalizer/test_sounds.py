"""Sound goes in as any recorder writes it, and comes out as AAC in MP4 with its length and its bars."""

import os
import struct
from typing import get_args

import numpy as np
import pytest

from normalizer.media import Limits, MediaRejected
from normalizer.sanitizer import Sanitizer
from simulator.samples.sounds import SoundContainer, encoded, sound, syllables

from .conftest import Sanitize, sanitize_with
from .media_samples import descriptor
from .sound_assertions import assert_facts, assert_plays, content_of, numbers_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONTAINERS: tuple[SoundContainer, ...] = get_args(SoundContainer)


@pytest.mark.parametrize("container", CONTAINERS)
async def test_each_format_becomes_aac_of_the_same_length(
    sanitize: Sanitize, container: SoundContainer
) -> None:
    clean = await sanitize(sound(container, 3.0).content)
    assert (clean.kind, clean.width, clean.height) == ("audio", 0, 0)
    assert_plays(clean, 3.0)
    assert len(set(assert_facts(clean))) > 20


@pytest.mark.parametrize("container", CONTAINERS)
async def test_no_tag_reaches_a_rendition(sanitize: Sanitize, container: SoundContainer) -> None:
    sample = sound(container, 1.0, seed=7)
    assert all(canary in sample.content for canary in sample.canaries)
    content = content_of(await sanitize(sample.content))
    for canary in (*sample.canaries, b"Lavf", b"Lavc", b"LAME"):
        assert canary not in content


@pytest.mark.parametrize("container", ["ogg", "mp4", "mp3", "caf", "wav", "flac", "webm"])
async def test_bytes_after_the_sound_reach_no_rendition(
    sanitize: Sanitize, container: SoundContainer
) -> None:
    archive = b"PK\x03\x04" + b"canary-after-the-sound" * 20
    clean = await sanitize(sound(container, 1.0).content + archive)
    assert_plays(clean, 1.0, tolerance=0.15)
    assert b"canary-after" not in content_of(clean)


@pytest.mark.parametrize(
    ("container", "coding", "rate", "layout", "expected"),
    [
        ("wav", "pcm_s16le", 8_000, "mono", (24_000, 1)),
        ("wav", "pcm_s16le", 16_000, "stereo", (24_000, 2)),
        ("wav", "pcm_s24le", 44_100, "stereo", (44_100, 2)),
        ("wav", "pcm_f32le", 96_000, "mono", (48_000, 1)),
        ("wav", "adpcm_ima_wav", 22_050, "mono", (24_000, 1)),
        ("wav", "pcm_mulaw", 8_000, "mono", (24_000, 1)),
        ("flac", "flac", 48_000, "5.1", (48_000, 2)),
        ("mov", "alac", 44_100, "stereo", (44_100, 2)),
        ("mp4", "libopus", 48_000, "mono", (48_000, 1)),
    ],
)
async def test_rate_and_channels_follow_those_of_the_source(
    sanitize: Sanitize,
    container: str,
    coding: str,
    rate: int,
    layout: str,
    expected: tuple[int, int],
) -> None:
    clean = await sanitize(encoded(syllables(1.0, rate), container, coding, rate, layout))
    content = content_of(clean)
    _, made_rate = numbers_of(content)
    assert_plays(clean, 1.0)
    assert (made_rate, _channels(content)) == expected


def _channels(content: bytes) -> int:
    at = content.index(b"mp4a") + 4 + 16
    return int(struct.unpack_from(">H", content, at)[0])


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
async def test_the_padding_of_the_last_frame_is_left_out(sanitize: Sanitize, rate: int) -> None:
    clean = await sanitize(encoded(syllables(2.0, rate), "ipod", "aac", rate))
    assert_plays(clean, 2.0, tolerance=0.002)
    assert_facts(clean)


async def test_the_bars_rise_and_fall_with_the_sound(sanitize: Sanitize) -> None:
    rate = 16_000
    loud, quiet = np.full(rate, 8000), np.full(rate, 800)
    tone = np.sin(2 * np.pi * 200 * np.arange(2 * rate) / rate)
    wave = (np.concatenate([loud, quiet]) * tone).astype(np.int16)
    clean = await sanitize(encoded(wave, "wav", "pcm_s16le", rate))
    waveform = assert_facts(clean)
    assert min(waveform[:31]) > 240
    assert 20 <= min(waveform[33:]) <= max(waveform[33:]) <= 30


async def test_silence_has_bars_of_nothing(sanitize: Sanitize) -> None:
    clean = await sanitize(encoded(np.zeros(16_000, np.int16), "wav", "pcm_s16le", 16_000))
    assert clean.facts is not None
    assert clean.facts["waveform"] == [0] * 64


async def test_fewer_samples_than_bars_are_shown(sanitize: Sanitize) -> None:
    clean = await sanitize(encoded(syllables(1.0, 16_000)[2000:2040], "wav", "pcm_s16le", 16_000))
    assert clean.duration_seconds is not None
    assert clean.duration_seconds < 0.01


async def test_a_long_sound_is_made_safe_patiently(sanitize: Sanitize) -> None:
    clean = await sanitize(encoded(syllables(75.0, 8_000), "amr", "libopencore_amrnb", 8_000))
    assert_plays(clean, 75.0)


@pytest.mark.parametrize("container", ["mp4", "3gp"])
async def test_an_mp4_without_pictures_is_sound(
    sanitize: Sanitize, container: SoundContainer
) -> None:
    assert (await sanitize(sound(container, 1.0).content)).kind == "audio"


async def test_limits_of_length_and_size_apply() -> None:
    limits = Limits(audio_max_seconds=2.0, audio_max_bytes=60_000)
    sanitizer = Sanitizer(limits, sandboxes=1)
    await sanitizer.start()
    try:
        call = sanitize_with(sanitizer)
        assert_plays(await call(sound("ogg", 1.9).content), 1.9)
        for sample, reason in ((sound("ogg", 2.2), "too_long"), (sound("wav", 2.0), "too_large")):
            with pytest.raises(MediaRejected) as refused:
                await call(sample.content)
            assert refused.value.reason == reason
    finally:
        await sanitizer.close()


async def test_the_original_is_never_written(sanitizer: Sanitizer) -> None:
    content = sound("mp3", 1.0).content
    source = descriptor(content)
    try:
        await sanitizer.sanitize(source)
        assert os.pread(source, len(content) + 1, 0) == content
    finally:
        os.close(source)
