"""Tests of flows and responses: credentials go only to declared hosts, and bad replies become refusals."""

from collections.abc import Iterator
from typing import Any, get_args

import pytest

from connectors.contract import Call, Download, Purpose, Reply, Request, Response, Sent, Token
from connectors.errors import MAX_WORDS, Rejected
from connectors.recordings import RECEIVED_AT, Recording
from connectors.tools.authorization import headers_for_call

from .kit_token import kit_token
from .promises import EXEMPTIBLE
from .run_flow import Answer, Start, drive, explain_crash, first_call
from .subject import Subject

NONSENSE: tuple[Any, ...] = (
    *(None, [], {}, "no", 5, True, {"error": None}, {"error": 5}, {"error": {"code": "x"}}),
    *({"code": []}, {"error": {"code": {}}}, {"message": 5}, {"ok": False}, {"ok": True}),
    *({"url": 5}, {"id": None}, {"result": {}}, {"messages": [None]}, [[]]),
    *("x" * 1_000_000, {"id": ["x"] * 10_000}),
)
#: Contents of replies to temporary errors, which often come from a proxy.
TEMPORARY_REPLIES: tuple[Any, ...] = (None, {}, "Service Unavailable")
STATUSES = (200, 204, 302, 400, 401, 403, 404, 408, 409, 410, 413, 418, 429, 500, 502, 503, 599)

#: The reasons that the gateway knows for a file (see `connectors.Rejected`).
MEDIA_REASONS = frozenset(
    {"gone", "expired", "unauthorized", "unreachable", "too_large", "unsupported_type"}
)


