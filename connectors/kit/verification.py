"""Tests of `verify`: it accepts requests of the platform, and raises `Forbidden` for all others."""

import gzip
import sys
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from types import FrameType
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import pytest
from pydantic import BaseModel, SecretStr

from connectors.contract import Connector, Request
from connectors.errors import Forbidden
from connectors.recordings import Recording, recordings

from .purity import sources
from .subject import Subject, secret_forms
from .watched import listening, watched

MALFORMED = (
    *("", " ", "=", ",", "\x00", "é", "\udce9", "💥", "a" * 100_000),
    *("sha256=", "sha256=" + "0" * 64, "sha256=" + "\u0660" * 64, "sha1=" + "0" * 40),
    *("Bearer", "Bearer ", "Bearer a.b.c", "Bearer " + "." * 50, "Basic Og==", "AAAA"),
)
GARBAGE_BODIES = (b"", b"\x1f\x8b", b"\xff\xfe\x00", b"[" * 5000, b"%", b"\x00" * 99)

#: Functions that compare in constant time, or verify a signature with a public key.
_CONSTANT_TIME = frozenset({"compare_digest", "_compare_digest", "verify"})
_DECADES = timedelta(days=20 * 365)
#: The number of bytes of a body that are changed, one at a time.
_FLIPS = 24
#: Texts of this length that are compared with the proof are proofs, not the name of a scheme.
_LONG = 16
#: What a watched value reports, in words.
_WORDS = {
    "eq": "==",
    "ne": "!=",
    "hash": "a set, a dictionary or a cache",
    "contains": "in",
    "startswith": "startswith",
}


