"""Baselines of the sanitizing step: the least possible work, and other tools."""

import io
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pillow_heif
from PIL import Image, ImageCms, ImageOps

from normalizer.decoders.photo.scaling import fit
from normalizer.decoders.video import structure
from normalizer.decoders.video.demuxer import checked_boxes, open_video
from normalizer.decoders.video.first_frame import first_frame, rows
from normalizer.decoders.video.remux import copy_tracks, rebuild

_THUMBNAIL = 320
_FACTORS = (1, 2, 4, 8)


def jpeg_floor(photo: bytes, side: int) -> None:
    """Decode to the preview's size and encode preview and thumbnail, with libjpeg-turbo alone."""
    with Image.open(io.BytesIO(photo)) as image:
        factor = fit(image.size, side, _FACTORS).factor
        image.draft("RGB", (image.width // factor, image.height // factor))
        image.load()
        image.save(io.BytesIO(), "JPEG", quality=82)
        image.crop((0, 0, _THUMBNAIL, _THUMBNAIL)).save(io.BytesIO(), "JPEG", quality=75)


def heic_decode(photo: bytes, _: int) -> None:
    """Decode with the library that we use, and nothing else."""
    file = pillow_heif.open_heif(photo, convert_hdr_to_8bit=True)
    assert file.data


def naive_pillow(photo: bytes, side: int) -> None:
    """Do what most code does: decode all, rotate, convert, shrink twice."""
    with Image.open(io.BytesIO(photo)) as opened:
        profile = opened.info.get("icc_profile")
        image = ImageOps.exif_transpose(opened)
    if profile:
        srgb = ImageCms.createProfile("sRGB")
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        image = ImageCms.profileToProfile(image, source, srgb) or image
    image = image.convert("RGB")
    preview = image.copy()
    preview.thumbnail((side, side), Image.Resampling.LANCZOS)
    preview.save(io.BytesIO(), "JPEG", quality=82)
    ImageOps.fit(image, (_THUMBNAIL, _THUMBNAIL)).save(io.BytesIO(), "JPEG", quality=75)


def pyvips() -> Callable[[bytes, int], None] | None:
    """Return libvips in this process with one thread, or None if pyvips is not installed."""
    os.environ.setdefault("VIPS_CONCURRENCY", "1")
    try:
        import pyvips as vips
    except (ImportError, OSError):
        return None

    def run(photo: bytes, side: int) -> None:
        image: Any = vips.Image
        colours = {"export_profile": "srgb"} if _has_profile(photo) else {}
        image.thumbnail_buffer(photo, side, height=side, size="down", **colours).jpegsave_buffer(
            Q=82, strip=True
        )
        image.thumbnail_buffer(
            photo, _THUMBNAIL, height=_THUMBNAIL, crop="centre", **colours
        ).jpegsave_buffer(Q=75, strip=True)

    return run


def vipsthumbnail(folder: Path) -> Callable[[bytes, int], None] | None:
    if not shutil.which("vipsthumbnail"):
        return None

    def run(photo: bytes, side: int) -> None:
        source = folder / "vips.jpg"
        source.write_bytes(photo)
        common = ["vipsthumbnail", str(source)]
        common += ["--export-profile", "srgb"] if _has_profile(photo) else []
        _call(*common, "--size", f"{side}x{side}>", "-o", f"{folder}/p.jpg[Q=82,strip]")
        _call(
            *common,
            "--size",
            "320x320",
            "--smartcrop",
            "centre",
            "-o",
            f"{folder}/t.jpg[Q=75,strip]",
        )

    return run


def imagemagick(folder: Path) -> Callable[[bytes, int], None] | None:
    program = shutil.which("magick") or shutil.which("convert-im6") or shutil.which("convert")
    if not program:
        return None

    def run(photo: bytes, side: int) -> None:
        source = folder / "magick.jpg"
        source.write_bytes(photo)
        _call(
            program, str(source), "-auto-orient", "-strip", "-resize", f"{side}x{side}>", "-quality", "82",
            "-write", f"{folder}/p.jpg", "-thumbnail", "320x320^", "-gravity", "center", "-extent", "320x320",
            "-quality", "75", f"{folder}/t.jpg",
        )  # fmt: skip

    return run


def video_floor(video: bytes, _: int) -> None:
    """Probe, make the first frame a JPEG and write a new container, with our libraries but without a sandbox."""
    source, target = os.memfd_create("source"), os.memfd_create("target")
    os.write(source, video)
    checked = checked_boxes(source, structure.read(memoryview(video)))
    pixels = rows(first_frame(open_video(checked)), 1920)
    image = Image.frombuffer("RGBX", pixels.shape[::-1], pixels.tobytes(), "raw", "RGBX", 0, 1)
    image.save(io.BytesIO(), "JPEG", quality=82)
    rebuild(open_video(checked), target, copy_tracks)
    os.close(source)
    os.close(target)


def ffmpeg(folder: Path) -> Callable[[bytes, int], None] | None:
    """Return two runs of ffmpeg: the first frame, and a copy without metadata and with the index first."""
    if not shutil.which("ffmpeg"):
        return None

    def run(video: bytes, _: int) -> None:
        source = folder / "ffmpeg.mp4"
        source.write_bytes(video)
        common = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-i", str(source)]
        _call(*common, "-frames:v", "1", "-q:v", "3", f"{folder}/poster.jpg")
        _call(
            *common, "-map", "0:v:0", "-map", "0:a:0?", "-c", "copy", "-map_metadata", "-1",
            "-movflags", "+faststart", f"{folder}/copy.mp4",
        )  # fmt: skip

    return run


def _has_profile(photo: bytes) -> bool:
    """Return whether a photo has a profile. Converting sRGB to sRGB is slow in libvips, so we do not ask for it."""
    return b"ICC_PROFILE" in photo[:65536]


def _call(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