class CallChecks(Subject):
    """Tests of flows, `refusal`, `authorize`, `handshake` and `acknowledge`."""

    def test_credentials_go_only_to_declared_hosts(self, recording: Recording) -> None:
        for _, start in self._flows(recording):
            call = first_call(start)
            if call is not None:
                self.check_call(call)

    def test_a_flow_starts_over_on_every_attempt(self, recording: Recording) -> None:
        """Addresses expire, so nothing from an earlier attempt may be reused."""
        for purpose, start in self._flows(recording):
            before = first_call(start)
            drive(self.connector, start, purpose, _always(200, {}))
            assert first_call(start) == before, (
                "a second attempt makes another call than the first; keep nothing from earlier replies"
            )

    def test_flows_refuse_a_nonsensical_reply(self, recording: Recording) -> None:
        for answer in NONSENSE:
            for purpose, start in self._flows(recording):
                with explain_crash(f"answered {str(answer)[:40]}"):
                    driven = drive(self.connector, start, purpose, _always(200, answer))
                self.check_end(purpose, driven.result, driven.refused)

    def test_flows_end_on_every_status_they_expect(self, recording: Recording) -> None:
        for purpose, start in self._flows(recording):
            call = first_call(start)
            for status in sorted(call.expects if call else ()):
                for answer in NONSENSE[:3]:
                    driven = drive(self.connector, start, purpose, _always(status, answer))
                    self.check_end(purpose, driven.result, driven.refused)
                    # What a conflict or a missing object means depends on the call, but these never mean success.
                    failed = status in {401, 403, 429} or status >= 500
                    assert not failed or driven.refused is not None, (
                        f"the flow counts HTTP {status} as a success; remove it from `expects`, or raise"
                        " self.refusal(reply) for it"
                    )

    @pytest.mark.parametrize("status", STATUSES)
    def test_refusal_handles_every_status_and_body(self, status: int) -> None:
        for answer in NONSENSE:
            for purpose in get_args(Purpose):
                self.check_refusal(self.connector.refusal(Reply(status, {}, answer, b"", purpose)))

    @pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
    def test_refusal_retries_temporary_errors(self, status: int) -> None:
        for purpose in get_args(Purpose):
            for answer in TEMPORARY_REPLIES:
                refusal = self.connector.refusal(Reply(status, {}, answer, b"", purpose))
                assert refusal.retry, (
                    f"HTTP {status} is temporary, but {refusal.reason} is not retried"
                )

    @pytest.mark.parametrize("status", [400, 405, 413, 422])
    def test_refusal_does_not_retry_permanent_errors(self, status: int) -> None:
        # A file may be there although one request for it was refused: only the platform's retention ends the attempts.
        purposes = get_args(Purpose) if status == 413 else ("send", "check")
        for purpose in purposes:
            for answer in TEMPORARY_REPLIES:
                refusal = self.connector.refusal(Reply(status, {}, answer, b"", purpose))
                assert not refusal.retry, (
                    f"HTTP {status} is permanent, but {refusal.reason} is retried"
                )

    def test_a_refusal_without_a_code_is_not_explained(self) -> None:
        """After a proxy's error page nobody knows whether a text was sent, so it is not sent again."""
        for status in (200, 500, 502, 504):
            for answer in TEMPORARY_REPLIES:
                refusal = self.connector.refusal(Reply(status, {}, answer, b"", "send"))
                assert not refusal.explained, (
                    f"HTTP {status} with {answer!r} has no code of the platform, but is `explained`"
                )

    def test_refusal_waits_as_long_as_the_platform_asks(self) -> None:
        for purpose in get_args(Purpose):
            reply = Reply(429, {"retry-after": "77"}, None, b"", purpose)
            assert (self.connector.refusal(reply).after or 0) >= 77, (
                f"{purpose}: Retry-After: 77 is ignored; pass it on as `after` (refusal_from and by_status do)"
            )

    def test_rejected_credentials_call_for_an_operator(self) -> None:
        assert self.connector.refusal(Reply(401, {}, None, b"", "check")).operator, (
            "HTTP 401 means that our credentials are refused; set `operator`"
        )

    def test_media_refusals_use_reasons_the_gateway_knows(self) -> None:
        for status in (status for status in STATUSES if status >= 300):
            for reply in (_refused(status, "lookup"), _refused(status, "download")):
                refusal = self.connector.refusal(reply)
                assert refusal.reason in MEDIA_REASONS, (
                    f"the gateway knows no reason {refusal.reason} for a file"
                )

    def test_an_expired_media_address_is_looked_up_again(self, recording: Recording) -> None:
        if not any(first_call(start) for start in self.media_flows(self.parsed(recording))):
            return  # the delivery contains the addresses, and the platform has no call for new ones
        refused = (_refused(status, "download") for status in (401, 403, 404, 410))
        assert any(self.connector.refusal(reply).retry for reply in refused), (
            "a refused download is never retried, but its address may have expired"
        )

    def test_authorize_returns_valid_headers(self) -> None:
        token, call = kit_token(self.connector), Call("GET", self.connector.config.api)
        for name, value in headers_for_call(self.connector, RECEIVED_AT, token, call).items():
            assert name == name.lower() and name.isascii(), (  # noqa: PT018 - one rule
                f"authorize returns the header {name!r}; use lower-case ASCII"
            )
            assert value.isascii() and value.isprintable(), (  # noqa: PT018 - one rule
                f"the value of {name} contains characters that cannot be sent; encode it"
            )

    def test_authorization_names_its_scheme(self) -> None:
        """RFC 9110, section 11.6.2: the scheme, a blank and the credentials."""
        token, call = kit_token(self.connector), Call("GET", self.connector.config.api)
        headers = headers_for_call(self.connector, RECEIVED_AT, token, call)
        assert " " in headers.get("authorization", " "), (
            "authorize returns credentials without a scheme; write “Bearer ” or “Basic ” before them, or, if the"
            f" platform wants none, {EXEMPTIBLE}"
        )

    @pytest.mark.parametrize("token", ["", "wrong", "é", "\udce9", "a" * 10_000])
    def test_handshake_rejects_a_wrong_verify_token(self, token: str) -> None:
        parameters = ("hub.verify_token", "verify_token", "token", "secret", "hub.mode", "mode")
        wrong = {
            **dict.fromkeys(parameters, token),
            "hub.challenge": "echo-me",
            "challenge": "echo-me",
        }
        subscribing = {**wrong, "hub.mode": "subscribe", "mode": "subscribe"}
        for query in (
            wrong,
            subscribing,
            {},
            {"hub.challenge": "echo-me"},
            {"challenge": "echo-me"},
        ):
            request = Request("GET", "https://chat.example.com/", {}, b"", RECEIVED_AT, query)
            answer = self.connector.handshake(request)
            assert answer is None or (answer.status >= 400 and b"echo-me" not in answer.body), (
                f"the handshake answers {answer.status if answer else ''} to a stranger; compare our verify token"
                " with constant_time_equal first, and return a status of 400 or above"
            )

    def test_acknowledge_returns_a_success(self) -> None:
        answer = self.connector.acknowledge()
        assert isinstance(answer, Response), "acknowledge must return a Response"
        assert 200 <= answer.status < 300, (
            "any other status makes the platform send the delivery again"
        )
        assert isinstance(answer.body, bytes), "the body of a Response is bytes; encode it"
        assert not self.leaks(answer.body.decode(errors="replace")), (
            "the acknowledgement contains a secret; return nothing that is not public"
        )

    # helpers ----------------------------------------------------------------------------------------

    def _flows(self, recording: Recording) -> Iterator[tuple[Purpose, Start]]:
        for start in self.media_flows(self.parsed(recording)):
            yield "lookup", start
        yield from self.other_flows()

    def check_end(self, purpose: Purpose, result: Any, refused: Rejected | None) -> None:
        """Assert that a flow ended with the kind of result that its purpose requires, or with a valid refusal."""
        if refused is not None:
            self.check_refusal(refused)
            return
        match result:
            case Download():
                assert purpose == "lookup", f"only media may return a Download, not {purpose}"
                self.check_download(result)
            case Sent():
                assert purpose == "send", f"only send_text may return Sent, not {purpose}"
                assert isinstance(result.id, str), (
                    f"the id in Sent is {result.id!r:.40}; ids are text"
                )
                assert result.id, "the id is empty; receipts identify a message by its id"
            case str():
                assert purpose in {"check", "profile"}, (
                    f"{purpose} returned text; only names are text"
                )
                assert result.strip(), f"{purpose} must return a name, which is not blank"
            case Token():
                assert purpose == "check", f"only token may return a Token, not {purpose}"
            case None:
                assert purpose in {"send", "profile"}, (
                    f"{purpose} returned nothing; raise self.refusal"
                )
            case _:
                raise AssertionError(f"a flow returned {type(result).__name__}")

    def check_download(self, found: Download) -> None:
        self.check_call(found.call)
        self.check_claims(found)

    def check_claims(self, found: Download) -> None:
        assert isinstance(found.call.url, str), f"the URL of a download is {found.call.url!r:.40}"
        assert found.size is None or (type(found.size) is int and found.size >= 0), "size"
        for claim in ("sha256", "media_type", "name"):
            value = getattr(found, claim)
            assert value is None or isinstance(value, str), f"{claim} is not text: {value!r:.40}"
        if found.decrypt is not None:
            assert len(found.decrypt.key) in {16, 24, 32}, "an AES key has 16, 24 or 32 bytes"
            assert len(found.decrypt.counter) == 16, "the counter of AES has 16 bytes"
            assert repr(found.decrypt.key) not in repr(found), "the repr shows the file's key"

    def check_refusal(self, refusal: Any) -> None:
        assert isinstance(refusal, Rejected), (
            f"refusal returned {refusal!r:.40} instead of Rejected"
        )
        assert isinstance(refusal.reason, str) and refusal.reason, (  # noqa: PT018 - one rule
            f"the reason is {refusal.reason!r}; give one of the contract's words"
        )
        assert refusal.after is None or refusal.after >= 0, f"after is {refusal.after}, before now"
        assert refusal.code is None or (isinstance(refusal.code, str) and refusal.code), (
            f"the code is {refusal.code!r}; pass the platform's code as text, or None"
        )
        assert len(refusal.detail) <= MAX_WORDS, "detail is cut at 500 characters"
        assert not self.leaks(str(refusal), repr(refusal), refusal.detail, refusal.code or ""), (
            f"the refusal {refusal.reason} shows a secret; leave credentials out of detail and code"
        )


def _always(status: int, content: Any) -> Answer:
    def answer(call: Call, at: int) -> Reply:
        del call, at
        return Reply(status, {}, content)

    return answer


def _refused(status: int, purpose: Purpose) -> Reply:
    return Reply(status, {}, None, b"", purpose)
