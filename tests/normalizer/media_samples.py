"""Photos and videos for tests, made here: each asks for what it needs by keyword."""

import io
import os
from fractions import Fraction
from typing import Any

import av
import numpy as np
from PIL import Image, ImageDraw

#: What a picture of `quadrants` shows, clockwise from the upper left.
CORNERS = ((220, 40, 40), (40, 180, 60), (40, 70, 220), (235, 215, 50))


def quadrants(width: int = 640, height: int = 480, mode: str = "RGB") -> Image.Image:
    """Four plain fields, so that a test can tell which way is up."""
    image = Image.new("RGB", (width, height))
    draw = ImageDraw.Draw(image)
    w, h = width // 2, height // 2
    boxes = ((0, 0, w, h), (w, 0, width, h), (w, h, width, height), (0, h, w, height))
    for box, colour in zip(boxes, CORNERS, strict=True):
        draw.rectangle(box, fill=colour)
    return image.convert(mode)


def noise(width: int, height: int, seed: int = 1) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def encoded(image: Image.Image, form: str = "JPEG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def descriptor(content: bytes) -> int:
    """The content behind a descriptor whose position is somewhere in the middle."""
    number = os.memfd_create("sample", os.MFD_CLOEXEC)
    os.write(number, content)
    os.lseek(number, len(content) // 2, os.SEEK_SET)
    return number


def film(
    *,
    seconds: float = 2.0,
    size: tuple[int, int] = (320, 240),
    rate: int = 25,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    audio: str | None = "aac",
    container: str = "mp4",
    options: dict[str, str] | None = None,
    codec_options: dict[str, str] | None = None,
    rotation: int = 0,
    metadata: dict[str, str] | None = None,
    sample_rate: int = 44100,
) -> bytes:
    """A film whose first frame is `quadrants` and whose later frames turn dark."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container, options=options or {}) as output:
        output.metadata.update(metadata or {})
        picture = output.add_stream(codec, rate=rate, options=codec_options or {})
        picture.width, picture.height = size
        picture.pix_fmt = pixel_format
        picture.codec_context.thread_count = 1
        if rotation:
            picture.set_display_rotation(rotation)
        sound = output.add_stream(audio, rate=sample_rate) if audio else None
        if sound:
            sound.layout = "mono"
        first = quadrants(*size)
        for index in range(round(seconds * rate)):
            image = first if index == 0 else Image.eval(first, lambda v, i=index: max(0, v - 2 * i))
            frame = av.VideoFrame.from_image(image)
            frame.pts, frame.time_base = index, Fraction(1, rate)
            output.mux(picture.encode(frame))
        output.mux(picture.encode(None))
        if sound:
            _tone(output, sound, seconds, sample_rate)
    return buffer.getvalue()


def _tone(output: Any, sound: Any, seconds: float, rate: int) -> None:
    form = sound.codec_context.format.name
    total = int(seconds * rate)
    step = sound.codec_context.frame_size or 1024
    wave = np.sin(np.arange(total) * 440 * 2 * np.pi / rate) * 0.3
    for start in range(0, total, step):
        part = wave[start : start + step]
        if form.startswith("flt"):
            samples = part.astype(np.float32)
        else:
            samples = (part * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples[None, :], format=form, layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        output.mux(sound.encode(frame))
    output.mux(sound.encode(None))
