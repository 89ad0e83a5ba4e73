"""Tests of what a proof consists of: every header and claim counts, and nothing outlives its time."""

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

from connectors.contract import Request

from .promises import EXEMPTIBLE
from .purity import sources
from .subject import Subject
from .verification import refused
from .watched import claims_changed, claims_read

#: Names in the header of a token (RFC 7515), which say how it is signed and not what it claims.
_JOSE = frozenset({"alg", "typ", "kid", "cty", "crit", "b64", "enc", "jku", "jwk", "x5c", "x5t"})
#: Claims that a verifier must check if they are there, whether or not it reads them (RFC 7519, section 4.1).
_MANDATORY = frozenset({"exp", "nbf", "aud"})
_TOKEN = re.compile(r"[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_AGE = timedelta(days=20 * 365)
_SECONDS = int(_AGE.total_seconds())

Claims = dict[str, Any]


class ProofChecks(Subject):
    """Tests that a proof is checked as a whole."""

    def test_verify_needs_every_header_that_sign_adds_and_it_reads(self) -> None:
        bare = self.recorded[0].request(self.connector)
        genuine = self.sign(bare)
        read: set[str] = set()
        with suppress(Exception):
            self.connector.verify(replace(genuine, headers=_Noted(genuine.headers, read)))
        for name, value in genuine.headers.items():
            if name not in read or bare.headers.get(name) == value:
                continue
            others = {key: one for key, one in genuine.headers.items() if key != name}
            self._assert_refused(replace(genuine, headers=others), f"without the header {name}")
            for wrong in (_flipped(value), ""):
                changed = replace(genuine, headers={**genuine.headers, name: wrong})
                self._assert_refused(changed, f"with {name}: {wrong[:40]!r}")

    def test_verify_distinguishes_capitals_in_a_proof(self) -> None:
        """Base64 and shared words mean something else in the other case; only hexadecimal digits do not."""
        genuine = self.genuine(self.recorded[0])
        proof = genuine.headers[self.signature_header]
        longest = max(re.findall(r"[^\s,;=\"]+", proof), key=len, default="")
        if not re.fullmatch(r"[0-9A-Fa-f-]*", longest):
            other = proof.replace(longest, longest.swapcase())
            changed = {**genuine.headers, self.signature_header: other}
            self._assert_refused(
                replace(genuine, headers=changed),
                "in which capitals and small letters are exchanged",
            )

    def test_verify_checks_every_claim_that_it_reads(self) -> None:
        """The claims are those of the JSON that `sign` signs, such as a JSON Web Token."""
        bare = self.recorded[0].request(self.connector)
        genuine = self.sign(bare)
        with claims_read(sources(type(self.connector))) as read, suppress(Exception):
            self.connector.verify(genuine)
        for name, how, change in _claim_changes(self._claims(bare), read):
            with claims_changed(change):
                signed = self.sign(bare)
            if signed != genuine:
                self._assert_refused(signed, f"whose claim {name} {how}")

    def test_verify_refuses_a_token_that_chooses_its_own_algorithm(self) -> None:
        genuine = self.genuine(self.recorded[0])
        for name, value in genuine.headers.items():
            for unsigned in _unsigned(value):
                changed = replace(genuine, headers={**genuine.headers, name: unsigned})
                self._assert_refused(
                    changed, "with a token whose alg is none and that nobody signed"
                )

    def test_covers_names_all_that_the_proof_covers(self) -> None:
        bare = self.recorded[0].request(self.connector)
        if self.sign(bare) != self.sign(bare):
            return  # each proof contains a random value
        others = {
            "body": replace(bare, body=bare.body + b" "),
            "url": replace(bare, url=f"{bare.url}?x=1"),
        }
        for part, other in others.items():
            differs = _proofs(self.sign(other), bare) != _proofs(self.sign(bare), bare)
            assert part in self.connector.covers or not differs, (
                f'the proof depends on the {part}, but covers does not name it; add "{part}" to covers, so that'
                " Airlock verifies only what is complete and the kit tampers with it"
            )

    def test_verify_refuses_an_old_proof(self) -> None:
        """A proof that contains a time is worth nothing years later."""
        bare = self.recorded[0].request(self.connector)
        earlier = self.sign(replace(bare, received_at=bare.received_at - _AGE))
        if earlier.headers != self.sign(bare).headers:
            replayed = replace(earlier, received_at=bare.received_at)
            reason = refused(self.connector, replayed)
            assert reason is not None, (
                "verify accepts a proof that was made twenty years ago; compare its time with received_at, in the"
                f" unit that the platform uses, or {EXEMPTIBLE}"
            )

    def test_verify_leaves_the_request_unchanged(self) -> None:
        genuine = self.genuine(self.recorded[0])
        headers, query = dict(genuine.headers), dict(genuine.query)
        with suppress(Exception):
            self.connector.verify(replace(genuine, headers=headers, query=query))
        assert (headers, query) == (dict(genuine.headers), dict(genuine.query)), (
            "verify changes the headers or the query of the request; work on a copy"
        )

    # helpers ----------------------------------------------------------------------------------------

    def _assert_refused(self, request: Request, what: str) -> None:
        reason = refused(self.connector, request)
        assert reason is not None, (
            f"verify accepts a proof {what}; raise Forbidden if a part is missing or differs from what you expect"
        )

    def _claims(self, bare: Request) -> Claims:
        """The claims that `sign` signs."""
        found: Claims = {}

        def noted(value: Claims) -> Claims:
            found.update({name: one for name, one in value.items() if name not in _JOSE})
            return value

        with claims_changed(noted):
            self.sign(bare)
        return found


class _Noted(dict[str, str]):
    """Headers that note which of them are read."""

    def __init__(self, headers: Mapping[str, str], read: set[str]) -> None:
        super().__init__(headers)
        self._read = read

    def __getitem__(self, name: str) -> str:
        self._read.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self._read.add(name)
        return super().get(name, default)


def _claim_changes(
    claims: Claims, read: set[str]
) -> Iterator[tuple[str, str, Callable[[Claims], Claims]]]:
    for name, value in claims.items():
        if name in read:
            yield name, "is missing", _without(name)
        if name not in read | _MANDATORY:
            continue
        for how, other in _other_values(name, value):
            yield name, how, _with(name, other)


def _other_values(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if name == "exp" and isinstance(value, int | float):
        yield "is in the past", value - _SECONDS
    elif name in {"nbf", "iat"} and isinstance(value, int | float):
        yield "is in the future", value + _SECONDS
    elif isinstance(value, str) and value:
        yield "has another value", _flipped(value)


def _without(name: str) -> Callable[[Claims], Claims]:
    return lambda claims: {key: one for key, one in claims.items() if key != name}


def _with(name: str, value: Any) -> Callable[[Claims], Claims]:
    return lambda claims: {**claims, name: value} if name in claims else claims


def _flipped(value: str) -> str:
    """Another value of the same form: a letter or digit in the middle is another one.

    Not the last one: in Base64, some of its bits may mean nothing.
    """
    places = [at for at, letter in enumerate(value) if letter.isalnum()]
    if not places:
        return f"{value}1"
    at = places[len(places) // 2]
    return value[:at] + ("1" if value[at] != "1" else "2") + value[at + 1 :]


def _unsigned(value: str) -> Iterator[str]:
    """The value with its token replaced by one that says that it needs no signature."""
    found = _TOKEN.search(value)
    if found is None:
        return
    first, claims, proof = found[0].split(".")
    try:
        header = json.loads(base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)))
    except (ValueError, binascii.Error):
        return
    if not isinstance(header, dict) or "alg" not in header:
        return
    for algorithm in ("none", "None", "NONE"):
        changed = json.dumps({**header, "alg": algorithm}).encode()
        encoded = base64.urlsafe_b64encode(changed).rstrip(b"=").decode()
        for end in ("", proof):
            yield value.replace(found[0], f"{encoded}.{claims}.{end}")


def _proofs(signed: Request, bare: Request) -> dict[str, str]:
    return {name: one for name, one in signed.headers.items() if bare.headers.get(name) != one}
