"""Videos as browsers record them: VP8 and Opus in WebM, of open length, with tags that must reach nobody."""

import io
from fractions import Fraction

import av
import numpy as np

from simulator.scenery import Scene, drawn

from .sample import PLACE, Sample, canaries_for
from .sounds import frames, syllables

_FPS = 15
_RATE = 48_000
#: Open sizes, no index, and no random numbers.
_LIVE = {"live": "1", "fflags": "+bitexact"}
#: With a positive speed, the encoder adapts to the machine, and no two files are the same.
_QUICKLY = {"deadline": "realtime", "cpu-used": "-8"}


def recording(
    scene: Scene = "washer",
    seconds: float = 3.0,
    width: int = 640,
    height: int = 360,
    *,
    seed: int = 1,
    name: str = "recording.webm",
) -> Sample:
    """Return a recording of the camera and the microphone, as a page on a brand's site makes it."""
    canary = f"canary-recording-{seed}"
    file = io.BytesIO()
    with av.open(file, "w", format="webm", options=_LIVE) as output:
        output.metadata.update({"title": canary, "comment": f"{canary}-comment", "location": PLACE})
        video = output.add_stream("libvpx", rate=_FPS, options=_QUICKLY)
        assert isinstance(video, av.VideoStream)
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        video.metadata["title"] = f"{canary}-track"
        audio = output.add_stream("libopus", rate=_RATE, layout="mono")
        assert isinstance(audio, av.AudioStream)
        for number in range(count := round(seconds * _FPS)):
            image = drawn(scene, width, height, seed=seed, progress=number / count)
            frame = av.VideoFrame.from_ndarray(np.asarray(image), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, _FPS)
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
        for sound in frames(syllables(seconds, _RATE, seed), audio, _RATE, "mono"):
            output.mux(audio.encode(sound))
        output.mux(audio.encode(None))
    content = file.getvalue() + f"{canary}-trailing".encode()
    canaries = canaries_for(canary, "comment", "track", "trailing")
    return Sample(name, "video/webm", content, (*canaries, b"52.5200"))
