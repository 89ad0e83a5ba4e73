"""A hundred ways to get a connector wrong, each with a test of the kit that must fail for it.

The flawed connectors import only what a connector may import: the kit must find each flaw by its behaviour.
"""

from . import (
    agreement,
    calls,
    completeness,
    costs,
    declarations,
    evidence,
    identity,
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
    wording,
)
from .registry import flaws

#: Every flawed connector, and a test of the kit that must fail for it.
FLAWS = list(
    flaws(
        (
            agreement,
            calls,
            completeness,
            costs,
            declarations,
            evidence,
            identity,
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
            wording,
        )
    )
)

__all__ = [
    "FLAWS",
    "agreement",
    "calls",
    "completeness",
    "costs",
    "declarations",
    "evidence",
    "identity",
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
    "wording",
]
