"""Photos and videos for tests, generated here. Each test asks for what it needs by keyword."""

import io
import os
import struct
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pillow_heif
from PIL import Image, ImageDraw

from normalizer.decoders.video.file_view import FileView

#: The colours of `quadrants`, clockwise from the upper left.
CORNERS = ((220, 40, 40), (40, 180, 60), (40, 70, 220), (235, 215, 50))


def quadrants(width: int = 640, height: int = 480, mode: str = "RGB") -> Image.Image:
    """Return four plain fields, so that a test can check the orientation."""
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


def natural(width: int, height: int, seed: int = 1) -> Image.Image:
    """Return a picture as detailed as a photo: strong in large structures, weak in small ones, with a little grain."""
    random = np.random.default_rng(seed)
    rows = np.fft.fftfreq(height // 2)[:, None]
    columns = np.fft.rfftfreq(width // 2)[None, :]
    fall = np.maximum(np.hypot(rows, columns), 1e-4) ** -1.3
    planes = []
    for _ in range(3):
        spectrum = np.fft.rfft2(random.standard_normal((height // 2, width // 2))) * fall
        plane = np.fft.irfft2(spectrum, s=(height // 2, width // 2))
        planes.append((plane - plane.mean()) / plane.std())
    luma, warm, cold = (plane[..., None] for plane in planes)
    colours = 120 + 45 * luma + warm * np.array([12, -3, -9]) + cold * np.array([-5, 8, -6])
    small = Image.fromarray(np.clip(colours, 0, 255).astype(np.uint8))
    image = np.asarray(small.resize((width, height), Image.Resampling.BICUBIC)).astype(np.int16)
    grain = random.normal(0, 1.5, (height, width, 1)).astype(np.int16)
    return Image.fromarray(np.clip(image + grain, 0, 255).astype(np.uint8))


def encoded(image: Image.Image, form: str = "JPEG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def heic(image: Image.Image, **options: Any) -> bytes:
    buffer = io.BytesIO()
    pillow_heif.from_pillow(image).save(buffer, quality=90, **options)
    return buffer.getvalue()


def oriented(orientation: int) -> bytes:
    """Return EXIF with an orientation."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


def descriptor(content: bytes) -> int:
    """Return a descriptor of the content whose position is in the middle."""
    number = os.memfd_create("sample", os.MFD_CLOEXEC)
    os.write(number, content)
    os.lseek(number, len(content) // 2, os.SEEK_SET)
    return number


def box(kind: bytes, *content: bytes) -> bytes:
    """Return an MP4 box."""
    body = b"".join(content)
    return struct.pack(">I4s", len(body) + 8, kind) + body


def make_video(
    *,
    seconds: float = 1.0,
    size: tuple[int, int] = (320, 240),
    rate: int = 25,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    audio: str | None = "aac",
    container: str = "mp4",
    options: dict[str, str] | None = None,
    codec_options: dict[str, str] | None = None,
    rotation: int = 0,
    mirrored: bool = False,
    metadata: dict[str, str] | None = None,
    sample_rate: int = 44100,
    colours: tuple[int, int, int] | None = None,
    times: Iterable[int] | None = None,
    shape: Fraction | None = None,
) -> bytes:
    """Return a video whose first frame is `quadrants` and whose later frames get darker.

    `colours` are the codes of primaries, transfer and matrix; `times` are the times of the frames in frames.
    """
    file = os.memfd_create("video")
    output: Any
    with av.open(
        FileView(file),
        "w",
        format=container,
        options=options or {},
        # With the index first, the muxer opens the video a second time for reading.
        io_open=lambda *_: FileView(file),
    ) as output:
        output.metadata.update(metadata or {})
        video_stream = output.add_stream(codec, rate=rate, options=codec_options or {})
        video_stream.width, video_stream.height = size
        video_stream.pix_fmt = pixel_format
        context = video_stream.codec_context
        context.thread_count = 1
        if colours:
            context.color_primaries, context.color_trc, context.colorspace = colours
        if shape:
            context.sample_aspect_ratio = shape
        if rotation or mirrored:
            video_stream.set_display_rotation(rotation, hflip=mirrored)
        audio_stream = output.add_stream(audio, rate=sample_rate) if audio else None
        if audio_stream:
            audio_stream.layout = "mono"
        for index, time in enumerate(times or range(round(seconds * rate))):
            frame: Any = av.VideoFrame.from_ndarray(_frame(size, index), format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, rate)
            output.mux(video_stream.encode(frame))
        output.mux(video_stream.encode(None))
        if audio_stream:
            _tone(output, audio_stream, seconds, sample_rate)
    content = os.pread(file, os.fstat(file).st_size, 0)
    os.close(file)
    return content


def _frame(size: tuple[int, int], index: int) -> Any:
    first = np.asarray(quadrants(*size)).astype(np.int16)
    return np.clip(first - 2 * index, 0, 255).astype(np.uint8)


def _tone(output: Any, audio: Any, seconds: float, rate: int) -> None:
    samples: Any
    form = audio.codec_context.format.name
    total = int(seconds * rate)
    step = audio.codec_context.frame_size or 1024
    wave = np.sin(np.arange(total) * 440 * 2 * np.pi / rate) * 0.3
    for start in range(0, total, step):
        part = wave[start : start + step]
        if form.startswith("flt"):
            samples = part.astype(np.float32)
        elif form.startswith("s32"):
            samples = (part * 0x7FFFFFFF).astype(np.int32)
        else:
            samples = (part * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples[None, :], format=form, layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        output.mux(audio.encode(frame))
    output.mux(audio.encode(None))
