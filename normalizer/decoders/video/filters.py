"""Filters between a decoder and an encoder or a poster: scaling, tone mapping, turning upright."""

from collections.abc import Iterator
from fractions import Fraction

import av
from av.filter import Graph
from av.filter.context import FilterContext
from av.video.frame import VideoFrame

from normalizer.decoders.photo.orientation import UPRIGHT

from .tone_mapping import is_high_dynamic_range, table

#: EXIF's orientations, as filters.
_TURNS: dict[int, tuple[tuple[str, str], ...]] = {
    1: (),
    2: (("hflip", ""),),
    3: (("hflip", ""), ("vflip", "")),
    4: (("vflip", ""),),
    5: (("transpose", "cclock_flip"),),
    6: (("transpose", "clock"),),
    7: (("transpose", "clock_flip"),),
    8: (("transpose", "cclock"),),
}

#: AVCOL_SPC_… in the words of the filter `scale`, which would otherwise guess differently from browsers.
_MATRICES = {
    1: "bt709",
    4: "fcc",
    5: "bt601",
    6: "bt601",
    7: "smpte240m",
    9: "bt2020",
    10: "bt2020",
}
_HD_ROWS = 720


def matrix(frame: VideoFrame) -> str:
    """Return the colour matrix of a frame; if the video states none, the one that browsers assume."""
    return _MATRICES.get(frame.colorspace, "bt709" if frame.height >= _HD_ROWS else "bt601")


class Pipeline:
    """Filters for frames with the size, format and colours of the first one."""

    def __init__(
        self, frame: VideoFrame, size: tuple[int, int], pixel_format: str, turn: int = UPRIGHT
    ) -> None:
        self._format = _frame_format(frame)
        graph = self._graph = Graph()
        graph.threads = 1
        base = frame.time_base or Fraction(1, 90000)
        self._source = graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=base
        )
        last = self._append(
            self._source,
            ("scale", f"{size[0]}:{size[1]}:in_color_matrix={matrix(frame)}:flags=bilinear"),
        )
        if is_high_dynamic_range(frame):
            last = self._add_tone_mapping(last, frame.color_trc, base)
        last = self._append(
            last,
            *_TURNS[turn],
            (
                "scale",
                "out_color_matrix=bt709:out_range=" + ("pc" if pixel_format == "rgb0" else "tv"),
            ),
            ("format", pixel_format),
        )
        self._sink = graph.add("buffersink")
        last.link_to(self._sink)
        graph.configure()
        if is_high_dynamic_range(frame):
            self._feed_table(frame.color_trc, base)

    def accepts(self, frame: VideoFrame) -> bool:
        """Whether a frame has the size, format and colours of the first one."""
        return _frame_format(frame) == self._format

    def frames(self, frame: VideoFrame | None) -> Iterator[VideoFrame]:
        """Yield the filtered frames after a frame was fed in; None marks the end."""
        self._source.push(frame)
        while True:
            try:
                out = self._sink.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            assert isinstance(out, VideoFrame)
            yield out

    def _add_tone_mapping(
        self, last: FilterContext, transfer: int, base: Fraction
    ) -> FilterContext:
        # The filter confuses the order of integer planes, and is fastest with floats.
        last = self._append(last, ("format", "gbrpf32le"))
        colours = table(transfer)
        self._table = self._graph.add_buffer(
            width=colours.width, height=colours.height, format=colours.format, time_base=base
        )
        tone = self._graph.add("haldclut")
        last.link_to(tone, 0, 0)
        self._table.link_to(tone, 0, 1)
        return tone

    def _feed_table(self, transfer: int, base: Fraction) -> None:
        colours = table(transfer)
        colours.pts, colours.time_base = 0, base
        self._table.push(colours)
        self._table.push(None)

    def _append(self, last: FilterContext, *filters: tuple[str, str]) -> FilterContext:
        for name, arguments in filters:
            node = self._graph.add(name, arguments or None)
            last.link_to(node)
            last = node
        return last


def _frame_format(frame: VideoFrame) -> tuple[int, int, str, int, int]:
    return (frame.width, frame.height, frame.format.name, frame.color_trc, frame.colorspace)
