"""Flaws in what `verify` makes of a proof, and of the word in a handshake."""

from dataclasses import replace
from typing import Any

from connectors import Forbidden, Request, Response, constant_time_equal, revealed
from tests.connectors.sound import Acme, proof

from .registry import fails


@fails("verify_needs_every_header_that_sign_adds_and_it_reads")
class ReadsTheTimeAndForgetsIt(Acme):
    def verify(self, request: Request) -> None:
        super().verify(request)
        if request.headers.get("x-acme-time") == "never":
            raise Forbidden("X-Acme-Time says never")


@fails("covers_names_all_that_the_proof_covers")
class SaysThatOnlyTheCallerIsProved(Acme):
    covers = frozenset({"url"})


@fails("verify_leaves_the_request_unchanged")
class TakesTheProofOut(Acme):
    def verify(self, request: Request) -> None:
        headers: Any = request.headers
        given = headers.pop("x-acme", "")
        super().verify(replace(request, headers={**headers, "x-acme": given}))


@fails("verify_compares_in_constant_time")
class ComparesTwice(Acme):
    """The constant-time comparison is there, but another one decides."""

    def verify(self, request: Request) -> None:
        expected = [proof(secret, request.body) for secret in revealed(self.config.secrets)]
        given = request.headers.get("x-acme", "")
        constant_time_equal(given, expected[0])
        if not any(one == given for one in expected):
            raise Forbidden("X-Acme matches none of secrets")


@fails("verify_compares_in_constant_time")
class LooksTheProofUpInASet(Acme):
    def verify(self, request: Request) -> None:
        expected = {proof(secret, request.body) for secret in revealed(self.config.secrets)}
        given = request.headers.get("x-acme", "")
        if given not in expected or not constant_time_equal(given, given):
            raise Forbidden("X-Acme matches none of secrets")


@fails("verify_rejects_a_change_to_anything_it_covers")
class SignsOnlyTheStartOfTheBody(Acme):
    def verify(self, request: Request) -> None:
        given = request.headers.get("x-acme", "")
        if len(given) != 64:
            raise Forbidden("X-Acme has another length")


@fails("a_handshake_answers_only_to_our_word")
class AnswersToTheStartOfTheWord(Acme):
    def answer_get(self, request: Request) -> Response | None:
        word = self.config.token.get_secret_value()
        if not word.startswith(request.query.get("word", "no")):
            return Response(403)
        return Response(body=request.query.get("echo", "").encode(errors="replace"))


@fails("a_handshake_compares_our_word_in_constant_time")
class ComparesTheWordWithEquals(Acme):
    def answer_get(self, request: Request) -> Response | None:
        if request.query.get("word") != self.config.token.get_secret_value():
            return Response(403)
        return Response(body=request.query.get("echo", "").encode(errors="replace"))


@fails("a_handshake_shows_no_secret")
class EchoesTheWord(Acme):
    def answer_get(self, request: Request) -> Response | None:
        found = super().answer_get(request)
        if found is None or found.status != 200:
            return found
        return Response(body=request.query["word"].encode())
