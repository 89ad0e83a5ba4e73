"""The audio jobs of the sandbox: sound to numbers, and, in another sandbox that sees nothing else, numbers to AAC."""

import io
import mmap
import os
from dataclasses import dataclass
from typing import Any

import av

from normalizer.decoders.matroska import reading
from normalizer.decoders.matroska.reading import Recording
from normalizer.decoders.video import structure
from normalizer.decoders.video.masked_file import MaskedFile
from normalizer.decoders.video.transcode import progress_reporter
from normalizer.media import MediaRejected
from normalizer.sandbox.job import JobFunction, JobRequest
from normalizer.sound import MAX_BYTES, Form, SoundFormat

from . import encoding, samples, waveform
from .decoding import Converter, Tally, decoded
from .form import Origin, forms
from .promise import (
    is_mostly_sound,
    keeps_promise,
    padding_seconds,
    recording_keeps_promise,
)
from .source import SoundSource, open_sound
from .visible import VisibleFile, excerpt


class _DoesNotFit(Exception):
    """The sound is longer than it claims, and exceeds the budget in this form."""


class _TooLong(Exception):
    """The sound is longer than this job may decode."""


@dataclass(frozen=True, slots=True)
class _File:
    """A sender's file."""

    descriptor: int
    data: memoryview
    format: SoundFormat
    #: What our own code read of a WebM or Matroska file; None for other formats.
    recording: Recording | None

    def open(self) -> SoundSource:
        """Open it, from its start."""
        if self.recording:
            return open_sound(io.BytesIO(self.recording.content), self.format)
        if self.format == "m4a":
            boxes = structure.read(self.data)
            return open_sound(MaskedFile(self.descriptor, boxes.end, boxes.hidden), self.format)
        return open_sound(
            VisibleFile(self.descriptor, excerpt(self.data, self.format)), self.format
        )


def audio(request: JobRequest) -> dict[str, Any]:
    """Decode a file to numbers. Return their form, or that the sound is too long for a quick job."""
    source_file, target = request.files
    message = request.message
    data = memoryview(mmap.mmap(source_file, message["bytes"], access=mmap.ACCESS_READ))
    format = message["format"]
    recording = reading.read(data, pictures=False) if format == "webm" else None
    file = _File(source_file, data, format, recording)
    claimed = recording.seconds if recording else file.open().claimed_seconds
    if message["quick"] and claimed > message["seconds"]:
        return {"long": True}
    try:
        return _decode_in_best_form(file, claimed, target, message["seconds"])
    except _TooLong:
        if message["quick"]:
            return {"long": True}
        raise MediaRejected("too_long", f"more than {message['seconds']:g} s") from None


def encode_audio(request: JobRequest) -> dict[str, Any]:
    """Encode numbers, the only thing that this sandbox sees. Return the size of the file, and the waveform."""
    source_file, target = request.files
    message = request.message
    form = Form(message["rate"], message["channels"])
    size = message["bytes"]
    with mmap.mmap(source_file, size, access=mmap.ACCESS_READ) as memory:
        report = progress_reporter(request.notify, form.seconds(size))
        length = encoding.encode(memory, form, message["bit_rate"], target, report)
        return {"bytes": length, "waveform": waveform.bars(memory, form.channels)}


JOBS: dict[str, JobFunction] = {"audio": audio, "encode_audio": encode_audio}


def _decode_in_best_form(file: _File, claimed: float, target: int, most: float) -> dict[str, Any]:
    origin = _origin(file.open())
    for form in forms(origin, claimed):
        source, tally = file.open(), Tally()
        try:
            size = _decode(source, tally, form, target, most)
        except _DoesNotFit:
            continue
        if not size:
            break
        size -= form.whole_bytes(padding_seconds(file.format, source, form.seconds(size)))
        seconds = form.seconds(size) + tally.lost_seconds
        complete = (
            tally.is_whole
            and is_mostly_sound(file.format, len(file.data), tally.bytes)
            and _keeps_promise(file, source, seconds)
        )
        return {"bytes": size, "rate": form.rate, "channels": form.channels, "complete": complete}
    raise _nothing_decoded()


def _keeps_promise(file: _File, source: SoundSource, seconds: float) -> bool:
    if file.recording:
        return recording_keeps_promise(file.recording, seconds)
    return keeps_promise(file.data, file.format, source, seconds)


def _origin(source: SoundSource) -> Origin:
    for frame in decoded(source, Tally()):
        return Origin(frame.sample_rate, frame.layout.nb_channels)
    raise _nothing_decoded()


def _nothing_decoded() -> MediaRejected:
    return MediaRejected("corrupt", "nothing of the sound can be decoded")


def _decode(source: SoundSource, tally: Tally, form: Form, target: int, most: float) -> int:
    """Write the numbers, and return their size in bytes. Raise _TooLong or _DoesNotFit while they are written."""
    converter, size = Converter(form), 0
    longest = form.bytes_for(most)

    def write(block: bytes) -> None:
        nonlocal size
        if size + len(block) > longest:
            raise _TooLong
        if size + len(block) > MAX_BYTES:
            raise _DoesNotFit
        _write(target, block, size)
        size += len(block)

    for frame in decoded(source, tally):
        for block in converter.convert(frame):
            write(block)
    for block in converter.flush():
        write(block)
    return size


def _write(target: int, block: bytes, at: int) -> None:
    written = 0
    while written < len(block):
        written += os.pwrite(target, block[written:], at + written)


def warm_up() -> None:
    """Process sound from end to end in each format, so that nothing is loaded later."""
    av.logging.set_level(None)
    for format, content in samples.short_sounds():
        _warm_up_jobs(format, content)


def _warm_up_jobs(format: SoundFormat, content: bytes) -> None:
    source_file, numbers, target = files = [os.memfd_create("warm-up") for _ in range(3)]
    os.write(source_file, content)
    message = {"bytes": len(content), "format": format, "seconds": 60, "quick": False}
    result = audio(JobRequest(message, [source_file, numbers], _ignore))
    encode_audio(JobRequest({**result, "bit_rate": 64_000}, [numbers, target], _ignore))
    for file in files:
        os.close(file)


def _ignore(note: dict[str, Any]) -> None:
    """Nobody waits for the notes of a warm-up."""
