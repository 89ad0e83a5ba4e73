"""All bodies together take a bounded number of bytes."""

from dataclasses import dataclass
from typing import Any

from gateway.http.connections import Connections

MB = 1024 * 1024


@dataclass(eq=False)
class Body:
    """A connection whose body is arriving since `waits_since`."""

    waits_since: float
    closed: list[float]
    unanswered: int = 0
    is_reading: bool = True
    is_idle: bool = False
    is_delivery: bool = False

    def force_close(self) -> None:
        self.closed.append(self.waits_since)


def reading(since: float, closed: list[float]) -> Any:
    return Body(since, closed)


def test_bodies_that_arrive_longest_are_given_up() -> None:
    connections, closed = Connections(), list[float]()
    bodies = [reading(float(number), closed) for number in range(20)]
    for body in bodies:
        connections.opened(body)
    for _ in range(4):
        for body in bodies:
            connections.keep(body, MB)
    assert closed[:4] == [0.0, 1.0, 2.0, 3.0]
    assert sum(body.unanswered for body in bodies) <= 64 * MB


def test_answered_requests_free_their_bytes() -> None:
    connections, closed = Connections(), list[float]()
    body = reading(1.0, closed)
    connections.opened(body)
    for _ in range(100):
        connections.keep(body, 4 * MB)
        connections.release(body)
    assert closed == []
