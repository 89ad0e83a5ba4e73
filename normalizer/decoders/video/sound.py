"""The audio track of a video, decoded and re-encoded as AAC, which every browser plays."""

# PyAV's packets are generic for type checkers only.
from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.codec.context import Flags
from av.container import OutputContainer
from av.packet import Packet

from normalizer.media import MediaRejected

from . import aac
from .packets import is_end, replace_content

#: Rates that every browser plays; others, such as the 8,000 of telephones, become the first.
_RATES = (44100, 48000, 32000, 24000, 22050)

#: No microphone has others. A second of sound with one sample a second would become 44,100 samples.
_MIN_RATE, _MAX_RATE = 4000, 384_000

_BITS_PER_CHANNEL = 64_000

#: Seconds by which the time of a frame may be rounded. A longer silence is kept.
_ROUNDING = Fraction(40, 1000)


class AudioTranscoder:
    """The re-encoder of one audio track. More than `most_seconds` of sound are refused; None sets no limit."""

    def __init__(
        self, source: AudioStream, output: OutputContainer, most_seconds: float | None = None
    ) -> None:
        context = source.codec_context
        rate = context.sample_rate if context.sample_rate in _RATES else _RATES[0]
        layout = "mono" if context.channels == 1 else "stereo"
        self._stream: AudioStream = output.add_stream("aac", rate=rate)
        self._encoder: AudioCodecContext = self._stream.codec_context
        self._encoder.layout = layout
        self._encoder.bit_rate = _BITS_PER_CHANNEL * (1 if layout == "mono" else 2)
        # Without this flag the encoder writes its name into the first frame.
        self._encoder.flags |= Flags.bitexact
        self._resampler = AudioResampler("fltp", layout, rate, frame_size=_FRAME)
        self._decoder = context
        self._next: Fraction | None = None
        self._seconds, self._most_seconds = 0.0, most_seconds

    def packets(self, packet: Packet[AudioStream]) -> Iterator[Packet[AudioStream]]:
        """Yield the packets for a packet of the source; its last packet is empty."""
        for frame in self._decoder.decode(packet):
            if not _MIN_RATE <= frame.sample_rate <= _MAX_RATE:
                raise MediaRejected(
                    "corrupt", f"the sound has {frame.sample_rate} samples a second"
                )
            self._check_length(frame)
            self._align(frame)
            yield from self._encode(frame)
        if is_end(packet):
            yield from self._encode(None)
            yield from self._encode_frame(None)

    def _check_length(self, frame: AudioFrame) -> None:
        """A byte of silence may decode to a tenth of a second, whatever the times of the packets say."""
        self._seconds += frame.samples / frame.sample_rate
        if self._most_seconds is not None and self._seconds > self._most_seconds:
            raise MediaRejected("corrupt", "the sound is longer than its times say")

    def _align(self, frame: AudioFrame) -> None:
        """Let a frame begin where the last one ended, if its own time says nearly the same.

        Many containers round times to a millisecond. Without this, the length of each new frame would jitter.
        """
        rate = frame.sample_rate
        if frame.pts is None or frame.time_base is None:
            return
        start = frame.pts * frame.time_base
        if self._next is not None and abs(start - self._next) <= _ROUNDING:
            start = self._next
        self._next = start + Fraction(frame.samples, rate)
        frame.pts, frame.time_base = round(start * rate), Fraction(1, rate)

    def _encode(self, frame: AudioFrame | None) -> Iterator[Packet[AudioStream]]:
        for part in self._resampler.resample(frame):
            yield from self._encode_frame(part)

    def _encode_frame(self, frame: AudioFrame | None) -> Iterator[Packet[AudioStream]]:
        for packet in self._stream.encode(frame):
            content = aac.filter_frame(memoryview(packet))
            yield packet if content is None else replace_content(packet, content)


#: Samples in an AAC frame.
_FRAME = 1024
