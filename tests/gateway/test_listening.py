"""Sockets that a supervisor opened: taken if they were meant for this process and can be used, named otherwise."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.http.listening import inherited, listen
from gateway.observability.system_errors import CannotStart
from gateway.settings import Address


@pytest.fixture
def held() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock


def environment(**changed: str) -> dict[str, str]:
    given = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1", "LISTEN_FDNAMES": "gateway"}
    return {**given, **changed}


@pytest.mark.parametrize("name", ["gateway", "webchat", "airlock.socket", "unknown"])
def test_a_socket_of_the_supervisor_is_taken(held: socket.socket, name: str) -> None:
    environ = environment(LISTEN_FDNAMES=name)

    (found,) = inherited(environ, os.dup(held.fileno()))

    assert found.name == name
    assert found.socket.getsockname() == held.getsockname()
    assert not os.get_inheritable(found.socket.fileno())
    # A child of ours must not take it for its own.
    assert environ == {}
    found.socket.close()


def test_a_socket_without_a_name_is_taken(held: socket.socket) -> None:
    environ = environment()
    del environ["LISTEN_FDNAMES"]

    (found,) = inherited(environ, os.dup(held.fileno()))

    assert found.name == "unknown"
    found.socket.close()


@pytest.mark.parametrize(
    "changed", [{"LISTEN_PID": "1"}, {"LISTEN_FDS": ""}, {"LISTEN_FDS": "x"}, {"LISTEN_PID": ""}]
)
def test_sockets_of_another_process_are_left_alone(
    held: socket.socket, changed: dict[str, str]
) -> None:
    assert inherited(environment(**changed), held.fileno()) == []


@pytest.mark.parametrize(
    ("family", "names", "words"),
    [
        (socket.AF_UNIX, "gateway", "write ListenStream= with an address and a port"),
        (socket.AF_INET, "tea", "nothing serves the socket tea"),
    ],
)
def test_a_socket_that_cannot_be_used_is_named(
    tmp_path: Path, family: Any, names: str, words: str
) -> None:
    with socket.socket(family) as other:
        other.bind(str(tmp_path / "s") if family == socket.AF_UNIX else ("127.0.0.1", 0))
        other.listen()
        with pytest.raises(CannotStart, match=words):
            inherited(environment(LISTEN_FDNAMES=names), os.dup(other.fileno()))


def test_a_descriptor_that_does_not_listen_is_named(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w") as file, pytest.raises(CannotStart, match="is not a socket"):
        inherited(environment(), file.fileno())
    with socket.socket() as idle, pytest.raises(CannotStart, match="without Accept=yes"):
        inherited(environment(), os.dup(idle.fileno()))


def test_an_address_is_opened_without_a_supervisor() -> None:
    with listen(Address("127.0.0.1", 0)) as sock:
        assert sock.getsockname()[0] == "127.0.0.1"
