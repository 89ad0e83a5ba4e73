"""Jobs for the sandbox."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class JobRequest:
    """A request for one job, with the descriptors it needs."""

    message: dict[str, Any]
    #: The source, the canvas for pixels and, for a video, the file to write.
    files: list[int]
    #: Sends a note before the answer.
    notify: Callable[[dict[str, Any]], None]
    #: Large objects. They are freed with the process, when the gateway closes the control socket or kills it.
    keep_alive: list[object] = field(default_factory=list)
    #: Waits until the gateway lets the job proceed, once for each note that asks for it.
    wait: Callable[[], None] = lambda: None


JobFunction = Callable[[JobRequest], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Decoders:
    """The jobs that a sandbox can do, by name, with their libraries loaded and warm."""

    jobs: Mapping[str, JobFunction]
    #: Runs in each child before its isolation layers, to touch the memory that every child must copy after a fork.
    warm_child: Callable[[], None]
    #: Sentences for the log, for example about a library of an unknown version, which is then not used.
    warnings: tuple[str, ...] = ()
