"""Animations that begin with nothing, as stickers do that appear little by little: which frame is shown."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from normalizer.canvas import Size

T = TypeVar("T")

#: How far an animation is searched: frames, and pixels of all of them.
_MAX_FRAMES, _MAX_PIXELS = 100, 200_000_000

#: Less alpha cannot be seen, and one pixel in so many is not a picture.
_VISIBLE, _FEW = 16, 1000


def frames_to_search(size: Size) -> int:
    """Return the number of frames in which something is looked for."""
    return max(1, min(_MAX_FRAMES, _MAX_PIXELS // (size[0] * size[1])))


def first_shown(frames: Iterable[tuple[T, NDArray[np.uint8]]], size: Size) -> T | None:
    """Return the first frame with a visible picture, or the one that shows most; None if there is none.

    Each frame comes with its alpha. Frames are decoded one by one, as far as necessary.
    """
    best: T | None = None
    most = -1
    for frame, alpha in _until_damage(islice(frames, frames_to_search(size))):
        visible = int(np.count_nonzero(alpha >= _VISIBLE))
        if visible > most:
            best, most = frame, visible
        if visible * _FEW >= alpha.size:
            break
    return best


def _until_damage(frames: Iterable[T]) -> Iterator[T]:
    """Yield the frames before the first one that cannot be decoded. Raise OSError if that is the very first."""
    found = False
    try:
        for frame in frames:
            yield frame
            found = True
    except OSError:
        if not found:
            raise


def alpha_of(rows: bytes) -> NDArray[np.uint8]:
    """Return the alpha of rows of red, green, blue and alpha."""
    return np.frombuffer(rows, np.uint8)[3::4]


def is_empty(image: Image.Image) -> bool:
    """Whether a picture shows as good as nothing."""
    if not image.has_transparency_data:
        return False
    alpha = np.asarray(image.convert("RGBA").getchannel("A"))
    return int(np.count_nonzero(alpha >= _VISIBLE)) * _FEW < alpha.size


def seek_shown(image: Image.Image) -> Image.Image | None:
    """Return the first frame of an animation that shows something; None if nothing more can be decoded."""
    return first_shown(_frames(image), image.size)


def _frames(image: Image.Image) -> Iterator[tuple[Image.Image, NDArray[np.uint8]]]:
    size = image.size
    for number in range(frames_to_search(size)):
        try:
            image.seek(number)
            image.load()
        except (EOFError, OSError, SyntaxError, ValueError, LookupError, AssertionError):
            # The frames before the end, or before the damage, are what there is.
            return
        if image.size != size:
            return
        frame = image.convert("RGBA")
        yield frame, np.asarray(frame.getchannel("A"))
