"""HEIF with HEVC inside, as iPhones and Samsung phones take photos."""

import os

import pillow_heif
from PIL import Image

from .opened import Opened, Wish

_THREADS = 4


def open_heif(data: memoryview, wish: Wish) -> Opened:
    file = pillow_heif.open_heif(bytes(data), convert_hdr_to_8bit=True)
    picture = file[file.primary_index]
    wish.check(*picture.size)

    def load(_: object) -> Image.Image:
        # Decoded upright already: turning by EXIF once more would be wrong.
        return Image.frombuffer(
            picture.mode, picture.size, picture.data, "raw", picture.mode, picture.stride, 1
        )

    profile = picture.info.get("icc_profile")
    return Opened(size=picture.size, load=load, profile=profile or None)


def prepare() -> None:
    pillow_heif.options.DECODE_THREADS = min(_THREADS, os.cpu_count() or 1)
    pillow_heif.options.THUMBNAILS = False
    pillow_heif.options.DEPTH_IMAGES = False
    pillow_heif.options.AUX_IMAGES = False
