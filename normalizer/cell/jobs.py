"""The jobs a cell can do, by name."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Order:
    """One job: what the gateway asks, and the descriptors to do it with."""

    message: dict[str, Any]
    #: The source, the canvas for pixels, and for films the file to write.
    files: list[int]
    #: Sends a note ahead of the answer.
    tell: Callable[[dict[str, Any]], None]
    #: What is large: it is cleared away with the process, when the gateway closes the door or kills.
    kept: list[object] = field(default_factory=list)


Job = Callable[[Order], dict[str, Any]]

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
