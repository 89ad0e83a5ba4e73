"""The jobs a cell can do, by name."""

from typing import Any

from .order import Job, Order

#: Filled by `prepare`, so that nobody but the zygote loads the decoders.
JOBS: dict[str, Job] = {}


def prepare() -> None:
    """Loads and warms up everything a job may need: behind the walls nothing can be loaded."""
    from normalizer.photo import job as photo
    from normalizer.video import job as video

    from . import attempts

    JOBS["empty"] = lambda _: {}
    JOBS["attempt"] = attempts.attempt
    for kind in (photo, video):
        JOBS.update(kind.JOBS)
        kind.warm_up()


def run(order: Order) -> dict[str, Any]:
    return JOBS[order.message["job"]](order)


def warm_cell() -> None:
    from normalizer.photo import job as photo

    photo.warm_cell()
