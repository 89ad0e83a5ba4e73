"""Sounds that few programs write: AMR wideband, made bit by bit because no encoder is free, and Windows Media."""

import io

import av
import numpy as np
import pytest
from av.audio.stream import AudioStream
from av.container import InputContainer

from simulator.samples.sounds import syllables

from .conftest import Sanitize
from .sound_assertions import assert_facts, assert_plays, content_of, numbers_of
from .sound_files import wideband_amr

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: Half a second each of speech, of silence that is described, and of nothing, as a phone that saves battery records.
TALK = ["speech"] * 25 + ["silence"] + ["nothing"] * 49 + ["speech"] * 25


def in_3gp(content: bytes) -> bytes:
    file = io.BytesIO()
    with (
        av.open(io.BytesIO(content), "r", format="amr") as source,
        av.open(file, "w", "3gp") as made,
    ):
        assert isinstance(source, InputContainer)
        stream = made.add_stream_from_template(source.streams.audio[0])
        assert isinstance(stream, AudioStream)
        for packet in source.demux(source.streams.audio[0]):
            if packet.size:
                packet.stream = stream
                made.mux(packet)
    return file.getvalue()


@pytest.mark.parametrize("wrap", [bytes, in_3gp], ids=["amr", "3gp"])
async def test_wideband_amr_keeps_its_length_with_silence(
    sanitize: Sanitize, wrap: type[bytes]
) -> None:
    clean = await sanitize(wrap(wideband_amr(*TALK)))
    assert_plays(clean, len(TALK) / 50, tolerance=0.03)
    assert_facts(clean)
    numbers, rate = numbers_of(content_of(clean))
    # The noise of a silence is random, too; speech is on both sides of it.
    assert min(np.abs(part).mean() for part in (numbers[: rate // 2], numbers[-rate // 2 :])) > 0.01


async def test_wideband_amr_of_silence_alone_is_complete(sanitize: Sanitize) -> None:
    clean = await sanitize(wideband_amr(*["nothing"] * 500))
    assert clean.duration_seconds == pytest.approx(10.0, abs=0.03)
    assert clean.facts is not None
    assert clean.facts["complete"] is True


async def test_wideband_amr_that_is_cut_off_plays(sanitize: Sanitize) -> None:
    clean = await sanitize(wideband_amr(*["speech"] * 100)[:-20])
    assert_plays(clean, 99 / 50, tolerance=0.05)


def windows_media(coding: str, seconds: float, canary: str) -> bytes:
    file, rate = io.BytesIO(), 44_100
    with av.open(file, "w", format="asf") as made:
        made.metadata.update({"title": canary, "comment": canary})
        stream = made.add_stream(coding, rate=rate, layout="mono")
        assert isinstance(stream, AudioStream)
        stream.bit_rate = 64_000
        frame = av.AudioFrame.from_ndarray(syllables(seconds, rate)[None, :], "s16", "mono")
        frame.sample_rate = rate
        resampler = av.AudioResampler("fltp", "mono", rate, frame_size=2048)
        for each in (*resampler.resample(frame), *resampler.resample(None)):
            made.mux(stream.encode(each))
        made.mux(stream.encode(None))
    return file.getvalue()


@pytest.mark.parametrize("coding", ["wmav1", "wmav2"])
async def test_windows_media_sound_is_shown(sanitize: Sanitize, coding: str) -> None:
    made, hidden = windows_media(coding, 2.0, "canary-wma"), "canary-wma".encode("utf-16-le")
    assert hidden in made
    clean = await sanitize(made)
    assert_plays(clean, 2.0, tolerance=0.15)
    assert hidden not in content_of(clean)
    assert b"canary-wma" not in content_of(clean)
