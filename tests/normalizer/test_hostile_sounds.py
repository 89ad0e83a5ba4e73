"""Sound made to cost time or memory, to hide something, or to lie about its length; and sound that is damaged."""

import asyncio
import os
import time
from typing import get_args

import numpy as np
import pytest

from bench import sanitize_sandbox as measurements
from normalizer.decoders.audio import form as forms
from normalizer.decoders.audio import job
from normalizer.isobmff import Broken
from normalizer.media import Clean, MediaFailed, MediaRejected
from normalizer.renditions import audio, mp4_audit
from normalizer.sandbox.job import JobRequest
from normalizer.sanitizer import Sanitizer
from normalizer.sound import Form
from simulator.samples.sounds import SoundContainer, encoded, sound, syllables

from .conftest import Sanitize
from .media_samples import box, make_video
from .sound_assertions import assert_facts, assert_plays, content_of
from .sound_files import id3, silent_amr, silent_flac, wav
from .video_assertions import rejection_reason

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONTAINERS: tuple[SoundContainer, ...] = get_args(SoundContainer)

#: A cell that decodes or encodes sound.
_MAX_CELL_BYTES = 256 << 20


# bombs --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bomb",
    [silent_amr(20_000), silent_flac(3 * 3600)],
    ids=["a megabyte of silent AMR", "three hours of silent FLAC"],
)
async def test_hours_of_silence_are_refused_while_decoding(
    sanitizer: Sanitizer, sanitize: Sanitize, bomb: bytes
) -> None:
    assert len(bomb) < 2_500_000
    start = time.monotonic()
    assert await rejection_reason(sanitize, bomb) == "too_long"
    assert time.monotonic() - start < 60
    assert measurements.most_memory(sanitizer) <= _MAX_CELL_BYTES


async def test_short_sound_does_not_wait_for_long_sound(sanitize: Sanitize) -> None:
    bombs = [asyncio.create_task(sanitize(silent_amr(20_000))) for _ in range(4)]
    await asyncio.sleep(0.5)
    start = time.monotonic()
    assert_plays(await sanitize(sound("ogg", 1.0).content), 1.0)
    assert time.monotonic() - start < 5
    for bomb in bombs:
        bomb.cancel()
    await asyncio.gather(*bombs, return_exceptions=True)


async def test_sound_that_takes_long_is_made_safe_patiently(
    sanitize: Sanitize, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audio, "_SECONDS", {"quick": 0.001, "slow": 60.0})
    assert_plays(await sanitize(sound("mp3", 20.0).content), 20.0)


async def test_sound_that_takes_too_long_is_refused(
    sanitize: Sanitize, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audio, "_SECONDS", {"quick": 0.001, "slow": 0.001})
    assert await rejection_reason(sanitize, sound("mp3", 20.0).content) == "too_long"


@pytest.mark.parametrize("rate", [1, 3_999, 384_001, 1_000_000])
async def test_rates_that_no_recorder_has_are_corrupt(sanitize: Sanitize, rate: int) -> None:
    assert await rejection_reason(sanitize, wav(rate, max(0.2, 2000 / rate))) == "corrupt"


@pytest.mark.parametrize("rate", [4_000, 384_000])
async def test_the_lowest_and_highest_rates_are_shown(sanitize: Sanitize, rate: int) -> None:
    assert_plays(await sanitize(wav(rate, 1.0)), 1.0)


async def test_hundreds_of_channels_are_corrupt(sanitize: Sanitize) -> None:
    assert await rejection_reason(sanitize, wav(8_000, 0.2, channels=300)) == "corrupt"


# length -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claim", "complete"), [(2_000_000_000, False), (0, True), (0xFFFFFFFF, True)]
)
async def test_the_length_is_what_came_out(sanitize: Sanitize, claim: int, complete: bool) -> None:
    clean = await sanitize(wav(16_000, 1.0, claim=claim))
    assert_plays(clean, 1.0)
    assert_facts(clean, complete=complete)


async def test_a_chained_ogg_is_shown_to_its_end(sanitize: Sanitize) -> None:
    clean = await sanitize(sound("ogg", 2.0).content + sound("ogg", 3.0, seed=2).content)
    assert_plays(clean, 5.0)
    assert_facts(clean)


async def test_sound_that_changes_its_rate_is_shown(sanitize: Sanitize) -> None:
    first = encoded(syllables(1.0, 44_100), "adts", "aac", 44_100)
    second = encoded(syllables(1.0, 24_000), "adts", "aac", 24_000, "stereo")
    assert_plays(await sanitize(first + second), 2.0, tolerance=0.2)


