"""A video in WebM or Matroska: refused unless it is whole, as far as the file says what whole is."""

from normalizer.decoders.matroska import reading
from normalizer.decoders.matroska.reading import Recording
from normalizer.media import MediaRejected


def read(data: memoryview) -> Recording:
    """Return the pictures and the sound of a file. Raise MediaRejected.

    A file that states its length must have all of it. A live recording states none, and ends where it ends.
    """
    recording = reading.read(data, pictures=True)
    if recording.gaps:
        raise MediaRejected("corrupt", "the video is damaged between its frames")
    if recording.is_cut and not recording.is_open:
        raise MediaRejected("corrupt", "the video is truncated")
    if recording.steps_back:
        raise MediaRejected("corrupt", "the video's timestamps do not advance")
    return recording
