"""Tests of flows against each other and against deliveries: accounts, keys, tokens and handshakes that must agree."""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any

import orjson

from connectors.contract import Call, Connector, Reply, Response, Token
from connectors.recordings import RECEIVED_AT
from connectors.tools.authorization import needs_token
from normalizer.events import Echo, Message, Receipt

from .exchanges import Exchange, exchanges
from .kit_token import own_token
from .paths import changed, shown
from .replies import ReplyChecks
from .run_flow import drive, first_call
from .subject import TEXT, TYPING
from .trials import leaves, parse, shape, words_in

#: A key that no recording has.
_KEY = "msg_4711"
#: The parameter of the address for statuses that holds our key.
_QUERY = "m"
_ASKED = 77
_SLACK = timedelta(seconds=60)
#: The longest life of a token that a connector makes itself.
_LONGEST = timedelta(days=1, minutes=1)


class RelationChecks(ReplyChecks):
    """Tests that what belongs together agrees."""

    def test_our_key_comes_back_with_a_status(self) -> None:
        """What `send_text` sends as our key, a delivery returns under the same name."""
        names = {str(path[-1]) for path, value in _leaves_of(self._text_call()) if value == _KEY}
        for recording in self.recorded:
            for path, value in leaves(recording.content):
                if (
                    not path
                    or str(path[-1]) not in names
                    or not isinstance(value, str)
                    or not value
                ):
                    continue
                content = changed(recording.content, path, _KEY)
                events = parse(self.connector, replace(recording, content=content))
                states = [event for event in events if isinstance(event, Receipt | Echo)]
                assert not states or any(event.key == _KEY for event in states), (
                    f"{recording.name}: {shown(path)} is our key, which send_text sent as {path[-1]!r}, but no"
                    f" {states[0].type} has it; put it into `key`"
                )

    def test_a_key_in_the_address_reaches_the_receipt(self) -> None:
        if _QUERY not in self.connector.keeps_query:
            return
        for recording in self.recorded:
            asked = replace(recording, query={**recording.query, _QUERY: _KEY})
            for event in parse(self.connector, asked):
                assert not isinstance(event, Receipt) or event.key == _KEY, (
                    f"{recording.name}: the query has our key, but the receipt has the key {event.key!r}; put"
                    f" delivery.query.get({_QUERY!r}) into `key`"
                )

    def test_a_text_asks_for_its_status(self) -> None:
        """A connector that keeps the key of a status address must have given the platform this address."""
        if _QUERY in self.connector.keeps_query and self._text_call() is not None:
            values = [value for _, value in _leaves_of(self._text_call())]
            assert any(TEXT.status_url in str(value) for value in values), (
                "keeps_query names the key of the address for statuses, but send_text does not send out.status_url;"
                " pass it on, or no receipt ever comes"
            )

    def test_each_account_sends_its_own_texts(self) -> None:
        named = {str(one.given.get("account") or "") for one in exchanges(self.payloads)}
        accounts = sorted(self._accounts_of_messages() | named - {""})
        for start in self._flows_of_accounts():
            calls = {account: first_call(partial(start, account)) for account in accounts}
            known = [account for account in accounts if calls[account] is not None]
            for one, other in pairwise(known):
                assert calls[one] != calls[other], (
                    f"the accounts {one!r} and {other!r} of the recordings make the same call, so an answer may come"
                    " from an account that the consumer does not know; name out.account in the call"
                )

    def test_limits_differ_if_they_are_defined(self) -> None:
        if type(self.connector).limits is Connector.limits:
            return
        accounts = sorted(self._accounts_of_messages())
        declared = Connector.limits(self.connector, "")
        found = [self.connector.limits(account) for account in accounts]
        assert len(found) < 2 or any(one != declared for one in found), (
            f"limits is defined, but returns what the chart says for each of {', '.join(accounts)}; return the limits"
            " of the account's channel, or remove the method"
        )

    def test_a_token_is_not_kept_after_it_expires(self) -> None:
        for name, token, seconds in self._tokens():
            ends = [one for one in (_expiry(token.value), seconds) if one is not None]
            assert not ends or (token.expires and token.expires <= min(ends) + _SLACK), (
                f"{name}: the token is valid until {min(ends)}, but `expires` is {token.expires}; take the time from"
                " the token or the reply"
            )
            early = token.expires is not None and ends and token.expires < _half_way(min(ends))
            assert not early, (
                f"{name}: the token is valid until {min(ends)}, but `expires` is {token.expires}, so that it is fetched"
                " again and again; check the unit (expires_in is in seconds)"
            )
            made = _expiry(token.value) if name == "token" else None
            assert made is None or made <= RECEIVED_AT + _LONGEST, (
                f"the connector makes a token that is valid until {made}; make it for an hour, because anyone who finds"
                " it can use it until then"
            )

    def test_a_refusal_waits_as_long_as_its_words_say(self) -> None:
        for reply in self._replies():
            for path, value in leaves(reply.content):
                name = words_in(str(path[-1])) if path else frozenset()
                waits = "retry" in name and name & {"after", "delay", "in"}
                if not waits or isinstance(value, bool | None):
                    continue
                # google.rpc.RetryInfo writes "77s".
                unit = "s" if isinstance(value, str) and value.endswith("s") else ""
                asked = f"{_ASKED}{unit}" if isinstance(value, str) else _ASKED
                changed_reply = replace(reply, content=changed(reply.content, path, asked))
                refusal = self.connector.refusal(changed_reply)
                assert not refusal.retry or (refusal.after or 0) >= _ASKED, (
                    f"{shown(path)} of the reply is {asked}, but the refusal waits {refusal.after} s; put it into"
                    " `after`"
                )
                in_seconds = not name & {"ms", "millis", "milliseconds"}
                assert not refusal.retry or not in_seconds or (refusal.after or 0) <= 10 * _ASKED, (
                    f"{shown(path)} of the reply is {asked}, but the refusal waits {refusal.after} s; `after` is in"
                    " seconds"
                )

    def test_a_handshake_looks_at_each_parameter(self) -> None:
        """Each parameter is what is sent back, or else a reason to refuse if it is another one."""
        for exchange in exchanges(self.payloads):
            answer = self._shaken(exchange)
            if exchange.flow != "handshake" or exchange.content is not None or answer is None:
                continue
            for name, value in exchange.given.items():
                other = self._shaken(replace(exchange, given={**exchange.given, name: f"{value}0"}))
                known = shape(("handshake", name)) in self.unread or other != answer
                assert known, (
                    f"{exchange.name}: the handshake is answered in the same way whatever {name} is; compare it and"
                    f" refuse other values, or name 'handshake/{name}' in `unread` of the test class with the reason"
                )

    # helpers ----------------------------------------------------------------------------------------

    def _text_call(self) -> Call | None:
        if self.connector.capabilities.support("send_text") == "no":
            return None
        return first_call(partial(self.connector.send_text, replace(TEXT, key=_KEY)))

    def _accounts_of_messages(self) -> set[str]:
        """The accounts that consumers wrote to. If settings name some, only those: platforms test with others."""
        found = {
            event.account
            for recording in self.recorded
            for event in parse(self.connector, recording)
            if isinstance(event, Message)
        }
        return {one for one in found if one in _settings(self.connector.config)} or found

    def _flows_of_accounts(self) -> Iterator[Any]:
        offered, connector = self.connector.capabilities.support, self.connector
        if offered("send_text") != "no":
            yield lambda account: connector.send_text(replace(TEXT, account=account))
        if offered("send_typing") != "no":
            yield lambda account: connector.send_typing(replace(TYPING, account=account))
        if offered("mark_read") != "no":
            yield lambda account: connector.mark_read(account, TEXT.to, TYPING.message_id)

    def _tokens(self) -> Iterator[tuple[str, Token, datetime | None]]:
        """Each token that the connector makes or obtains, and its end by the reply."""
        if not needs_token(self.connector):
            return
        found = own_token(self.connector, RECEIVED_AT)
        if found is not None:
            yield "token", found, None
        for exchange in exchanges(self.payloads):
            if exchange.flow == "token" and exchange.refused is None:
                token = self._run(exchange).result
                if isinstance(token, Token):
                    yield exchange.name, token, _end_by(exchange)

    def _shaken(self, exchange: Exchange) -> Response | None:
        """The answer to a handshake, None if it is refused."""
        if exchange.flow != "handshake":
            return None
        found = drive(self.connector, exchange.start(self.connector), "check", _no_reply).result
        return found if isinstance(found, Response) and found.status < 300 else None


