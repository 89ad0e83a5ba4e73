"""Decoding: from packets to numbers. What does not decode is left out and counted; the rest is kept."""

# PyAV's packets are generic for type checkers only.
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.packet import Packet

from normalizer.media import MediaRejected
from normalizer.sound import Form

from .source import SoundSource

#: No microphone has others. A second of sound with one sample a second would become 48,000 samples.
_MIN_RATE, _MAX_RATE = 4000, 384_000

#: Errors of the container after which reading goes on. Each may cost a search through the rest of the file.
_MAX_GAPS = 100


@dataclass(slots=True)
class Tally:
    """Packets that were read, those that did not decode, and the seconds that these would have been."""

    packets: int = 0
    bytes: int = 0
    lost: int = 0
    lost_seconds: float = 0.0
    #: Errors of the container. Each stands for a packet at least; the last one may be its end.
    gaps: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether less than a tenth is missing."""
        missing = self.lost + max(0, self.gaps - 1)
        return missing * 10 < self.packets


def decoded(source: SoundSource, tally: Tally) -> Iterator[AudioFrame]:
    """Yield the sound of the track in frames. Raise MediaRejected for rates that no recorder has."""
    for packet in _packets(source, tally):
        if packet.size:
            tally.packets += 1
            tally.bytes += packet.size
        try:
            frames = source.decoder.decode(packet)
        except av.FFmpegError as exc:
            _count_lost(packet, exc, tally)
            continue
        for frame in frames:
            if not _MIN_RATE <= frame.sample_rate <= _MAX_RATE:
                detail = f"the sound has {frame.sample_rate} samples a second"
                raise MediaRejected("corrupt", detail)
            # Only samples count: times may step back, or be missing.
            frame.pts = None
            yield frame


def _packets(source: SoundSource, tally: Tally) -> Iterator[Packet[AudioStream]]:
    """Yield packets, also after damage in the container. An error after which no packet follows is an end."""
    for _ in range(_MAX_GAPS):
        before = tally.packets
        try:
            yield from source.container.demux(source.track)
        except av.FFmpegError as exc:
            _refuse_without_memory(exc)
        else:
            return
        if tally.packets == before:
            break
        tally.gaps += 1
    # The frames that the decoder still holds.
    yield cast("Packet[AudioStream]", Packet())


def _count_lost(packet: Packet[AudioStream], exc: av.FFmpegError, tally: Tally) -> None:
    _refuse_without_memory(exc)
    tally.lost += 1
    if packet.duration and packet.time_base:
        tally.lost_seconds += float(packet.duration * packet.time_base)


def _refuse_without_memory(exc: av.FFmpegError) -> None:
    """A sandbox without memory cannot tell what is wrong with the file."""
    if isinstance(exc, MemoryError):
        raise exc


class Converter:
    """Converts frames to numbers in one form, also where a file changes its rate or its channels."""

    def __init__(self, form: Form) -> None:
        self._form = form
        self._resampler: AudioResampler | None = None
        self._setup: tuple[str, str, int] | None = None

    def convert(self, frame: AudioFrame) -> Iterator[bytes]:
        setup = (frame.format.name, frame.layout.name, frame.sample_rate)
        if setup != self._setup:
            yield from self.flush()
            self._resampler = AudioResampler("s16", self._form.layout, self._form.rate)
            self._setup = setup
        yield from self._resample(frame)

    def flush(self) -> Iterator[bytes]:
        """Yield what the conversion still holds."""
        yield from self._resample(None)

    def _resample(self, frame: AudioFrame | None) -> Iterator[bytes]:
        if self._resampler is None:
            return
        for part in self._resampler.resample(frame):
            yield bytes(memoryview(part.planes[0])[: part.samples * self._form.frame_bytes])