class VerifyChecks(Subject):
    """Tests of `verify`."""

    def test_verify_accepts_a_genuine_request(self, recording: Recording) -> None:
        self._assert_accepted(self.genuine(recording), "a genuine request, as `sign` signs it")

    def test_verify_rejects_a_missing_altered_or_truncated_signature(
        self, recording: Recording
    ) -> None:
        genuine = self.genuine(recording)
        proof = genuine.headers[self.signature_header]
        others = {k: v for k, v in genuine.headers.items() if k != self.signature_header}
        self._assert_forbidden(replace(genuine, headers=others), proof, "a request without a proof")
        middle = len(proof) // 2
        flipped = "0" if proof[middle] != "0" else "1"
        for wrong in (
            proof[:middle] + flipped + proof[middle + 1 :],
            *(proof[:-1], proof[1:], proof + proof, f"{proof}, {proof}"),
        ):
            self._assert_forbidden(
                self._with_proof(genuine, wrong), proof, f"the changed proof {wrong[:60]!r}"
            )

    @pytest.mark.parametrize("hostile", MALFORMED, ids=range(len(MALFORMED)))
    def test_verify_rejects_a_malformed_signature_without_crashing(self, hostile: str) -> None:
        genuine = self.genuine(self.recorded[0])
        self._assert_forbidden(
            self._with_proof(genuine, hostile),
            genuine.headers[self.signature_header],
            f"the proof {hostile[:40]!r}",
        )

    def test_verify_rejects_a_change_to_anything_it_covers(self, recording: Recording) -> None:
        genuine = self.genuine(recording)
        proof = genuine.headers[self.signature_header]
        changed: dict[str, list[tuple[str, Request]]] = {
            "body": [
                (how, replace(genuine, body=body))
                for how, body in tampered(genuine.body)
                if not self._says_the_same(body, genuine.body)
            ],
            "url": [
                (f"for the URL {url}", replace(genuine, url=url))
                for url in _other_urls(genuine.url)
            ],
            "caller": [],
            "part": [],  # see `PartChecks`
        }
        for part in self.connector.covers:
            for how, request in changed[part]:
                self._assert_forbidden(request, proof, f"a genuine proof {how}")

    @pytest.mark.parametrize("body", GARBAGE_BODIES)
    def test_verify_never_crashes_on_a_garbage_body(self, body: bytes) -> None:
        genuine = self.genuine(self.recorded[0])
        for request in (replace(genuine, body=body), self.sign(replace(genuine, body=body))):
            with suppress(Forbidden):
                self.connector.verify(request)

    def test_verify_rejects_an_empty_request(self) -> None:
        genuine = self.genuine(self.recorded[0])
        for method in ("POST", "GET", ""):
            bare = Request(method, "", {}, b"", genuine.received_at, {})
            self._assert_forbidden(
                bare, genuine.headers[self.signature_header], "a request without anything"
            )

    def test_verify_rejects_deliveries_signed_for_other_accounts(self) -> None:
        """Deliveries for other accounts, correctly signed: `not_ours/*.json` in the folder of recordings."""
        for recording in recordings(self.payloads / "not_ours"):
            genuine = self.genuine(recording)
            self._assert_forbidden(
                genuine,
                genuine.headers[self.signature_header],
                f"{recording.name}, which is not ours",
            )

    def test_verify_accepts_every_variant_of_a_genuine_request(self) -> None:
        for variant in self.variants(self.genuine(self.recorded[0])):
            self._assert_accepted(variant, "a variant of a genuine request")

    def test_verify_does_not_decompress_beyond_max_body(self) -> None:
        if self.connector.body == "gzip-json":
            request = self.recorded[0].request(self.connector)
            bomb = gzip.compress(bytes(16 * self.connector.max_body))
            tracemalloc.start()
            try:
                with suppress(Forbidden):
                    self.connector.verify(self.sign(replace(request, body=bomb)))
                _, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            assert peak < 8 * self.connector.max_body, "use `inflate`, which stops at max_body"

    def test_verify_rejects_every_platform_specific_forgery(self) -> None:
        for forged in self.forgeries(self.genuine(self.recorded[0])):
            proof = forged.headers.get(self.signature_header, "")
            self._assert_forbidden(forged, proof, f"a forgery with the proof {proof[:60]!r}")

    def test_verify_rejects_a_signature_dated_in_the_future(self) -> None:
        request = self.recorded[0].request(self.connector)
        later = self.sign(replace(request, received_at=request.received_at + _DECADES))
        proof = later.headers[self.signature_header]
        if proof != self.sign(request).headers[self.signature_header]:
            self._assert_forbidden(
                replace(later, received_at=request.received_at),
                proof,
                "a proof dated in the future",
            )

    def test_verify_rejects_a_signature_made_with_other_secrets(self) -> None:
        other = with_other_secrets(self.connector)
        genuine = self.genuine(self.recorded[0])
        assert refused(other, genuine) is not None, (
            "with other secrets in the settings, the same proof is still accepted; use self.config's secrets"
        )

    def test_verify_accepts_a_signature_made_with_any_secret(self) -> None:
        genuine = self.genuine(self.recorded[0])
        for order in (_reversed, _with_an_extra_secret, _after_another_secret):
            assert refused(with_settings(self.connector, order), genuine) is None, (
                "verify accepts only one of the secrets, so none can be replaced; use matches_any with all of them"
            )

    def test_verify_uses_received_at_as_its_only_clock(self) -> None:
        """Requests that arrived decades ago, or will arrive in decades, are accepted if they are dated accordingly."""
        recording = self.recorded[0]
        request = recording.request(self.connector)
        for moved in (request.received_at - _DECADES, request.received_at + _DECADES):
            reason = refused(self.connector, self.sign(replace(request, received_at=moved)))
            assert reason is None, (
                f"a request dated {moved:%Y} is refused at that time ({reason}); compare with received_at"
            )

    def test_verify_compares_in_constant_time(self) -> None:
        genuine = self.genuine(self.recorded[0])
        with _count_c_calls() as called:
            self.connector.verify(genuine)
        assert called.keys() & _CONSTANT_TIME, (
            "compare signatures with `constant_time_equal` or `matches_any`, never with =="
        )
        how = self._compared(genuine)
        assert how is None, (
            f"verify uses the proof with {how}, which takes longer the more of it is right; compare it with"
            " constant_time_equal or matches_any, and keep it nowhere"
        )

    def test_verify_compares_with_every_secret(self) -> None:
        genuine = self.genuine(self.recorded[0])
        compared = []
        for order in (_in_order, _reversed):
            with _count_c_calls() as called:
                with_settings(self.connector, order).verify(genuine)
            compared.append(sum(called[name] for name in _CONSTANT_TIME))
        assert len(set(compared)) == 1, (
            "the time taken reveals which secret matches; compare with every secret: matches_any"
        )

    # helpers ----------------------------------------------------------------------------------------

    def _says_the_same(self, one: bytes, other: bytes) -> bool:
        """Whether two forms have the same fields. Some platforms sign the fields and not the bytes."""
        if self.connector.body != "form":
            return False
        fields = [
            parse_qsl(body.decode("latin-1"), keep_blank_values=True) for body in (one, other)
        ]
        return fields[0] == fields[1]

    def _compared(self, genuine: Request) -> str | None:
        """How else than in constant time the connector's code compares the proof; None if it does not."""
        secret = secret_forms(self.connector)
        proof = genuine.headers[self.signature_header]
        headers = {**genuine.headers, self.signature_header: watched(proof)}
        # An exception or a refusal: a library that takes no subclass of str.
        with listening(sources(type(self.connector))) as reports, suppress(Exception):
            self.connector.verify(replace(genuine, headers=headers))
        for how, value in reports:
            if len(value) >= _LONG or value in secret:
                return _WORDS.get(how, how)
        return None

    def _assert_accepted(self, request: Request, what: str) -> None:
        reason = refused(self.connector, request)
        assert reason is None, (
            f"verify refuses {what}: {reason}; compare with every secret, and over the bytes that the platform signs"
        )

    def _with_proof(self, request: Request, proof: str) -> Request:
        return replace(request, headers={**request.headers, self.signature_header: proof})

    def _assert_forbidden(self, request: Request, proof: str, what: str) -> None:
        """Assert that `verify` raises Forbidden, with a reason that shows no secret."""
        reason = refused(self.connector, request)
        assert reason is not None, (
            f"verify accepts {what}; compute the proof over all that it covers, and raise Forbidden if in doubt"
        )
        assert reason.strip(), "Forbidden has no reason; the reason is logged"
        assert not proof or proof not in reason, (
            "the reason of Forbidden quotes the proof; leave it out"
        )
        assert not self.leaks(reason), "the reason of Forbidden shows a secret; leave it out"


