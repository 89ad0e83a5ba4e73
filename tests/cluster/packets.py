"""Packets that the kernel drops, as a cut cable does: no answer, no acknowledgement, no reset.

Rules are set only in a network namespace of the harness (`scripts/own_network.sh`), which takes them along when it ends.
"""

import os
import subprocess

#: Set by scripts/own_network.sh in the namespace.
IS_POSSIBLE = os.environ.get("OWN_NETWORK") == "1"

Rule = tuple[str, ...]


class Cut:
    """The packets from and to a port of the loopback interface, perhaps only of one peer's address."""

    def __init__(self, port: int, peer: str | None = None) -> None:
        there = ("-s", peer) if peer else ()
        back = ("-d", peer) if peer else ()
        self._requests: Rule = ("-p", "tcp", *there, "--dport", str(port), "-j", "DROP")
        self._answers: Rule = ("-p", "tcp", *back, "--sport", str(port), "-j", "DROP")
        self._dropped: list[Rule] = []

    def drop(self, *, requests: bool = True, answers: bool = True) -> None:
        """Drop what goes to the port, what comes from it, or both, until `restore`."""
        wanted = [(requests, self._requests), (answers, self._answers)]
        for rule in [rule for asked, rule in wanted if asked]:
            _iptables("--insert", rule)
            self._dropped.append(rule)

    def restore(self) -> None:
        while self._dropped:
            _iptables("--delete", self._dropped.pop())


def _iptables(action: str, rule: Rule) -> None:
    assert IS_POSSIBLE, "rules would reach the machine's own network"
    subprocess.run(["iptables", action, "INPUT", *rule], check=True)
