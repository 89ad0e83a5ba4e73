"""WebP stills, decoded by libwebp directly into their final memory at their final size.

Pillow holds a still three times at full size. This way stills of 64 megapixels are accepted instead of 16, in a
third of the memory. The calls go to the libwebp that Pillow has loaded; names and layouts are those of decode.h.
"""

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from normalizer.canvas import Size

from . import shared_libraries
from .pixel_memory import Pixels
from .shared_libraries import POINTER, Calls

#: WEBP_DECODER_ABI_VERSION, of which libwebp compares the upper byte. The structures below are those of decode.h
#: from libwebp 1.2.4 (0x0209) to 1.6.0 (0x0210).
_ABI_VERSION = 0x0209
_RGBA, _LOSSLESS = 1, 2


def _numbers(*names: str) -> Iterator[tuple[str, type[ctypes.c_int]]]:
    return ((name, ctypes.c_int) for name in names)


class _Features(ctypes.Structure):
    _fields_ = (
        *_numbers("width", "height", "has_alpha", "has_animation", "format"),
        ("pad", ctypes.c_uint32 * 5),
    )


class _Rgba(ctypes.Structure):
    _fields_ = (("pixels", POINTER), ("stride", ctypes.c_int), ("size", ctypes.c_size_t))


class _Planes(ctypes.Structure):
    """Unused here; it gives the union its size."""

    _fields_ = (
        ("planes", POINTER * 4),
        ("strides", ctypes.c_int * 4),
        ("sizes", ctypes.c_size_t * 4),
    )


class _Storage(ctypes.Union):
    _fields_ = (("rgba", _Rgba), ("planes", _Planes))


class _Buffer(ctypes.Structure):
    _fields_ = (
        ("colorspace", ctypes.c_int),
        ("width", ctypes.c_int),
        ("height", ctypes.c_int),
        ("is_external", ctypes.c_int),
        ("storage", _Storage),
        ("pad", ctypes.c_uint32 * 4),
        ("own", POINTER),
    )


class _Options(ctypes.Structure):
    _fields_ = (
        *_numbers("bypass_filtering", "no_fancy_upsampling"),
        *_numbers("use_cropping", "left", "top", "width", "height"),
        *_numbers("use_scaling", "scaled_width", "scaled_height"),
        *_numbers("use_threads", "dithering", "flip", "alpha_dithering"),
        ("pad", ctypes.c_uint32 * 5),
    )


class _Config(ctypes.Structure):
    _fields_ = (("input", _Features), ("output", _Buffer), ("options", _Options))


_CALLS: Calls = {
    "WebPGetFeaturesInternal": (
        ctypes.c_int,
        (ctypes.c_char_p, ctypes.c_size_t, POINTER, ctypes.c_int),
    ),
    "WebPInitDecoderConfigInternal": (ctypes.c_int, (POINTER, ctypes.c_int)),
    "WebPDecode": (ctypes.c_int, (ctypes.c_char_p, ctypes.c_size_t, POINTER)),
}


def library() -> ctypes.CDLL | None:
    """Return libwebp, or None if it must not be called. Call this first while there is a file system."""
    return _load()[0]


def warning() -> str:
    """Return why WebP stills are decoded by Pillow, up to 16 megapixels only; "" if they are not."""
    return _load()[1]


@cache
def _load() -> tuple[ctypes.CDLL | None, str]:
    webp = shared_libraries.library("libwebp", "pillow.libs", _CALLS)
    if webp is None:
        return None, "libwebp was not found, so WebP photos of more than 16 megapixels are refused"
    if not _init(webp, _Config()):
        refused = "so WebP photos of more than 16 megapixels are refused"
        return None, f"libwebp does not have the decoder ABI {_ABI_VERSION:#06x}, {refused}"
    return webp, ""


def _init(webp: ctypes.CDLL, config: _Config) -> bool:
    """Set the defaults of a configuration; False if libwebp's structures have another layout."""
    return bool(webp.WebPInitDecoderConfigInternal(ctypes.byref(config), _ABI_VERSION))


@dataclass(frozen=True, slots=True)
class Header:
    """The size and coding of a picture, from the headers of its file."""

    size: Size
    translucent: bool
    lossless: bool


def read_still(webp: ctypes.CDLL, content: bytes) -> Header | None:
    """Return the header of a still picture, or None if the file is animated or not a WebP."""
    found = _Features()
    if webp.WebPGetFeaturesInternal(content, len(content), ctypes.byref(found), _ABI_VERSION):
        return None
    if found.has_animation:
        return None
    return Header((found.width, found.height), bool(found.has_alpha), found.format == _LOSSLESS)


def decode(webp: ctypes.CDLL, content: bytes, size: Size, target: Pixels) -> None:
    """Fill `target`, which may be smaller than the picture. Raise OSError for damage."""
    config = _Config()
    if not _init(webp, config):
        raise OSError("libwebp has another decoder ABI")
    height, width = target.shape
    if (width, height) != size:
        config.options.use_scaling = 1
        config.options.scaled_width, config.options.scaled_height = width, height
    config.output.colorspace, config.output.is_external = _RGBA, 1
    rgba = config.output.storage.rgba
    rgba.pixels, rgba.stride, rgba.size = target.ctypes.data, target.strides[0], target.nbytes
    status = webp.WebPDecode(content, len(content), ctypes.byref(config))
    if status:
        raise OSError(f"libwebp returned status {status}")
