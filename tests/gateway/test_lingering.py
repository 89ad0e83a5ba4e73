"""Bodies that are refused unread cost little: one sender sees the answer, a crowd is cut off."""

from gateway.http.connections import Connections


def test_a_lone_sender_may_finish_a_refused_body() -> None:
    connections = Connections()
    assert all(connections.may_linger(64 * 1024) for _ in range(80))


def test_a_crowd_of_refused_bodies_is_cut_off() -> None:
    connections = Connections()
    taken = sum(connections.may_linger(256 * 1024) for _ in range(20 * 16))
    assert 32 <= taken <= 40
