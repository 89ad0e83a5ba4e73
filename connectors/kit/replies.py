"""Tests of calls and replies with other values: waits, hosts, the health check, and who a text is from and to."""

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

from connectors.contract import Call, Download, Reply, Sent, Text
from connectors.errors import Rejected
from connectors.recordings import RECEIVED_AT, Recording
from normalizer.events import Message

from .calls import NONSENSE
from .exchanges import PURPOSES, Exchange, exchanges
from .paths import Path, changed, shown
from .promises import EXEMPTIBLE
from .refusals import RefusalChecks
from .run_flow import Driven, drive, first_call
from .state import lasting as _lasting
from .subject import TEXT, files, headers_at
from .trials import fresh_value, leaves, parse_with, words_in
from .verification import keeping_the_first, with_settings

#: Seconds that are too many for `Retry-After: 77`: milliseconds were taken for seconds.
_MUCH_LONGER = 770
#: Somebody else's host, in forms that a careless check takes for one of ours.
FOREIGN = (
    "https://evil.example.net/f",
    "https://{host}.evil.example.net/f",
    "https://evil.example.net/{host}/f",
    "https://{host}@evil.example.net/f",
    "http://{host}/f",
)
#: Words of refusals, and what they mean: a retry helps, a retry does not help, or an operator must act.
_PASSING = re.compile(
    r"rate.?limit|too many|throttl|temporar|try again|timed? ?out|overload|unavailable",
    re.IGNORECASE,
)
_FINAL = re.compile(
    r"blocked|opted.?out|unsubscri|does not exist|no such|deactivated|not allowed", re.IGNORECASE
)
_CREDENTIALS = re.compile(
    r"(access|api|auth|bearer) ?(token|key)|unauthori[sz]ed|credential|authenticat", re.IGNORECASE
)
_CLAIMS: Mapping[str, str] = {
    **dict.fromkeys(("sha256", "sha_256", "checksum_sha256"), "sha256"),
    **dict.fromkeys(("mime_type", "mimetype", "media_type", "content_type"), "media_type"),
}
_SENDERS = frozenset({"from", "sender", "author", "source"})
_RECIPIENTS = frozenset({"to", "recipient", "destination", "receiver"})
#: A text with characters of every width: a limit counted in bytes or in UTF-16 cuts it.
_WIDE = "👩\u200d🔧ﷺé日"


