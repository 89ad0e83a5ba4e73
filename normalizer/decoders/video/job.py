"""The video jobs of the sandbox: first frame and new container in one pass, and a slower one that encodes."""

import io
import mmap
import os
from fractions import Fraction
from typing import Any

import av
import numpy as np

from normalizer.canvas import Canvas
from normalizer.decoders.photo import render
from normalizer.decoders.photo.orientation import swaps_sides
from normalizer.media import MediaRejected
from normalizer.sandbox.job import JobFunction, JobRequest

from . import structure
from .bitstream import IrregularStream
from .demuxer import VideoSource, open_video
from .first_frame import Frame, first_frame, rows
from .remux import audio_plays, copy_tracks, rebuild, video_plays
from .structure import Structure
from .transcode import Plan, progress_reporter, track_writers


def video(request: JobRequest) -> dict[str, Any]:
    """Render the first frame, then write the video, or return what must be encoded first."""
    source_file, canvas_file, target = request.files
    canvas = Canvas(request.message["preview_side"])
    boxes = _structure(request)
    source = open_video(source_file, boxes)
    if source.seconds > request.message["max_seconds"]:
        raise MediaRejected("too_long", f"{source.seconds:.0f} s")
    frame = first_frame(source)
    turn = boxes.orientation(source.video.id)
    preview = render.render_rows(
        rows(frame, request.message["poster_side"]), turn, canvas, canvas_file
    )
    request.notify({**_display_size(frame, turn), "preview": preview.size, "translucent": False})
    plan = _plan(source, frame, always=request.message["always"])
    if not plan.video and not plan.audio:
        try:
            return {"bytes": rebuild(open_video(source_file, boxes), target, copy_tracks)}
        except IrregularStream:
            plan = Plan(video=True, audio=True)
    return {"plan": {"video": plan.video, "audio": plan.audio}}


def encode(request: JobRequest) -> dict[str, Any]:
    """Write the video and encode what the plan names, or everything. Return whether the video track was encoded."""
    source_file, target = request.files
    plan = Plan(**request.message["plan"])
    boxes = _structure(request)
    source = open_video(source_file, boxes)
    frame = first_frame(source)
    turn = boxes.orientation(source.video.id)
    report = progress_reporter(request.notify, source.seconds)
    try:
        size = rebuild(
            open_video(source_file, boxes), target, track_writers(plan, frame, turn), report
        )
    except IrregularStream:
        plan = Plan(video=True, audio=True)
        size = rebuild(
            open_video(source_file, boxes), target, track_writers(plan, frame, turn), report
        )
    return {"bytes": size, "video": plan.video}


JOBS: dict[str, JobFunction] = {"video": video, "encode": encode}


def _structure(request: JobRequest) -> Structure:
    data = mmap.mmap(request.files[0], request.message["bytes"], access=mmap.ACCESS_READ)
    return structure.read(memoryview(data))


def _display_size(frame: Frame, turn: int) -> dict[str, int]:
    sides = (frame.height, frame.width) if swaps_sides(turn) else (frame.width, frame.height)
    return {"width": sides[0], "height": sides[1]}


def _plan(source: VideoSource, frame: Frame, *, always: bool) -> Plan:
    return Plan(
        video=always or not video_plays(source, frame.coded),
        audio=source.audio is not None and (always or not audio_plays(source)),
    )


def warm_up() -> None:
    """Process a video from end to end, so that nothing is loaded later."""
    av.logging.set_level(None)
    sample = _sample()
    for name in ("video", "encode"):
        _warm_up_job(name, sample)


def _warm_up_job(name: str, sample: bytes) -> None:
    canvas = Canvas(64)
    source_file, canvas_file, target = files = [os.memfd_create("warm-up") for _ in range(3)]
    os.write(source_file, sample)
    os.ftruncate(canvas_file, canvas.size)
    message = {
        "bytes": len(sample),
        "preview_side": canvas.side,
        "poster_side": canvas.side,
        "max_seconds": 60,
        "always": False,
        "plan": {"video": True, "audio": True},
    }
    if name == "video":
        video(JobRequest(message, files, lambda _: None))
    else:
        encode(JobRequest(message, [source_file, target], lambda _: None))
    for file in files:
        os.close(file)


def _sample() -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as output:
        video_stream = output.add_stream("libx264", rate=25)
        video_stream.width = video_stream.height = 64
        video_stream.pix_fmt = "yuv420p"
        video_stream.codec_context.thread_count = 1
        audio_stream = output.add_stream("aac", rate=44100)
        audio_stream.layout = "mono"
        for number in range(4):
            frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            output.mux(video_stream.encode(frame))
        silence = av.AudioFrame.from_ndarray(
            np.zeros((1, 1024), np.float32), format="fltp", layout="mono"
        )
        silence.sample_rate = 44100
        output.mux(audio_stream.encode(silence))
        output.mux(video_stream.encode(None))
        output.mux(audio_stream.encode(None))
    return buffer.getvalue()
