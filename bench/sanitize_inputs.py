"""Inputs of `bench.sanitize`: photos as detailed as real ones, videos, and hostile files."""

import io
from fractions import Fraction
from functools import cache
from typing import Any

import av
import numpy as np
import pillow_heif
from PIL import Image

from tests.normalizer.media_samples import encoded, natural, oriented
from tests.normalizer.profiles import DISPLAY_P3, profile
from tests.normalizer.test_hostile import bombs, chunk, png

_FRAMES, _RATE = 180, 30


@cache
def photos() -> dict[str, bytes]:
    large = natural(4032, 3024)
    small = large.resize((1600, 1200), Image.Resampling.BICUBIC)
    phone: dict[str, Any] = {"icc_profile": profile(DISPLAY_P3), "exif": oriented(6)}
    return {
        "12 MP sRGB": encoded(large, quality=90),
        "12 MP sRGB, dense": encoded(large, quality=95),
        "12 MP Display P3, turned": encoded(large, quality=90, **phone),
        "12 MP progressive": encoded(large, quality=90, progressive=True),
        "48 MP sRGB": encoded(large.resize((8064, 6048), Image.Resampling.BICUBIC), quality=85),
        "2 MP sRGB": encoded(small, quality=90),
        "0.3 MP sRGB": encoded(small.resize((640, 480)), quality=90),
    }


def heic(photo: bytes) -> bytes:
    """Return a photo as HEIC in tiles of 512 pixels, as iPhones write it."""
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(photo)) as image:
        pillow_heif.from_pillow(image).save(buffer, quality=60, tile_size=512)
    return buffer.getvalue()


def sources() -> dict[str, bytes]:
    """Return pictures of all kinds, to test the limits on bytes."""
    made = {f"photo {seed}": encoded(natural(4032, 3024, seed), quality=92) for seed in range(4)}
    made |= {f"small photo {seed}": encoded(natural(1600, 1200, seed)) for seed in range(4)}
    random = np.random.default_rng(1)
    for width, height in ((4000, 3000), (2000, 1500), (300, 200)):
        pixels = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
        made[f"noise {width}"] = encoded(Image.fromarray(pixels), quality=95)
        black_white = Image.fromarray((pixels > 127).astype(np.uint8) * 255)
        made[f"black and white noise {width}"] = encoded(black_white, quality=95)
    made["strip"] = encoded(Image.new("RGB", (1, 20000)), "PNG")
    made["page"] = encoded(natural(1170, 9000), quality=92)
    return made


@cache
def videos() -> dict[str, bytes]:
    return {
        "MP4 of 2 MB": _video((1280, 720), 3_000_000, repeats=1),
        "MP4 of 23 MB": _video((1920, 1080), 3_000_000, repeats=10),
    }


def _video(size: tuple[int, int], bits: int, repeats: int) -> bytes:
    """Return a video of a moving picture: six seconds, repeated `repeats` times."""
    width, height = size
    scene = np.asarray(natural(width + 400, height + 200))
    options = {"preset": "superfast", "maxrate": str(bits), "bufsize": str(bits), "g": "60"}
    packets: list[tuple[bytes, int, int, bool]] = []
    buffer = io.BytesIO()
    output: Any
    with av.open(buffer, "w", format="mp4") as output:
        picture = output.add_stream("libx264", rate=_RATE, options=options)
        picture.width, picture.height, picture.pix_fmt = width, height, "yuv420p"
        picture.bit_rate = bits
        sound = output.add_stream("aac", rate=44100)
        sound.layout = "mono"
        for number in range(_FRAMES):
            left, top = 2 * number, number
            frame: Any = av.VideoFrame.from_ndarray(
                np.ascontiguousarray(scene[top : top + height, left : left + width]), format="rgb24"
            )
            frame.pts, frame.time_base = number, Fraction(1, _RATE)
            packets += [_plain(packet) for packet in picture.encode(frame)]
        packets += [_plain(packet) for packet in picture.encode(None)]
        hiss = _Hiss(output, sound)
        for repeat in range(repeats):
            hiss.until((repeat + 1) * _FRAMES / _RATE)
            for content, pts, dts, key in packets:
                packet: Any = av.Packet(content)
                packet.stream, packet.time_base = picture, Fraction(1, _RATE)
                packet.pts, packet.dts = pts + repeat * _FRAMES, dts + repeat * _FRAMES
                packet.is_keyframe = key
                output.mux(packet)
        output.mux(sound.encode(None))
    return buffer.getvalue()


def _plain(packet: Any) -> tuple[bytes, int, int, bool]:
    ticks = packet.time_base * _RATE
    return bytes(packet), int(packet.pts * ticks), int(packet.dts * ticks), packet.is_keyframe


class _Hiss:
    """Sound that is written in step with the picture, so that both are interleaved, as phones write them."""

    def __init__(self, output: Any, stream: Any) -> None:
        self._output, self._stream, self._at = output, stream, 0
        self._random = np.random.default_rng(1)

    def until(self, seconds: float) -> None:
        while self._at < seconds * 44100:
            samples = self._random.normal(0, 0.05, (1, 1024)).astype(np.float32)
            frame: Any = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 44100, self._at
            frame.time_base = Fraction(1, 44100)
            self._output.mux(self._stream.encode(frame))
            self._at += 1024


def hostile() -> dict[str, bytes]:
    """Return bombs that are refused, and legal ones that must stay cheap."""
    made = {name: content for name, content, _ in bombs()}
    made["png of 64 MP"] = png(8000, 8000)
    made["png of 64 MP with opacity"] = png(8000, 8000, kind=6)
    made["png of 100,000 texts"] = png(20, 20, b"".join([chunk(b"tEXt", b"k\0v")] * 100_000))
    made["jpeg of 64 MP"] = encoded(Image.new("RGB", (8000, 8000)))
    made["gif of 32 MP"] = encoded(Image.new("P", (8000, 4000)), "GIF")
    made["webp of 8 MP"] = encoded(Image.new("RGB", (3200, 2500)), "WEBP", lossless=True)
    made["tiff of 30 MP"] = encoded(Image.new("RGB", (6000, 5000)), "TIFF", compression="tiff_lzw")
    return made