class ReplyChecks(RefusalChecks):
    """Tests of flows and refusals with other values than the recorded ones."""

    def test_a_recorded_refusal_waits_as_long_as_asked(self) -> None:
        for reply in self._replies():
            before = self.connector.refusal(reply)
            asked = replace(reply, headers={**reply.headers, "retry-after": "77"})
            after = self.connector.refusal(asked)
            assert (before.reason, before.retry) == (after.reason, after.retry), (
                f"{_name(reply)}: with Retry-After, {before.reason} becomes {after.reason}; it says when, not whether"
            )
            assert not after.retry or (after.after or 0) >= 77, (
                f"{_name(reply)}: Retry-After: 77 is ignored for {after.reason}; let refusal_from build the refusal,"
                " also for the platform's own codes"
            )
            assert not after.retry or (after.after or 0) <= _MUCH_LONGER, (
                f"{_name(reply)}: Retry-After: 77 becomes {after.after} s; the header is in seconds"
            )

    def test_a_refusal_means_what_its_status_says(self) -> None:
        for reply in self._replies():
            refusal = self.connector.refusal(reply)
            passing = reply.status == 429 or reply.status >= 500
            assert not passing or refusal.retry or refusal.operator, (
                f"{_name(reply)} is temporary, but {refusal.reason} is not retried; correct the table of codes"
            )
            # An address of a file may have expired; everywhere else, 401 is about our credentials.
            assert reply.status != 401 or reply.purpose == "download" or refusal.operator, (
                f"{_name(reply)} means that our credentials are refused, but no operator is called; set `operator`"
            )

    def test_a_refusal_means_what_its_words_say(self) -> None:
        for reply in self._replies():
            refusal, said = self.connector.refusal(reply), _words(reply.content)
            if not said or refusal.reason == "unknown":
                continue
            fault = _contradiction(refusal, said, reply)
            assert fault is None, (
                f"{_name(reply)} says {said[:80]!r}, but {refusal.reason} {fault}; correct the table of codes"
            )

    def test_check_believes_only_the_platform(self) -> None:
        """A health check that is content with any reply would never find a wrong token."""
        calls: tuple[Call, ...] = ()
        for answer in NONSENSE:
            driven = drive(self.connector, self.connector.check, "check", _always(200, answer))
            calls = driven.calls or calls
            assert not driven.calls or driven.refused is not None, (
                f"check is content with the reply {answer!r:.40}; match the account's name, and raise"
                " self.refusal(reply) otherwise"
            )
        for call in calls:
            for status in call.expects:
                driven = drive(self.connector, self.connector.check, "check", _always(status, {}))
                assert driven.refused is not None, f"check is content with HTTP {status}"

    def test_check_names_the_account_that_the_platform_names(self) -> None:
        for exchange in exchanges(self.payloads):
            named = exchange.flow == "check" or (exchange.flow == "profile" and exchange.result)
            if not named or exchange.refused is not None or not exchange.steps:
                continue
            if all(step["reply"].get("status", 200) >= 300 for step in exchange.steps):
                continue  # an expected refusal proves the credentials: there is no call for the name
            ended = self._run(exchange).result
            others = [
                self._with_reply(exchange, at, path, fresh_value(value)).result
                for at, path, value in reply_leaves(exchange)
                if fresh_value(value) is not None
            ]
            assert any(one not in {None, ended} for one in others), (
                f"{exchange.name}: {exchange.flow} returns {ended!r} whatever the platform replies; return the name in"
                " the reply"
            )

    def test_what_a_reply_claims_of_a_file_is_passed_on(self) -> None:
        for exchange in exchanges(self.payloads):
            ended = self._run(exchange).result
            for at, path, value in reply_leaves(exchange) if isinstance(ended, Download) else ():
                claim = _CLAIMS.get(str(path[-1]).lower())
                if claim is not None and isinstance(value, str):
                    other = self._with_reply(exchange, at, path, f"{value}0").result
                    assert other != ended, (
                        f"{exchange.name}: {shown(path)} of the reply is not used; pass it on as Download.{claim}, so"
                        " that a damaged or mislabelled file is noticed"
                    )

    def test_the_first_secret_signs_our_calls(self) -> None:
        """A second secret is there so that one can be replaced: the platform may not know it yet, or any more."""
        other = with_settings(self.connector, keeping_the_first)
        assert _lasting(headers_at(other, RECEIVED_AT)) == _lasting(self.authorized()), (
            "authorize uses another secret of a list than the first; use the first for our own calls"
        )
        asked = partial(first_call, partial(self.connector.token, RECEIVED_AT))
        # Some algorithms sign the same claims differently each time.
        assert asked() != asked() or first_call(partial(other.token, RECEIVED_AT)) == asked(), (
            "the call of token uses another secret of a list than the first; use the first for our own calls"
        )

    def test_check_makes_a_call_with_our_credentials(self) -> None:
        call = first_call(self.connector.check)
        assert call is not None, (
            f"check makes no call, so it is content with any token; make one that changes nothing, or {EXEMPTIBLE}"
        )
        authorized = bool(self.authorized()) and call.auth
        assert authorized or self.leaks(call.url), (
            "the call of check has no credentials, so it proves nothing; leave auth=True, and return the header from"
            " authorize"
        )

    def test_a_foreign_host_gets_no_credentials(self, recording: Recording) -> None:
        """Addresses in deliveries are not ours: they lead wherever a stranger, or a mistake, says."""
        for path, value in leaves(recording.content):
            for url in _foreign(value):
                events = list(parse_with(self.connector, recording, path, url))
                for ref, start in zip(files(events), self.media_flows(events), strict=True):
                    if url in str(dict(ref.locator)):
                        driven = drive(self.connector, start, "lookup", _always(200, {"url": url}))
                        self._assert_keeps_secrets(driven, url, shown(path))

    def test_a_foreign_host_in_a_reply_gets_no_credentials(self) -> None:
        for exchange in exchanges(self.payloads):
            for at, path, value in reply_leaves(exchange):
                for url in _foreign(value):
                    driven = self._with_reply(exchange, at, path, url)
                    self._assert_keeps_secrets(driven, url, f"{exchange.name}, {shown(path)}")

    def test_a_text_is_sent_once_in_each_attempt(self) -> None:
        """A text that was perhaps sent is not sent again by the flow: the gateway knows whether that is safe."""
        text = "kit text 4711"
        start = partial(self.connector.send_text, replace(TEXT, text=text))
        for status in (200, 202, 409, 429, 500, 503):
            for answer in (*NONSENSE[:12], {"id": "m-1"}):
                driven = drive(self.connector, start, "send", _always(status, answer))
                sent = [call for call in driven.calls if text in repr(call)]
                assert len(sent) <= 1, (
                    f"after HTTP {status}, send_text sends the text {len(sent)} times; make one call, and leave"
                    " retries to Airlock"
                )

    def test_the_longest_text_is_not_cut_between_characters(self) -> None:
        longest = self.connector.capabilities.max_text
        text = (_WIDE * (longest // len(_WIDE) + 1))[:longest]
        call = first_call(partial(self.connector.send_text, replace(TEXT, text=text)))
        if call is not None and call.method != "GET":
            assert text in _values(call), (
                f"a text of {longest} wide characters is not sent whole; max_text counts code points: lower it if"
                " the platform counts bytes or UTF-16 units, and do not cut"
            )

    def test_a_text_goes_from_the_account_to_the_consumer(self) -> None:
        out = replace(TEXT, account="account-4711", to="consumer-4711")
        call = first_call(partial(self.connector.send_text, out))
        for path, value in leaves(content_of(call)):
            words = words_in(*(part for part in path if isinstance(part, str)))
            assert value != out.to or not words & _SENDERS or words & _RECIPIENTS, (
                f"the consumer is in {shown(path)} of the call; exchange out.to and out.account"
            )
            assert value != out.account or not words & _RECIPIENTS or words & _SENDERS, (
                f"the account is in {shown(path)} of the call; exchange out.to and out.account"
            )

    def test_a_quoting_text_names_the_quoted_message(self) -> None:
        ids = dict.fromkeys(
            event.id
            for one in self.recorded
            for event in self.parsed(one)
            if isinstance(event, Message)
        )
        plain = first_call(partial(self.connector.send_text, TEXT))
        quoting = {
            id: first_call(partial(self.connector.send_text, replace(TEXT, reply_to=id)))
            for id in list(ids)[:9]
        }
        quoted = [(id, call) for id, call in quoting.items() if call != plain]
        assert quoted or self.connector.capabilities.support("send_quote") == "no", (
            "the chart offers send_quote, but the call is the same with reply_to; pass out.reply_to on"
        )
        for (one, call), (other, next_call) in pairwise(quoted):
            assert call != next_call, (
                f"texts that quote {one!r} and {other!r} make the same call; pass out.reply_to on, not another value"
            )

    def test_the_id_of_a_sent_text_is_the_platforms_or_our_own(self) -> None:
        for exchange in exchanges(self.payloads):
            if exchange.flow != "send_text" or exchange.refused is not None or not exchange.steps:
                continue
            ended = self._run(exchange).result
            if not isinstance(ended, Sent):
                continue
            others = [
                self._with_reply(exchange, at, path, fresh_value(value)).result
                for at, path, value in reply_leaves(exchange)
                if fresh_value(value) is not None
            ]
            start = partial(self.connector.send_text, self._text(exchange, key="msg_4711"))
            others.append(drive(self.connector, start, "send", answering(exchange)).result)
            assert any(isinstance(one, Sent) and one.id != ended.id for one in others), (
                f"{exchange.name}: the id {ended.id!r} comes neither from the reply nor from out.key; return the id"
                " that the receipts will name"
            )

    def test_flows_leave_their_input_unchanged(self) -> None:
        for exchange in exchanges(self.payloads):
            given, steps = copy.deepcopy((exchange.given, exchange.steps))
            self._run(exchange)
            assert (exchange.given, exchange.steps) == (given, steps), (
                f"{exchange.name}: the flow changes its locator or the reply; work on a copy"
            )

    # helpers ----------------------------------------------------------------------------------------

    def _assert_keeps_secrets(self, driven: Driven, url: str, where: str) -> None:
        ended = [driven.result.call] if isinstance(driven.result, Download) else []
        for call in (*driven.calls, *ended):
            if self.may_have_credentials(call.url):
                continue
            shown_parts = (
                call.url,
                str(dict(call.headers)),
                repr((call.json, call.form, call.body)),
            )
            assert not self.leaks(*shown_parts), (
                f"{where} leads to {url}, which receives our credentials in a call; leave credentials to `authorize`,"
                " which Airlock sends only to declared hosts"
            )

    def _run(self, exchange: Exchange) -> Driven:
        start = exchange.start(self.connector)
        return drive(self.connector, start, PURPOSES[exchange.flow], answering(exchange))

    def _with_reply(self, exchange: Exchange, at: int, path: Path, value: Any) -> Driven:
        """The flow of an exchange with another value in the reply to call number `at`."""
        steps = [dict(step) for step in exchange.steps]
        reply = dict(steps[at]["reply"])
        reply["content"] = changed(reply.get("content"), path, value)
        steps[at]["reply"] = reply
        return self._run(replace(exchange, steps=tuple(steps)))

    def _text(self, exchange: Exchange, key: str) -> Text:
        return replace(TEXT, **{**exchange.given, "key": key})


def answering(exchange: Exchange) -> Any:
    def answer(call: Call, at: int) -> Reply:
        del call
        return (
            exchange.reply(min(at, len(exchange.steps) - 1))
            if exchange.steps
            else Reply(200, {}, None)
        )

    return answer


def _always(status: int, content: Any) -> Any:
    def answer(call: Call, at: int) -> Reply:
        del call, at
        return Reply(status, {}, content)

    return answer


def reply_leaves(exchange: Exchange) -> Iterator[tuple[int, Path, Any]]:
    for at, step in enumerate(exchange.steps):
        for path, value in leaves(step["reply"].get("content")):
            if path:
                yield at, path, value


def _foreign(value: Any) -> Iterator[str]:
    if isinstance(value, str) and value.startswith(("https://", "http://")):
        for url in FOREIGN:
            yield url.format(host=urlsplit(value).hostname)


def _contradiction(refusal: Rejected, said: str, reply: Reply) -> str | None:
    if _CREDENTIALS.search(said):
        return None if refusal.operator else "calls no operator"
    if _PASSING.search(said) and not _FINAL.search(said):
        return None if refusal.retry or refusal.operator else "is not retried"
    if _FINAL.search(said) and reply.purpose == "send":
        return "is retried" if refusal.retry else None
    return None


def _words(content: Any) -> str:
    return " ".join(
        str(value) for _, value in leaves(content) if isinstance(value, str) and " " in value
    )


def _name(reply: Reply) -> str:
    code = next(
        (value for path, value in leaves(reply.content) if path and path[-1] in _CODES), None
    )
    return f"{reply.purpose}, HTTP {reply.status}" + (f", code {code}" if code is not None else "")


_CODES = frozenset({"code", "error_code", "errorCode", "errcode", "status"})


def content_of(call: Call | None) -> Mapping[str, Any]:
    if call is None:
        return {}
    found = call.json if call.json is not None else dict(call.form or {})
    return found if isinstance(found, dict) else {}


def _values(call: Call) -> list[Any]:
    whole = [call.body.decode(errors="replace")] if call.body is not None else []
    return [*whole, *(value for _, value in leaves([call.json, dict(call.form or {})]))]