def refused(connector: Connector[Any], request: Request) -> str | None:
    """The reason for which `verify` refuses a request, None if it accepts it."""
    try:
        connector.verify(request)
    except Forbidden as exc:
        return str(exc)
    return None


def tampered(body: bytes) -> Iterator[tuple[str, bytes]]:
    """Changes of a body, with words: at both ends, between its parts, and of single bytes throughout."""
    yield "and a blank at the end of the body", body + b" "
    yield "and a blank at the start of the body", b" " + body
    yield "and a body without its first byte", body[1:]
    yield "and a body without its last byte", body[:-1]
    yield "and a body that is doubled", body + body
    yield "and an empty body", b""
    for mark in (b"{", b":", b",", b"="):
        before, found, after = body.partition(mark)
        if found:
            yield f"and a blank after the first {mark.decode()}", before + mark + b" " + after
    step = max(1, len(body) // _FLIPS)
    for at in range(0, len(body), step):
        changed = bytes([body[at] ^ 1])
        yield f"and another byte at position {at} of the body", body[:at] + changed + body[at + 1 :]


def _other_urls(url: str) -> list[str]:
    parts = urlsplit(url)
    longer = (f"{url}x", f"{url}&x=1", f"{url}{'&' if parts.query else '?'}x=1")
    moved = ({"path": f"{parts.path}/status"}, {"netloc": "elsewhere.example.net"})
    return [*longer, *(urlunsplit(parts._replace(**change)) for change in moved)]


@contextmanager
def _count_c_calls() -> Iterator[Counter[str]]:
    """Count the calls of C functions within the block, by name."""
    called: Counter[str] = Counter()

    def count(frame: FrameType, event: str, argument: Any) -> None:
        del frame
        if event == "c_call":
            called[getattr(argument, "__name__", "")] += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        yield called
    finally:
        sys.setprofile(before)


def with_settings(connector: Connector[Any], change: Any) -> Connector[Any]:
    """A copy of the connector in which `change` has been applied to each secret setting."""
    config: BaseModel = connector.config
    update = {}
    for name in type(config).model_fields:
        match getattr(config, name):
            case SecretStr() as secret:
                update[name] = (
                    change((secret,))[0] if change is not _after_another_secret else secret
                )
            case (SecretStr(), *_) as several:
                update[name] = change(several)
    return type(connector)(config.model_copy(update=update))


def with_other_secrets(connector: Connector[Any]) -> Connector[Any]:
    """A copy of the connector whose secrets are all different."""
    return with_settings(connector, _replaced)


def _replaced(secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    return tuple(SecretStr(_shifted(secret.get_secret_value())) for secret in secrets)


def _in_order(secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    return secrets


def _reversed(secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    return tuple(reversed(secrets))


def _with_an_extra_secret(secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    """As during a rotation. A setting for a single secret keeps its secret."""
    return (*secrets, *_replaced(secrets))


def _after_another_secret(secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    return (*_replaced(secrets), *secrets)


def keeping_the_first(secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    return (secrets[0], *_replaced(secrets[1:]))


def _shifted(secret: str) -> str:
    """Another secret with the same format: letters remain letters, and digits remain digits."""
    for alphabet in ("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"):
        secret = secret.translate(str.maketrans(alphabet, alphabet[1:] + alphabet[:1]))
    return secret
