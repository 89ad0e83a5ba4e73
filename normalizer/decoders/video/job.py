"""The video jobs of the sandbox: first frame and new container in one pass, and a slower one that encodes."""

import mmap
import os
from typing import Any

import av

from normalizer.canvas import Canvas
from normalizer.decoders.photo import render
from normalizer.decoders.photo.orientation import swaps_sides
from normalizer.media import MediaRejected
from normalizer.sandbox.job import JobFunction, JobRequest

from . import recorded, samples, structure
from .bitstream import IrregularStream
from .demuxer import (
    CheckedVideo,
    VideoSource,
    checked_boxes,
    checked_recording,
    open_video,
)
from .first_frame import Frame, first_frame, rows
from .remux import audio_plays, copy_tracks, rebuild, video_plays
from .transcode import Plan, progress_reporter, track_writers


def video(request: JobRequest) -> dict[str, Any]:
    """Render the first frame, then write the video, or return what must be encoded first."""
    _, canvas_file, target = request.files
    canvas = Canvas(request.message["preview_side"])
    checked = _checked(request)
    source = open_video(checked)
    if source.seconds > request.message["max_seconds"]:
        raise MediaRejected("too_long", f"{source.seconds:.0f} s")
    frame = first_frame(source)
    turn = checked.orientation(source.video)
    preview = render.render_rows(
        rows(frame, request.message["poster_side"]), turn, canvas, canvas_file
    )
    request.notify({**_display_size(frame, turn), "preview": preview.size, "translucent": False})
    plan = _plan(source, frame, always=request.message["always"])
    if not plan.video and not plan.audio:
        try:
            return {"bytes": rebuild(open_video(checked), target, copy_tracks)}
        except IrregularStream:
            plan = Plan(video=True, audio=True)
    return {"plan": {"video": plan.video, "audio": plan.audio}}


def encode(request: JobRequest) -> dict[str, Any]:
    """Write the video and encode what the plan names, or everything. Return whether the video track was encoded."""
    _, target = request.files
    plan = Plan(**request.message["plan"])
    checked = _checked(request)
    source = open_video(checked)
    frame = first_frame(source)
    turn = checked.orientation(source.video)
    report = progress_reporter(request.notify, source.seconds)
    try:
        size = rebuild(open_video(checked), target, track_writers(plan, frame, turn), report)
    except IrregularStream:
        plan = Plan(video=True, audio=True)
        size = rebuild(open_video(checked), target, track_writers(plan, frame, turn), report)
    return {"bytes": size, "video": plan.video}


JOBS: dict[str, JobFunction] = {"video": video, "encode": encode}


def _checked(request: JobRequest) -> CheckedVideo:
    """Check the structure of the file before a library sees it."""
    source_file = request.files[0]
    data = memoryview(mmap.mmap(source_file, request.message["bytes"], access=mmap.ACCESS_READ))
    if request.message["format"] == "webm":
        return checked_recording(recorded.read(data))
    return checked_boxes(source_file, structure.read(data))


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
    for format, sample in samples.short_videos():
        for name in ("video", "encode"):
            _warm_up_job(name, format, sample)


def _warm_up_job(name: str, format: str, sample: bytes) -> None:
    canvas = Canvas(64)
    source_file, canvas_file, target = files = [os.memfd_create("warm-up") for _ in range(3)]
    os.write(source_file, sample)
    os.ftruncate(canvas_file, canvas.size)
    message = {
        "bytes": len(sample),
        "format": format,
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
