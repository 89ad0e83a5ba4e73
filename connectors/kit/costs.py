"""Tests of what `verify` costs before proof: anybody may send the largest body allowed, filled with anything."""

import gzip
import hmac
import re
import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest

from connectors.contract import Request
from connectors.errors import Forbidden

from .subject import Subject

#: How many times as long as one HMAC-SHA256 of the same bytes `verify` may take. Several secrets, and several forms of
#: a signed URL, each cost one; decoding a body costs hundreds.
MAX_TIME = 40
#: How many times the bytes of the body `verify` may take in memory.
MAX_MEMORY = 8
#: A smaller body counts as this many bytes: below, the cost of any call exceeds that of the HMAC.
_SMALLEST = 64 * 1024
#: A larger body shows nothing new.
_LARGEST = 4 * 1024 * 1024
_ROUNDS = 5

#: Bodies that are cheap to send and expensive to decode, by name: each fills the size it is given.
HOSTILE: dict[str, Callable[[int], bytes]] = {
    "escapes": lambda size: _filled(b"%e4", size),
    "escapes between letters": lambda size: _filled(b"a%e4", size),
    "separators": lambda size: _filled(b"&", size),
    "fields": lambda size: _filled(b"a=&", size),
    "deep JSON": lambda size: _filled(b"[", size // 2) + _filled(b"]", size // 2),
    "wide JSON": lambda size: b"[" + _filled(b"[],", size - 6) + b"[]]",
    "many keys": lambda size: b'{"a":0' + _filled(b',"b":0', size - 12) + b"}",
    "a compressed bomb": lambda size: gzip.compress(bytes(16 * size))[:size],
    "bytes that are not UTF-8": lambda size: _filled(b"\xe4", size),
}


class CostChecks(Subject):
    """Tests that a stranger's request costs little."""

    @pytest.mark.parametrize("filling", HOSTILE)
    def test_verify_costs_little_more_than_the_signature(self, filling: str) -> None:
        request = self._unproved(HOSTILE[filling](min(self.connector.max_body, _LARGEST)))
        size = max(len(request.body), _SMALLEST)
        signature = _quickest(lambda: hmac.digest(b"a key", bytes(size), "sha256"))
        taken = _quickest(lambda: self._refuse(request)) / signature
        assert taken <= MAX_TIME, (
            f"verify takes {taken:.0f} times as long as an HMAC of the same body ({filling}). Compute the signature "
            "over the raw bytes; refuse what cannot be signed before decoding; declare a smaller max_body"
        )
        used = _memory(lambda: self._refuse(request)) / size
        assert used <= MAX_MEMORY, (
            f"verify takes {used:.0f} times the memory of the body ({filling}). Do not decode, decompress or copy a "
            "body before it is proved; declare a smaller max_body"
        )

    def test_proof_matches_every_genuine_request(self) -> None:
        for recording in self.recorded:
            genuine = self.genuine(recording)
            for request in (genuine, *self.variants(genuine)):
                for name, shape in self.connector.proof.items():
                    assert name == name.lower(), f"{name} in proof must be in lower case"
                    assert re.fullmatch(shape, request.headers.get(name, "")), (
                        f"proof would refuse the genuine request {recording.name} because of its header {name}"
                    )

    def test_a_proof_of_the_caller_needs_no_body(self) -> None:
        """The gateway verifies such a request before it reads the body."""
        if self.connector.covers == {"caller"}:
            for recording in self.recorded:
                self.connector.verify(replace(self.genuine(recording), body=b""))

    def _unproved(self, body: bytes) -> Request:
        """A request like a genuine one, with another body, and with a proof of the right form that is wrong."""
        genuine = self.genuine(self.recorded[0])
        proof = genuine.headers[self.signature_header]
        middle = len(proof) // 2
        wrong = proof[:middle] + ("0" if proof[middle] != "0" else "1") + proof[middle + 1 :]
        headers = {**genuine.headers, self.signature_header: wrong}
        return replace(genuine, headers=headers, body=body)

    def _refuse(self, request: Request) -> None:
        with suppress(Forbidden):
            self.connector.verify(request)


def _filled(unit: bytes, size: int) -> bytes:
    """`unit`, repeated up to `size` bytes without being cut."""
    return unit * (size // len(unit))


def _quickest(work: Callable[[], object]) -> float:
    """The processor time of the quickest of several rounds (seconds): other programs cannot shorten it."""
    rounds = []
    for _ in range(_ROUNDS):
        begin = time.thread_time()
        work()
        rounds.append(time.thread_time() - begin)
    return max(min(rounds), 1e-9)


def _memory(work: Callable[[], object]) -> int:
    """The most memory that a call has taken at a time (bytes)."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
