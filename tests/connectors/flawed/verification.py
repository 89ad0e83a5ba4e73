"""Flaws in `verify`."""

import hmac
from collections.abc import Generator
from dataclasses import replace

import orjson

from connectors import (
    Call,
    Download,
    Forbidden,
    Reply,
    Request,
    Sent,
    constant_time_equal,
    revealed,
)
from tests.connectors.sound import SECRET, Acme, proof

from .registry import fails

Flow = Generator[Call, Reply, Download]
SendFlow = Generator[Call, Reply, Sent]

ALTERED = "verify_rejects_a_missing_altered_or_truncated_signature"
MALFORMED = "verify_rejects_a_malformed_signature_without_crashing"
COVERED = "verify_rejects_a_change_to_anything_it_covers"


@fails(ALTERED)
class AcceptsEverything(Acme):
    def verify(self, request: Request) -> None:
        pass


@fails(ALTERED)
class AcceptsAnySignature(Acme):
    def verify(self, request: Request) -> None:
        if not request.headers.get("x-acme"):
            raise Forbidden("X-Acme is missing")


@fails(ALTERED)
class AcceptsAMissingSignature(Acme):
    def verify(self, request: Request) -> None:
        if "x-acme" in request.headers:
            super().verify(request)


@fails(MALFORMED)
class AcceptsAnEmptySignature(Acme):
    def verify(self, request: Request) -> None:
        if request.headers.get("x-acme", "no") != "":
            super().verify(request)


@fails(MALFORMED)
class ComparesText(Acme):
    def verify(self, request: Request) -> None:
        expected = [proof(secret, request.body) for secret in revealed(self.config.secrets)]
        given = request.headers.get("x-acme", "")
        if not any(hmac.compare_digest(one, given) for one in expected):
            raise Forbidden("X-Acme matches none of secrets")


@fails("verify_never_crashes_on_a_garbage_body")
class ParsesBeforeVerifying(Acme):
    def verify(self, request: Request) -> None:
        orjson.loads(request.body)
        super().verify(request)


@fails(ALTERED)
class RequiresTheSignatureHeader(Acme):
    def verify(self, request: Request) -> None:
        if proof(SECRET, request.body) != request.headers["x-acme"]:
            raise Forbidden("X-Acme does not match")


@fails("verify_compares_in_constant_time")
class ComparesWithIn(Acme):
    def verify(self, request: Request) -> None:
        expected = [proof(secret, request.body) for secret in revealed(self.config.secrets)]
        if request.headers.get("x-acme", "") not in expected:
            raise Forbidden("X-Acme matches none of secrets")


@fails(ALTERED)
class ShowsTheExpectedSignature(Acme):
    def verify(self, request: Request) -> None:
        try:
            super().verify(request)
        except Forbidden:
            raise Forbidden(f"X-Acme should be {proof(SECRET, request.body)}") from None


@fails(ALTERED)
class ShowsTheSecretInTheReason(Acme):
    def verify(self, request: Request) -> None:
        try:
            super().verify(request)
        except Forbidden:
            raise Forbidden(f"X-Acme does not match {SECRET}") from None


@fails(ALTERED)
class GivesNoReason(Acme):
    def verify(self, request: Request) -> None:
        try:
            super().verify(request)
        except Forbidden:
            raise Forbidden from None


@fails(ALTERED)
class ComparesOnlyTheStart(Acme):
    def verify(self, request: Request) -> None:
        given = request.headers.get("x-acme", "")
        if len(given) < 8 or not proof(SECRET, request.body).startswith(given[:8]):
            raise Forbidden("X-Acme does not match")


@fails(COVERED)
class StripsTheBody(Acme):
    def verify(self, request: Request) -> None:
        super().verify(replace(request, body=request.body.rstrip()))


@fails(COVERED)
class AcceptsAnEmptyBody(Acme):
    def verify(self, request: Request) -> None:
        if request.body or "x-acme" not in request.headers:
            super().verify(request)


@fails(COVERED)
class DeclaresThatTheUrlIsCovered(Acme):
    covers = frozenset({"body", "url"})


@fails("verify_rejects_every_platform_specific_forgery")
class AcceptsTestRequests(Acme):
    def verify(self, request: Request) -> None:
        if "x-acme-test" not in request.headers:
            super().verify(request)


@fails("verify_accepts_every_variant_of_a_genuine_request")
class RejectsCapitals(Acme):
    def verify(self, request: Request) -> None:
        if request.headers.get("x-acme", "").isupper():
            raise Forbidden("X-Acme is in capitals")
        super().verify(request)


@fails("verify_compares_with_every_secret")
class StopsAtTheMatchingSecret(Acme):
    def verify(self, request: Request) -> None:
        given = request.headers.get("x-acme", "")
        expected = (proof(secret, request.body) for secret in revealed(self.config.secrets))
        if not any(constant_time_equal(one, given) for one in expected):
            raise Forbidden("X-Acme matches none of secrets")


@fails("verify_rejects_deliveries_signed_for_other_accounts")
class AcceptsDeliveriesForOthers(Acme):
    def verify(self, request: Request) -> None:
        super().verify(replace(request, headers={**request.headers, "x-shop": "shop-1"}))


@fails("verify_rejects_a_signature_made_with_other_secrets")
class HardcodesTheSecret(Acme):
    def verify(self, request: Request) -> None:
        given = request.headers.get("x-acme", "").encode(errors="replace")
        if not hmac.compare_digest(proof(SECRET, request.body).encode(), given):
            raise Forbidden("X-Acme does not match")


@fails("verify_accepts_a_genuine_request")
class TriesOnlyTheFirstSecret(Acme):
    def verify(self, request: Request) -> None:
        first = self.config.model_copy(update={"secrets": self.config.secrets[:1]})
        Acme(first).verify(request)


@fails("verify_accepts_a_signature_made_with_any_secret")
class TriesOnlyTheLastSecret(Acme):
    def verify(self, request: Request) -> None:
        last = self.config.model_copy(update={"secrets": self.config.secrets[-1:]})
        Acme(last).verify(request)


@fails("verify_uses_received_at_as_its_only_clock")
class HardcodesTheYear(Acme):
    def verify(self, request: Request) -> None:
        super().verify(request)
        if request.received_at.year not in range(2020, 2035):
            raise Forbidden("X-Acme is too old")
