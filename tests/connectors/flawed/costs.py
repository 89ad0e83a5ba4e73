"""Flaws in what `verify` costs, and in what is declared about proofs."""

import json
import zlib
from collections.abc import Mapping
from contextlib import suppress
from typing import ClassVar
from urllib.parse import parse_qs

import orjson

from connectors import Forbidden, Request, inflate, matches_any, revealed
from tests.connectors.sound import Acme, proof

from .registry import fails

COST = "verify_costs_little_more_than_the_signature"


@fails(COST)
class DecodesAFormBeforeVerifying(Acme):
    def verify(self, request: Request) -> None:
        with suppress(ValueError):
            parse_qs(request.body.decode(errors="replace"), keep_blank_values=True)
        super().verify(request)


@fails(COST)
class ReadsJsonBeforeVerifying(Acme):
    def verify(self, request: Request) -> None:
        with suppress(ValueError):
            orjson.loads(request.body)
        super().verify(request)


@fails(COST)
class ReadsJsonSlowlyBeforeVerifying(Acme):
    def verify(self, request: Request) -> None:
        with suppress(ValueError, RecursionError):
            json.loads(request.body)
        super().verify(request)


@fails(COST)
class InflatesBeforeVerifying(Acme):
    def verify(self, request: Request) -> None:
        with suppress(ValueError):
            inflate(request.body, self.max_body)
        super().verify(request)


@fails(COST)
class InflatesWithoutALimit(Acme):
    def verify(self, request: Request) -> None:
        with suppress(zlib.error):
            zlib.decompress(request.body, wbits=31)
        super().verify(request)


@fails(COST)
class AddsUpTheBodyByteByByte(Acme):
    def verify(self, request: Request) -> None:
        total = 0
        for byte in request.body:
            total = (31 * total + byte) % 65_521
        if total < 0:
            raise Forbidden("the body does not add up")
        super().verify(request)


@fails(COST)
class CopiesTheBodyForEveryAttempt(Acme):
    def verify(self, request: Request) -> None:
        copies = [request.body + bytes([number]) for number in range(16)]
        super().verify(request)
        del copies


@fails(COST)
class ComputesTheSignatureAHundredTimes(Acme):
    def verify(self, request: Request) -> None:
        expected = [
            proof(f"{secret}{number or ''}", request.body)
            for secret in revealed(self.config.secrets)
            for number in range(50)
        ]
        if not matches_any(expected, request.headers.get("x-acme", "").lower()):
            raise Forbidden("X-Acme matches none of secrets")


@fails("proof_matches_every_genuine_request")
class DeclaresAnotherForm(Acme):
    proof: ClassVar[Mapping[str, str]] = {"x-acme": "[0-9a-f]{64}"}


@fails("proof_matches_every_genuine_request")
class DeclaresAnotherHeader(Acme):
    proof: ClassVar[Mapping[str, str]] = {"x-acme-signature": ".+"}


@fails("a_proof_of_the_caller_needs_no_body")
class DeclaresThatOnlyTheCallerIsCovered(Acme):
    covers = frozenset({"caller"})
