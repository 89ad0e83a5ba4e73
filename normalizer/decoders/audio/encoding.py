"""Encoding: numbers become AAC-LC in an MP4 with the index first, which every browser plays and seeks in."""

import mmap
from collections.abc import Callable, Iterator
from fractions import Fraction

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.codec.context import Flags
from av.container import OutputContainer

from normalizer.decoders.video import faststart
from normalizer.decoders.video.file_view import FileView
from normalizer.sound import Form

#: Otherwise libavformat writes its own name, and flushes each packet.
_OPTIONS = {"fflags": "+bitexact", "flush_packets": "0"}
_WRITE_BYTES = 1 << 18

#: Samples in an AAC frame, and frames that are converted at once.
_FRAME, _FRAMES = 1024, 32


def encode(
    numbers: mmap.mmap,
    form: Form,
    bit_rate: int,
    target: int,
    on_progress: Callable[[float], None],
) -> int:
    """Write the file and return its length. Call `on_progress` with the seconds encoded so far."""
    with av.open(
        FileView(target), "w", format="mp4", options=_OPTIONS, buffer_size=_WRITE_BYTES
    ) as output:
        assert isinstance(output, OutputContainer)
        stream: AudioStream = output.add_stream("aac", rate=form.rate)
        encoder = stream.codec_context
        encoder.layout = form.layout
        encoder.bit_rate = bit_rate
        # Without this flag the encoder writes its name into the first frame.
        encoder.flags |= Flags.bitexact
        resampler = AudioResampler("fltp", form.layout, form.rate, frame_size=_FRAME)
        for block in _blocks(numbers, form):
            for frame in resampler.resample(block):
                output.mux(stream.encode(frame))
            on_progress((block.pts or 0) / form.rate if block else 0.0)
        for frame in resampler.resample(None):
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return faststart.move_index_first(target)


def _blocks(numbers: mmap.mmap, form: Form) -> Iterator[AudioFrame]:
    each = _FRAMES * _FRAME * form.frame_bytes
    for start in range(0, len(numbers), each):
        values = np.frombuffer(numbers[start : start + each], np.int16)
        frame = AudioFrame.from_ndarray(values[None, :], format="s16", layout=form.layout)
        frame.sample_rate, frame.time_base = form.rate, Fraction(1, form.rate)
        frame.pts = start // form.frame_bytes
        yield frame
