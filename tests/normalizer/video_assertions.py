"""Assertions about finished videos: their tracks, frames and bytes."""

import io
from typing import Any

import av
import numpy as np
import pytest

from normalizer.isobmff import walk
from normalizer.media import Clean, MediaRejected
from normalizer.renditions.mp4_audit import audit

from .assertions import assert_bare, content
from .conftest import Sanitize


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


async def rejection_reason(sanitize: Sanitize, source: bytes) -> str:
    with pytest.raises(MediaRejected) as refusal:
        await sanitize(source)
    return refusal.value.reason
