"""What a made rendition of sound must be, judged by another reader than the one that made it."""

import io
from collections.abc import Sequence

import av
import numpy as np
from av.container import InputContainer
from numpy.typing import NDArray

from normalizer.isobmff import walk
from normalizer.media import Clean


def content_of(clean: Clean) -> bytes:
    (audio,) = clean.renditions
    assert (audio.name, audio.media_type) == ("audio", "audio/mp4")
    return bytes(audio.content)


def numbers_of(content: bytes) -> tuple[NDArray[np.float32], int]:
    """Return the numbers of the first channel of a rendition, and their rate."""
    with av.open(io.BytesIO(content), "r") as file:
        assert isinstance(file, InputContainer)
        assert [stream.type for stream in file.streams] == ["audio"]
        track = file.streams.audio[0]
        assert (track.codec_context.name, track.profile) == ("aac", "LC")
        parts = [frame.to_ndarray()[0] for frame in file.decode(track)]
        return np.concatenate(parts), track.rate


def assert_plays(clean: Clean, seconds: float, tolerance: float = 0.1) -> None:
    """Check that a rendition decodes, begins with its index, and is as long as the sound that was recorded."""
    content = content_of(clean)
    with memoryview(content) as data:
        assert [box.kind for box in walk(data, 0, len(data))] == [b"ftyp", b"moov", b"mdat"]
    numbers, rate = numbers_of(content)
    assert clean.duration_seconds is not None
    assert abs(clean.duration_seconds - seconds) <= tolerance
    # The encoder fills its last frame.
    assert abs(len(numbers) / rate - clean.duration_seconds) <= 1024 / rate + 0.001
    assert np.abs(numbers).max() > 0.05


def assert_facts(clean: Clean, *, complete: bool = True) -> Sequence[int]:
    """Check what events say about a sound, and return its waveform."""
    assert clean.facts is not None
    assert set(clean.facts) == {"complete", "waveform"}
    assert clean.facts["complete"] is complete
    waveform: Sequence[int] = clean.facts["waveform"]
    assert len(waveform) == 64
    assert max(waveform) == 255
    assert min(waveform) >= 0
    return waveform