def _no_reply(call: Call, at: int) -> Reply:
    del call, at
    return Reply(200, {}, None)


def _leaves_of(call: Call | None) -> Iterator[tuple[Any, Any]]:
    if call is not None:
        yield from leaves([call.json, dict(call.form or {})])


def _settings(config: Any) -> frozenset[str]:
    """Every plain text in the settings, also the names in mappings."""
    dumped = config.model_dump(mode="json")
    names = {part for path, _ in leaves(dumped) for part in path if isinstance(part, str)}
    return frozenset(names | {str(value) for _, value in leaves(dumped)})


def _half_way(end: datetime) -> datetime:
    return RECEIVED_AT + (end - RECEIVED_AT) / 2


def _end_by(exchange: Exchange) -> datetime | None:
    for step in exchange.steps:
        for path, value in leaves(step["reply"].get("content")):
            if path and words_in(str(path[-1])) == {"expires", "in"} and str(value).isdecimal():
                return RECEIVED_AT + timedelta(seconds=int(value))
    return None


def _expiry(token: str) -> datetime | None:
    """The end of a JWT; None for a token in another form."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = orjson.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return None
    end = claims.get("exp") if isinstance(claims, Mapping) else None
    return datetime.fromtimestamp(end, UTC) if isinstance(end, int | float) else None
