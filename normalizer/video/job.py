"""Inside a cell: a new MP4 around the first video and the first audio track, and the first frame."""

from typing import Any

import av
from av.container import InputContainer, OutputContainer
from av.video.frame import VideoFrame
from PIL import Image

from normalizer.cell.jobs import Job, Order
from normalizer.media import MediaRejected
from normalizer.photo.canvas import Canvas
from normalizer.photo import paint

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
    import io
    import os

    import numpy as np

    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as output:
        stream = output.add_stream("libx264", rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1
        for _ in range(3):
            frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    fds = [os.memfd_create("x") for _ in range(3)]
    os.write(fds[0], buffer.getvalue())
    os.ftruncate(fds[1], Canvas(32, 64).size)
    video(
        Order(
            {"thumbnail_side": 32, "preview_side": 64, "max_seconds": 10}, fds, lambda _: None
        )
    )
    for fd in fds:
        os.close(fd)


def video(order: Order) -> dict[str, Any]:
    """The job: writes the film, paints poster and thumbnail, tells sizes and duration."""
    message = order.message
    source, pixels, film = order.files
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
    preview = paint.lay(poster, canvas, pixels)
    order.tell(
        {
            "width": full[0],
            "height": full[1],
            "preview": preview.size,
            "translucent": False,
        }
    )
    return {"thumbnail": paint.thumbnail(preview, canvas, pixels), "duration": duration}


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


JOBS: dict[str, Job] = {"video": video}
