"""A hundred ways to get a connector wrong, each with a test of the kit that must fail for it.

The flawed connectors import only what a connector may import: the kit must find each flaw by its behaviour.
"""

from . import (
    agreement,
    calls,
    costs,
    declarations,
    evidence,
    limits,
    meaning,
    parsing,
    post_handshakes,
    proofs,
    relations,
    replies,
    reports,
    sending,
    state,
    tokens,
    verification,
)
from .registry import flaws

#: Every flawed connector, and a test of the kit that must fail for it.
FLAWS = list(
    flaws(
        (
            agreement,
            calls,
            costs,
            declarations,
            evidence,
            limits,
            meaning,
            parsing,
            post_handshakes,
            proofs,
            relations,
            replies,
            reports,
            sending,
            state,
            tokens,
            verification,
        )
    )
)

__all__ = [
    "FLAWS",
    "agreement",
    "calls",
    "costs",
    "declarations",
    "evidence",
    "limits",
    "meaning",
    "parsing",
    "post_handshakes",
    "proofs",
    "relations",
    "replies",
    "reports",
    "sending",
    "state",
    "tokens",
    "verification",
]