async def test_silence_between_words_of_amr_keeps_its_length(sanitize: Sanitize) -> None:
    words = sound("amr", 1.0).content
    clean = await sanitize(words + silent_amr(10.0)[6:] + words[6:])
    assert_plays(clean, 12.0)
    assert_facts(clean)


async def test_sound_beyond_the_budget_is_kept_in_a_smaller_form(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = encoded(syllables(3.0, 44_100), "adts", "aac", 44_100, "stereo")
    for module in (job, forms):
        monkeypatch.setattr(module, "MAX_BYTES", 150_000)
    source, target = os.memfd_create("source"), os.memfd_create("target")
    os.write(source, content)
    message = {"bytes": len(content), "format": "aac", "seconds": 60, "quick": False}
    result = job.audio(JobRequest(message, [source, target], lambda _: None))
    assert (result["rate"], result["channels"], result["complete"]) == (24_000, 1, True)
    assert abs(Form(24_000, 1).seconds(result["bytes"]) - 3.0) < 0.1
    for file in (source, target):
        os.close(file)


@pytest.mark.parametrize(
    ("rate", "channels", "seconds", "best"),
    [
        (48_000, 2, 60, Form(48_000, 2)),
        (48_000, 2, 1_500, Form(48_000, 1)),
        (48_000, 6, 1_500, Form(48_000, 1)),
        (96_000, 1, 3_000, Form(24_000, 1)),
        (44_100, 1, 7_200, Form(16_000, 1)),
        (8_000, 1, 60, Form(24_000, 1)),
    ],
)
async def test_the_best_form_that_fits_is_tried_first(
    rate: int, channels: int, seconds: float, best: Form
) -> None:
    found = list(forms.forms(forms.Origin(rate, channels), seconds))
    assert found[0] == best
    assert found[-1] == Form(16_000, 1)


# damage -------------------------------------------------------------------------------------------

#: Formats of which half does not say how much is missing.
_UNAWARE = frozenset({"amr", "aac"})


@pytest.mark.parametrize("container", sorted(set(CONTAINERS) - {"m4a", "mp4", "3gp"}))
async def test_half_a_file_is_shown_as_incomplete(
    sanitize: Sanitize, container: SoundContainer
) -> None:
    whole = sound(container, 4.0).content
    clean = await sanitize(whole[: len(whole) // 2])
    assert_plays(clean, 2.0, tolerance=0.7)
    assert_facts(clean, complete=container in _UNAWARE)


async def test_half_an_mp4_with_its_index_first_is_incomplete(sanitize: Sanitize) -> None:
    made = content_of(await sanitize(sound("ogg", 4.0).content))
    clean = await sanitize(made[: len(made) // 2])
    assert_plays(clean, 2.0, tolerance=0.3)
    assert_facts(clean, complete=False)


@pytest.mark.parametrize("container", ["m4a", "mp4", "3gp"])
async def test_an_mp4_without_its_index_is_corrupt(
    sanitize: Sanitize, container: SoundContainer
) -> None:
    whole = sound(container, 2.0).content
    assert await rejection_reason(sanitize, whole[: len(whole) // 2]) == "corrupt"


@pytest.mark.parametrize("container", ["ogg", "aac", "mp3", "flac", "webm", "mp4"])
async def test_a_file_of_which_a_third_is_noise_is_incomplete(
    sanitize: Sanitize, container: SoundContainer
) -> None:
    whole = sound(container, 6.0).content
    third = len(whole) // 3
    noise = np.random.default_rng(3).bytes(third)
    clean = await sanitize(whole[:third] + noise + whole[2 * third :])
    assert_plays(clean, 4.0, tolerance=1.5)
    assert_facts(clean, complete=False)


async def test_a_few_damaged_packets_are_left_out(sanitize: Sanitize) -> None:
    whole = bytearray(sound("flac", 10.0).content)
    middle = len(whole) // 2
    whole[middle : middle + 300] = bytes(300)
    clean = await sanitize(bytes(whole))
    assert_plays(clean, 10.0, tolerance=0.5)
    assert_facts(clean)


@pytest.mark.parametrize(
    "content",
    [
        b"OggS" + bytes(2000),
        b"fLaC\x00" + bytes(2000),
        b"caff\x00\x01" + bytes(2000),
        b"RIFF\x00\x00\x00\x00WAVE" + bytes(2000),
        b"#!AMR\n",
        b"\x1a\x45\xdf\xa3" + bytes(2000),
        id3(bytes(4000)),
        id3(bytes(4000)) + bytes(3000),
        b"ID3\x03\0\0\x7f\x7f\x7f\x7f" + bytes(3000),
        wav(16_000, 0.0),
    ],
    ids=["ogg", "flac", "caf", "wav", "amr", "webm", "id3", "id3 and zeros", "id3 of 256 MB", "no samples"],
)  # fmt: skip
async def test_files_without_any_sound_are_corrupt(sanitize: Sanitize, content: bytes) -> None:
    assert await rejection_reason(sanitize, content) == "corrupt"


# what is hidden -----------------------------------------------------------------------------------


async def test_a_song_with_a_cover_is_sound(sanitize: Sanitize) -> None:
    sample = sound("mp3", 1.0)
    assert (await sanitize(sample.content)).kind == "audio"


async def test_flac_behind_a_tag_is_shown(sanitize: Sanitize) -> None:
    clean = await sanitize(id3(b"canary" * 900) + sound("flac", 1.0).content)
    assert_plays(clean, 1.0)
    assert b"canary" not in content_of(clean)


async def test_sound_in_another_file_is_not_opened(sanitize: Sanitize) -> None:
    whole = sound("mp4", 1.0).content
    entry = box(b"url ", b"\0\0\0\1")
    elsewhere = box(b"url ", b"\0\0\0\0")
    assert entry in whole
    assert await rejection_reason(sanitize, whole.replace(entry, elsewhere)) == "unsupported_type"


async def test_encrypted_sound_is_unsupported(sanitize: Sanitize) -> None:
    whole = sound("mp4", 1.0).content
    assert await rejection_reason(sanitize, whole.replace(b"mp4a", b"enca")) == "unsupported_type"


# a decoder that was taken over --------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        {"bytes": 2000, "rate": 48_000, "channels": 1},
        {"bytes": 0, "rate": 48_000, "channels": 1},
        {"bytes": "1", "rate": 48_000, "channels": 1},
        {"bytes": 1000, "rate": 1, "channels": 1},
        {"bytes": 1000, "rate": 48_000, "channels": 3},
        {"bytes": 1000, "rate": [], "channels": 1},
        {"bytes": 1000},
        {},
    ],
)
async def test_an_invalid_description_of_the_numbers_fails(answer: dict[str, object]) -> None:
    file = os.memfd_create("numbers")
    os.write(file, bytes(1000))
    with pytest.raises(MediaFailed):
        audio._parse_numbers(answer, file)
    os.close(file)


@pytest.mark.parametrize(
    "waveform", [None, [], [0] * 63, [0] * 63 + [256], [0] * 63 + [-1], [0.5] * 64, [True] * 64]
)
async def test_an_invalid_waveform_fails(waveform: object) -> None:
    file = os.memfd_create("audio")
    os.write(file, bytes(1000))
    with pytest.raises(MediaFailed):
        audio._parse_encoded({"bytes": 1000, "waveform": waveform}, file)
    os.close(file)


async def test_a_video_does_not_pass_as_sound_nor_sound_as_a_video(sanitize: Sanitize) -> None:
    made = content_of(await sanitize(sound("ogg", 1.0).content))
    assert mp4_audit.audit(memoryview(made), mp4_audit.SOUND).tracks == 1
    with pytest.raises(Broken):
        mp4_audit.audit(memoryview(made))
    shown = await sanitize(make_video(seconds=0.4))
    content = bytes(next(each.content for each in shown.renditions if each.name == "video"))
    with pytest.raises(Broken):
        mp4_audit.audit(memoryview(content), mp4_audit.SOUND)


# mutations ----------------------------------------------------------------------------------------

COUNT = int(os.environ.get("AIRLOCK_MUTATIONS", "16"))

_ALLOWED = frozenset({"ready", "corrupt", "unsupported_type", "too_long"})
_WORDS = b"canary-sound"


@pytest.mark.parametrize("container", CONTAINERS)
async def test_no_mutation_makes_a_sound_harmful(
    sanitizer: Sanitizer, sanitize: Sanitize, container: SoundContainer
) -> None:
    source = sound(container, 1.0).content
    for number in range(COUNT):
        random = np.random.default_rng((number, len(container)))
        mutated = bytearray(source)
        for _ in range(int(random.integers(1, 6))):
            # Most headers are at the start.
            end = 400 if random.random() < 0.6 else len(mutated)
            mutated[int(random.integers(4, end))] = int(random.integers(256))
        assert await outcome(sanitize, bytes(mutated)) in _ALLOWED
    assert sanitizer.ready
    assert measurements.most_memory(sanitizer) <= _MAX_CELL_BYTES


async def outcome(sanitize: Sanitize, content: bytes) -> str:
    try:
        clean = await sanitize(content)
    except MediaRejected as refusal:
        return refusal.reason
    assert_harmless(clean)
    return "ready"


def assert_harmless(clean: Clean) -> None:
    for each in clean.renditions:
        assert _WORDS not in bytes(each.content)
        if each.name == "audio":
            mp4_audit.audit(memoryview(bytes(each.content)), mp4_audit.SOUND)
