"""The first frame of a video, as decoded, and as the rows of a photo."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace

from normalizer.canvas import BYTES_PER_PIXEL
from normalizer.decoders.photo.pixel_memory import Pixels
from normalizer.media import MediaRejected

from .demuxer import VideoSource
from .filters import Pipeline, matrix
from .tone_mapping import is_high_dynamic_range

#: A video that shows nothing in this many packets shows nothing at all.
_MAX_PACKETS = 600

#: No phone records with a longer side.
_MAX_SIDE = 16384


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame and its size on a screen: pixels need not be square."""

    coded: VideoFrame
    width: int
    height: int


def first_frame(source: VideoSource) -> Frame:
    """Return the first frame. Raise MediaRejected if none can be decoded."""
    decoder = source.video.codec_context
    for number, packet in enumerate(source.container.demux(source.video)):
        if number > _MAX_PACKETS:
            break
        for frame in decoder.decode(packet):
            # The container's aspect ratio wins if it makes sense.
            aspects = (source.video.sample_aspect_ratio, decoder.sample_aspect_ratio)
            return _display_size(
                frame, next((s for s in aspects if s and is_plausible_aspect(s)), Fraction(1))
            )
    raise MediaRejected("corrupt", "no frame of the video can be decoded")


def rows(frame: Frame, max_side: int) -> Pixels:
    """Return the frame in sRGB, within the size limit, in its coded orientation."""
    share = min(1.0, max_side / max(frame.width, frame.height))
    width, height = (max(1, round(side * share)) for side in (frame.width, frame.height))
    shown = _tone_mapped(frame.coded, width, height) or frame.coded.reformat(
        width,
        height,
        "rgb0",
        src_colorspace=Colorspace.ITU709 if matrix(frame.coded) == "bt709" else None,
        threads=1,
    )
    plane = shown.planes[0]
    pixels = np.frombuffer(memoryview(plane), np.dtype("<u4"))
    return pixels.reshape(height, plane.line_size // BYTES_PER_PIXEL)[:, :width]


def _tone_mapped(frame: VideoFrame, width: int, height: int) -> VideoFrame | None:
    if not is_high_dynamic_range(frame):
        return None
    pipeline = Pipeline(frame, (width, height), "rgb0")
    return next(shown for fed in (frame, None) for shown in pipeline.frames(fed))


def _display_size(frame: VideoFrame, aspect: Fraction) -> Frame:
    width, height = frame.width, frame.height
    if not (0 < width <= _MAX_SIDE and 0 < height <= _MAX_SIDE):
        raise MediaRejected("too_many_pixels", f"frames of {width} x {height} pixels")
    if aspect < 1:
        height = round(height / aspect)
    else:
        width = round(width * aspect)
    return Frame(frame, width, height)


def is_plausible_aspect(aspect: Fraction) -> bool:
    """Whether an aspect ratio of pixels is plausible."""
    return _MIN_ASPECT < aspect < 1 / _MIN_ASPECT


#: A more extreme aspect ratio of pixels is an error.
_MIN_ASPECT = Fraction(1, 10)
