"""HEIF with HEVC inside, as iPhones and Samsung phones take photos."""

import mmap
import os

import pillow_heif
from PIL import Image

from normalizer.media import MediaRejected

from . import bands, items, orientation
from .opened import Opened, Seen, Wish

_THREADS = 4
_LARGE = 12_000_000


def open_heif(data: memoryview, wish: Wish) -> Opened:
    file = pillow_heif.open_heif(bytes(data), convert_hdr_to_8bit=True)
    if len(file) == 0:
        raise MediaRejected("unsupported_type", "a HEIF in a coding we do not know")
    picture = file[file.primary_index]
    wish.check(picture.size)
    wish.check_substance(picture.size, len(data), _LARGE)
    fit = wish.fit(picture.size)

    mode = picture.mode

    def load(ground: mmap.mmap | None, seen: Seen) -> Image.Image:
        # Decoded as the boxes say it lies.
        rows = bands.Rows(picture.data, picture.size, mode, picture.stride, mode)
        return rows.shown(ground, fit.factor, seen)

    profile = picture.info.get("icc_profile")
    return Opened(
        size=picture.size,
        fit=fit,
        load=load,
        lays=bands.laid(mode, picture.size, fit),
        orientation=_orientation(data, picture.info.get("exif")),
        profile=profile if isinstance(profile, bytes) else None,
    )


def _orientation(data: memoryview, exif: object) -> int:
    """What EXIF says counts only where the boxes say nothing, as in the first photos of this kind from phones."""
    if not isinstance(exif, bytes) or items.is_turned(items.properties(data)):
        return orientation.UPRIGHT
    return orientation.of_exif(exif) or orientation.UPRIGHT


def prepare() -> None:
    pillow_heif.options.DECODE_THREADS = min(_THREADS, os.cpu_count() or 1)
    pillow_heif.options.THUMBNAILS = False
    pillow_heif.options.DEPTH_IMAGES = False
    pillow_heif.options.AUX_IMAGES = False
