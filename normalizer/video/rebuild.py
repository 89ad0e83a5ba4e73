"""Inside a cell: a new MP4 around the first video and the first audio track, and the first frame."""

import os
from collections.abc import Mapping
from typing import Any

import av
from av.container import InputContainer, OutputContainer
from av.video.frame import VideoFrame
from PIL import Image

from ..media import MediaRejected
from ..photo.canvas import Canvas
from ..photo.decode import paint
from .cursor import Cursor

#: `mov` is the only demuxer asked, so that a playlist posing as MP4 is none; codec_whitelist keeps
#: libavformat from decoding on its own while it probes.
_PROBE = {
    "codec_whitelist": "none",
    "format_whitelist": "mov",
    "enable_drefs": "0",
    "use_absolute_path": "0",
}
_BUFFER = 1 << 18


def warm_up() -> None:
    av.logging.set_level(None)


def video(message: Mapping[str, Any], pixels: int, files: list[int]) -> dict[str, Any]:
    """The job: writes the film, paints poster and thumbnail, tells sizes and duration."""
    source, film = files
    canvas = Canvas(message["thumbnail_side"], message["preview_side"])
    with _open(source) as container:
        if not container.streams.video:
            raise MediaRejected("unsupported_type", "no video track")
        duration = (container.duration or 0) / av.time_base
        if duration > message["max_seconds"]:
            raise MediaRejected("too_long", f"{duration:.0f} s")
        frame = _first_frame(container)
    poster = _upright(frame)
    full = poster.size
    poster.thumbnail((canvas.preview_side, canvas.preview_side))
    with _open(source) as container:
        _remux(container, film)
    return {
        "width": full[0],
        "height": full[1],
        "duration": duration,
        "bytes": os.fstat(film).st_size,
        **paint(canvas, pixels, poster),
    }


def _open(source: int) -> InputContainer:
    return av.open(Cursor(source), format="mov", container_options=_PROBE, buffer_size=_BUFFER)


def _first_frame(container: InputContainer) -> VideoFrame:
    stream = container.streams.video[0]
    stream.codec_context.thread_type = "NONE"
    stream.codec_context.thread_count = 1
    for packet in container.demux(stream):
        for frame in stream.codec_context.decode(packet):
            return frame
    raise MediaRejected("corrupt", "no frame can be decoded")


def _upright(frame: VideoFrame) -> Image.Image:
    rgb = frame.reformat(format="rgb24", threads=1)
    image = rgb.to_image()
    return image.rotate(frame.rotation, expand=True) if frame.rotation else image


def _remux(container: InputContainer, film: int) -> None:
    with av.open(
        Cursor(film),
        "w",
        format="mp4",
        options={"movflags": "+faststart", "fflags": "+bitexact"},
        buffer_size=_BUFFER,
        io_open=lambda _url, _flags, _options: Cursor(film),
    ) as output:
        tracks = _tracks(container, output)
        for packet in container.demux(*tracks):
            if packet.dts is None:
                continue
            packet.stream = tracks[packet.stream]
            output.mux(packet)


def _tracks(container: InputContainer, output: OutputContainer) -> dict[Any, Any]:
    wanted = [container.streams.video[0], *container.streams.audio[:1]]
    tracks = {stream: output.add_stream_from_template(stream) for stream in wanted}
    for track in tracks.values():
        track.metadata.clear()
    output.metadata.clear()
    return tracks
