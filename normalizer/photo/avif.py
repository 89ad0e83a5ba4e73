"""AVIF: the primary picture, or the first of a sequence."""

import io
import os

from PIL import AvifImagePlugin, Image

from . import orientation
from .opened import Opened, Wish

_THREADS = 4


def open_avif(data: memoryview, wish: Wish) -> Opened:
    image = AvifImagePlugin.AvifImageFile(io.BytesIO(data))
    wish.check(*image.size)

    def load(_: object) -> Image.Image:
        image.load()
        return image

    return Opened(
        size=image.size,
        load=load,
        # Pillow states the file's own turning and mirroring as EXIF does.
        orientation=orientation.of_exif(image.info.get("exif", b"")),
        profile=image.info.get("icc_profile"),
    )


def prepare() -> None:
    AvifImagePlugin.DEFAULT_MAX_THREADS = min(_THREADS, os.cpu_count() or 1)
