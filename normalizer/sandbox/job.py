"""What a cell is asked to do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class JobRequest:
    """One job: what the gateway asks, and the descriptors to do it with."""

    message: dict[str, Any]
    #: The source, the canvas for pixels, and for films the file to write.
    files: list[int]
    #: Sends a note ahead of the answer.
    notify: Callable[[dict[str, Any]], None]
    #: What is large: it is cleared away with the process, when the gateway closes the door or kills.
    keep_alive: list[object] = field(default_factory=list)


JobFunction = Callable[[JobRequest], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Decoders:
    """The jobs a cell can do, by name, loaded and warm."""

    jobs: Mapping[str, JobFunction]
    #: Runs in each cell before it raises its walls, on what a fork must touch once for itself.
    warm_child: Callable[[], None]
    #: Sentences for the log: for example a library of an unknown version, which is then not used.
    warnings: tuple[str, ...] = ()
