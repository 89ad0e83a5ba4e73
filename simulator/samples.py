"""Sample photos and videos as phones make them, with things hidden in them that must not reach anybody.

Deterministic by seed. `canaries` are byte strings that stand in the file and must stand in no rendition.
"""

import io
import struct
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from PIL import ExifTags, Image, TiffImagePlugin

from .scenery import Scene, drawn

_FPS = 15
_TONE_HZ = 330.0
_RATE = 48_000


@dataclass(frozen=True, slots=True)
class Sample:
    """A file as a consumer sends it."""

    name: str
    media_type: str
    content: bytes
    canaries: tuple[bytes, ...] = ()


def photo(
    scene: Scene = "parcel",
    width: int = 1600,
    height: int = 1200,
    *,
    seed: int = 1,
    orientation: int = 1,
    name: str = "IMG_0042.JPG",
) -> Sample:
    """A JPEG of the scene, stored turned so that EXIF `orientation` (1 to 8) shows it upright."""
    picture = _stored(drawn(scene, width, height, seed=seed), orientation)
    canary = f"canary-photo-{seed}"
    file = io.BytesIO()
    picture.save(
        file,
        "JPEG",
        quality=88,
        exif=_exif(orientation, canary),
        comment=f"{canary}-comment".encode(),
    )
    trailing = f"{canary}-trailing".encode()
    canaries = (canary.encode(), b"Example Phone 7", trailing)
    return Sample(name, "image/jpeg", file.getvalue() + trailing, canaries)


def still(format: str, scene: Scene = "car", side: int = 400, *, seed: int = 1) -> Sample:
    """A PNG with transparency, or a GIF of two frames."""
    picture = drawn(scene, side, side * 3 // 4, seed=seed)
    file = io.BytesIO()
    if format == "PNG":
        picture.putalpha(Image.linear_gradient("L").resize(picture.size))
        picture.save(file, "PNG")
    else:
        second = drawn(scene, side, side * 3 // 4, seed=seed, moment=0.5)
        picture.save(file, "GIF", save_all=True, append_images=[second], duration=200)
    return Sample(f"still.{format.lower()}", f"image/{format.lower()}", file.getvalue())


def video(
    scene: Scene = "washer",
    seconds: float = 3.0,
    width: int = 640,
    height: int = 360,
    *,
    seed: int = 1,
    name: str = "IMG_0043.MOV",
) -> Sample:
    """An MP4 (H.264, AAC, index at the end) with the place and the device it was made at."""
    canary = f"canary-video-{seed}"
    file = io.BytesIO()
    with av.open(file, "w", format="mp4", options={"movflags": "use_metadata_tags"}) as film:
        film.metadata["location"] = "+52.5200+013.4050/"
        film.metadata["com.apple.quicktime.location.ISO6709"] = "+52.5200+013.4050+034.0/"
        film.metadata["comment"] = canary
        film.metadata["make"] = "Example Phone 7"
        _draw(film, scene, seconds, (width, height), seed)
    trailing = f"{canary}-trailing".encode()
    content = file.getvalue() + struct.pack(">I4s", 8 + len(trailing), b"free") + trailing
    canaries = (canary.encode(), b"52.5200", b"Example Phone 7", trailing)
    return Sample(name, "video/mp4", content, canaries)


def _stored(picture: Image.Image, orientation: int) -> Image.Image:
    """The pixels as a camera stores them: what undoes the turn that `orientation` asks for."""
    undo = {
        2: (Image.Transpose.FLIP_LEFT_RIGHT,),
        3: (Image.Transpose.ROTATE_180,),
        4: (Image.Transpose.FLIP_TOP_BOTTOM,),
        5: (Image.Transpose.TRANSPOSE,),
        6: (Image.Transpose.ROTATE_90,),
        7: (Image.Transpose.TRANSVERSE,),
        8: (Image.Transpose.ROTATE_270,),
    }
    for turn in undo.get(orientation, ()):
        picture = picture.transpose(turn)
    return picture


def _exif(orientation: int, canary: str) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Make] = "Example Phone 7"
    exif[ExifTags.Base.ImageDescription] = canary
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(
        {
            ExifTags.GPS.GPSLatitudeRef: "N",
            ExifTags.GPS.GPSLatitude: _degrees(52, 31, 12),
            ExifTags.GPS.GPSLongitudeRef: "E",
            ExifTags.GPS.GPSLongitude: _degrees(13, 24, 18),
        }
    )
    return exif


def _degrees(*parts: int) -> tuple[TiffImagePlugin.IFDRational, ...]:
    return tuple(TiffImagePlugin.IFDRational(part, 1) for part in parts)


def _draw(
    film: "av.container.OutputContainer",
    scene: Scene,
    seconds: float,
    size: tuple[int, int],
    seed: int,
) -> None:
    picture = film.add_stream("libx264", rate=_FPS, options={"preset": "ultrafast", "crf": "30"})
    picture.width, picture.height, picture.pix_fmt = *size, "yuv420p"
    sound = film.add_stream("aac", rate=_RATE)
    sound.layout = "mono"
    count = round(seconds * _FPS)
    for number in range(count):
        still = drawn(scene, *size, seed=seed, moment=number / count)
        frame = av.VideoFrame.from_ndarray(np.asarray(still), format="rgb24")
        frame.pts, frame.time_base = number, Fraction(1, _FPS)
        film.mux(picture.encode(frame))
    film.mux(picture.encode(None))
    for start in range(0, round(seconds * _RATE), 1024):
        film.mux(sound.encode(_tone(start)))
    film.mux(sound.encode(None))


def _tone(start: int) -> av.AudioFrame:
    times = (np.arange(start, start + 1024) / _RATE)[None, :]
    wave = (0.2 * np.sin(2 * np.pi * _TONE_HZ * times)).astype(np.float32)
    frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = _RATE, start, Fraction(1, _RATE)
    return frame
