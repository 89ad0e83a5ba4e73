"""The jobs that a sandbox can do."""

from normalizer.sandbox.job import Decoders


def load() -> Decoders:
    """Load and warm up everything that a job may need: the isolation layers prevent loading.

    Only the zygote calls this, so no decoder is ever loaded into the gateway.
    """
    from .audio import job as audio
    from .document import job as document
    from .photo import job as photo
    from .video import job as video

    warnings = photo.warm_up()
    video.warm_up()
    audio.warm_up()
    document.warm_up()
    jobs = {**photo.JOBS, **video.JOBS, **audio.JOBS, **document.JOBS}
    return Decoders(jobs, photo.warm_child, tuple(warnings))
