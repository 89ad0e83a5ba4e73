"""Videos as phones make them: a moving scene with a tone, and an index at the end that contains the place."""

import io
from fractions import Fraction
from typing import Literal

import av
import numpy as np
from PIL import Image

from simulator.scenery import Scene, drawn

from .atoms import Rotation, hide
from .sample import CAMERA, PLACE, Sample, canaries_for

_FPS = 15
_TONE_HZ = 330.0
_RATE = 48_000
_BLOCK = 1024

Container = Literal["mp4", "mov", "3gp"]
Codec = Literal["h264", "hevc"]

_MEDIA_TYPES: dict[Container, str] = {
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "3gp": "video/3gpp",
}
_ENCODERS: dict[Codec, tuple[str, dict[str, str]]] = {
    "h264": ("libx264", {"preset": "ultrafast", "crf": "30"}),
    "hevc": ("libx265", {"preset": "ultrafast", "crf": "32", "x265-params": "log-level=none"}),
}
_STORED: dict[Rotation, Image.Transpose] = {
    90: Image.Transpose.ROTATE_90,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_270,
}


def video(
    scene: Scene = "washer",
    seconds: float = 3.0,
    width: int = 640,
    height: int = 360,
    *,
    seed: int = 1,
    location: bool = True,
    rotation: Rotation = 0,
    container: Container = "mp4",
    codec: Codec = "h264",
    name: str = "IMG_0043.MOV",
) -> Sample:
    """Return a video with the size that players show. They must rotate the stored picture by `rotation`."""
    canary = f"canary-video-{seed}"
    file = io.BytesIO()
    with av.open(file, "w", format=container, options={"movflags": "use_metadata_tags"}) as output:
        output.metadata.update(_metadata(canary, location=location))
        encoder, options = _ENCODERS[codec]
        video_stream = output.add_stream(encoder, rate=_FPS, options=options)
        assert isinstance(video_stream, av.VideoStream)
        video_stream.width, video_stream.height = (
            (height, width) if rotation in {90, 270} else (width, height)
        )
        video_stream.pix_fmt = "yuv420p"
        if codec == "hevc":
            video_stream.codec_tag = "hvc1"
        audio_stream = output.add_stream("aac", rate=_RATE, layout="mono")
        assert isinstance(audio_stream, av.AudioStream)
        for number in range(count := round(seconds * _FPS)):
            image = drawn(scene, width, height, seed=seed, progress=number / count)
            output.mux(video_stream.encode(_frame(image, number, rotation)))
        output.mux(video_stream.encode(None))
        for start in range(0, round(seconds * _RATE), _BLOCK):
            output.mux(audio_stream.encode(tone(start)))
        output.mux(audio_stream.encode(None))
    content = hide(file.getvalue(), canary, location=location, rotation=rotation)
    places = ["track", "xmp", "trailing", *(["place"] if location else [])]
    position = [b"52.5200"] if location else []
    camera = [CAMERA.encode()] if container != "3gp" else []  # 3GPP has no field for it
    canaries = (*canaries_for(canary, *places), *camera, *position)
    return Sample(name, _MEDIA_TYPES[container], content, canaries)


def tone(start: int) -> av.AudioFrame:
    """Return a block of sound that continues where the block before it ended."""
    times = (np.arange(start, start + _BLOCK) / _RATE)[None, :]
    wave = (0.2 * np.sin(2 * np.pi * _TONE_HZ * times)).astype(np.float32)
    frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = _RATE, start, Fraction(1, _RATE)
    return frame


def _metadata(canary: str, *, location: bool) -> dict[str, str]:
    position = {"location": PLACE, "com.apple.quicktime.location.ISO6709": PLACE}
    return {"comment": canary, "make": CAMERA, **(position if location else {})}


def _frame(image: Image.Image, number: int, rotation: Rotation) -> av.VideoFrame:
    stored = image.transpose(_STORED[rotation]) if rotation in _STORED else image
    frame = av.VideoFrame.from_ndarray(np.asarray(stored), format="rgb24")
    frame.pts, frame.time_base = number, Fraction(1, _FPS)
    return frame
