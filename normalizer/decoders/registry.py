"""The jobs a cell can do."""

from normalizer.sandbox.job import Decoders


def load() -> Decoders:
    """Load and warm up everything a job may need: behind the walls nothing can be loaded.

    Only the zygote calls this, so that no decoder is ever loaded into the gateway.
    """
    from .photo import job as photo
    from .video import job as video

    warnings = photo.warm_up()
    video.warm_up()
    return Decoders({**photo.JOBS, **video.JOBS}, photo.warm_child, tuple(warnings))
