"""The film jobs of a cell: first frame and new container in one pass; a slower one where it must encode."""

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
from normalizer.sandbox.job import JobRequest, JobSpec

from . import structure
from .bitstream import Irregular
from .demuxer import VideoSource, open_video
from .first_frame import Frame, first_frame, rows
from .remux import copied, picture_plays, rebuild, sound_plays
from .structure import Structure
from .transcode import Plan, heartbeat, lanes


def film(order: JobRequest) -> dict[str, Any]:
    """Paints the first frame, then writes the film, or tells what of it must be encoded first."""
    source, pixels, target = order.files
    canvas = Canvas(order.message["preview_side"])
    boxes = _structure(order)
    opened = open_video(source, boxes)
    if opened.seconds > order.message["max_seconds"]:
        raise MediaRejected("too_long", f"{opened.seconds:.0f} s")
    frame = first_frame(opened)
    turn = boxes.orientation(opened.picture.id)
    preview = render.lay_rows(rows(frame, order.message["poster_side"]), turn, canvas, pixels)
    order.tell({**_seen(frame, turn), "preview": preview.size, "translucent": False})
    plan = _plan(opened, frame, always=order.message["always"])
    if not plan.picture and not plan.sound:
        try:
            return {"bytes": rebuild(open_video(source, boxes), target, copied)}
        except Irregular:
            plan = Plan(picture=True, sound=True)
    return {"plan": {"picture": plan.picture, "sound": plan.sound}}


def encode(order: JobRequest) -> dict[str, Any]:
    """Writes the film, encoding what the plan says, or more; tells whether the picture is a new one."""
    source, target = order.files
    plan = Plan(**order.message["plan"])
    boxes = _structure(order)
    opened = open_video(source, boxes)
    frame = first_frame(opened)
    turn = boxes.orientation(opened.picture.id)
    seen = heartbeat(order.tell, opened.seconds)
    try:
        made = rebuild(open_video(source, boxes), target, lanes(plan, frame, turn), seen)
    except Irregular:
        plan = Plan(picture=True, sound=True)
        made = rebuild(open_video(source, boxes), target, lanes(plan, frame, turn), seen)
    return {"bytes": made, "picture": plan.picture}


JOBS: dict[str, JobSpec] = {"film": film, "encode": encode}


def _structure(order: JobRequest) -> Structure:
    data = mmap.mmap(order.files[0], order.message["bytes"], access=mmap.ACCESS_READ)
    return structure.read(memoryview(data))


def _seen(frame: Frame, turn: int) -> dict[str, int]:
    sides = (frame.height, frame.width) if swaps_sides(turn) else (frame.width, frame.height)
    return {"width": sides[0], "height": sides[1]}


def _plan(opened: VideoSource, frame: Frame, *, always: bool) -> Plan:
    return Plan(
        picture=always or not picture_plays(opened, frame.coded),
        sound=opened.sound is not None and (always or not sound_plays(opened)),
    )


def warm_up() -> None:
    """A film from end to end, so that nothing is loaded later."""
    av.logging.set_level(None)
    sample = _sample()
    for name in ("film", "encode"):
        _rehearse(name, sample)


def _rehearse(name: str, sample: bytes) -> None:
    canvas = Canvas(64)
    source, pixels, target = files = [os.memfd_create("rehearsal") for _ in range(3)]
    os.write(source, sample)
    os.ftruncate(pixels, canvas.size)
    message = {
        "bytes": len(sample),
        "preview_side": canvas.side,
        "poster_side": canvas.side,
        "max_seconds": 60,
        "always": False,
        "plan": {"picture": True, "sound": True},
    }
    if name == "film":
        film(JobRequest(message, files, lambda _: None))
    else:
        encode(JobRequest(message, [source, target], lambda _: None))
    for file in files:
        os.close(file)


def _sample() -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as output:
        picture = output.add_stream("libx264", rate=25)
        picture.width = picture.height = 64
        picture.pix_fmt = "yuv420p"
        picture.codec_context.thread_count = 1
        sound = output.add_stream("aac", rate=44100)
        sound.layout = "mono"
        for number in range(4):
            frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            output.mux(picture.encode(frame))
        silence = av.AudioFrame.from_ndarray(
            np.zeros((1, 1024), np.float32), format="fltp", layout="mono"
        )
        silence.sample_rate = 44100
        output.mux(sound.encode(silence))
        output.mux(picture.encode(None))
        output.mux(sound.encode(None))
    return buffer.getvalue()
