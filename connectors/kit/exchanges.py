"""Recorded exchanges: the calls of a flow, the platform's replies, and the result.

Files `exchanges/*.json` beside the recordings, each

    {"note": …, "flow": "media" | "send_text" | "send_typing" | "mark_read" | "profile" | "check" | "token",
            | "tell_outcome" | "forget" | "tell_closed",
     "given": {…},
     "steps": [{"call": {…}, "reply": {"status": 200, "headers": {}, "content": {…}}}, …],
     "result": … | "refused": {"reason": …, …}, "download": {"status": 403}, "elsewhere": false,
     "again": false}

`given` holds the fields of the `MediaRef`, `Text`, `Typing` or `Outcome`, or the arguments of the others.
`download` is the reply of the file's host, and `refused` its meaning, with the platform's `code` and `detail` if they
are to be checked; the `headers` of a redirect contain a `location`. `elsewhere` means that the file is on a host that
only an operator can allow. `again` means that the text was sent before and the reply was lost.

Methods that make no call are recorded in the same way: `acknowledge`; `limits` of one `account`; `authorize`, whose
`given` may hold the fields of the `call` and of the `token`; and `handshake`, whose `given` is the query, and whose
`content` is the body of a POST, which the test class signs.

To write an exchange, give only the replies: the kit fails and prints the complete exchange, or writes it if
AIRLOCK_RECORD=1 is set (`connectors.kit.record`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import orjson

from connectors.contract import (
    Call,
    Connector,
    Download,
    Purpose,
    Reply,
    Request,
)
from connectors.recordings import RECEIVED_AT, URL, Recording

from .calls import CallChecks
from .mutations import damaged
from .notation import comparable, reply_of, shown
from .record import mismatch
from .run_flow import Driven, Start, drive, explain_crash
from .starts import STARTS

#: The number of damaged variants of each exchange.
DAMAGES = 60

#: Methods that make no call.
ANSWERED = ("acknowledge", "authorize", "handshake", "limits")
PURPOSES: Mapping[str, Purpose] = {
    "media": "lookup",
    "send_text": "send",
    "send_typing": "send",
    "mark_read": "send",
    "tell_outcome": "send",
    "forget": "send",
    "tell_closed": "send",
    "profile": "profile",
    "check": "check",
    "token": "check",
    **dict.fromkeys(ANSWERED, "check"),
}


@dataclass(frozen=True, slots=True)
class Exchange:
    """One complete run of a flow. `note` states its origin."""

    name: str
    flow: str
    steps: tuple[Mapping[str, Any], ...] = ()
    given: Mapping[str, Any] = field(default_factory=dict)
    result: Any = None
    refused: Mapping[str, Any] | None = None
    download: Mapping[str, Any] | None = None
    elsewhere: bool = False
    again: bool = False
    note: str = ""
    content: Any = None

    def start(self, connector: Connector[Any]) -> Start:
        """The flow, as a function that starts it."""
        if self.flow not in STARTS:
            raise ValueError(
                f"{self.name}: {self.flow!r} is not a flow; use one of {', '.join(PURPOSES)}"
            )
        return STARTS[self.flow](connector, self.given, self.request(connector))

    def request(self, connector: Connector[Any]) -> Request:
        """The request of a handshake, without a signature."""
        if self.content is None:
            return Request("GET", URL, {}, b"", RECEIVED_AT, self.given)
        query = {name: str(value) for name, value in self.given.items()}
        return Recording(self.name, self.content, query=query).request(connector)

    def reply(self, at: int) -> Reply:
        assert at < len(self.steps), (
            f"{self.name}: the flow makes more calls than the recording has"
        )
        return reply_of(self.steps[at]["reply"], PURPOSES[self.flow])

    def refused_reply(self) -> Reply | None:
        """The reply that `refused` interprets; None if the exchange succeeds or the flow refuses without a call."""
        if self.refused is None:
            return None
        if self.download is not None:
            return reply_of(self.download, "download")
        return self.reply(len(self.steps) - 1) if self.steps else None


def exchanges(folder: Path) -> list[Exchange]:
    """All exchanges in the subfolder `exchanges`, sorted by name."""
    return [
        Exchange(path.stem, **_tuples(orjson.loads(path.read_bytes())))
        for path in sorted((folder / "exchanges").glob("*.json"))
    ]


class ExchangeChecks(CallChecks):
    """Tests of flows with recorded exchanges."""

    def test_flows_match_the_recorded_exchanges(self) -> None:
        wrong: list[str] = []
        for exchange in exchanges(self.payloads):
            driven = self._driven(exchange)
            found = self._shown(exchange, driven)
            if _comparable(found, exchange) != _expected(exchange):
                file = self.payloads / "exchanges" / f"{exchange.name}.json"
                wrong.append(mismatch(file, found, frozenset({"result", "refused"})))
            elif len(driven.calls) != len(exchange.steps):
                wrong.append(f"{exchange.name}: the flow makes fewer calls than the recording has")
        assert not wrong, "\n".join(wrong)

    def test_recorded_exchanges_send_credentials_only_to_declared_hosts(self) -> None:
        for exchange in exchanges(self.payloads):
            driven = self._driven(exchange)
            for call in driven.calls:
                check = self.check_token_call if exchange.flow == "token" else self.check_call
                check(call)
            if exchange.flow not in ANSWERED:
                self.check_end(PURPOSES[exchange.flow], driven.result, driven.refused)

    def test_media_addresses_are_on_declared_hosts(self) -> None:
        for exchange in exchanges(self.payloads):
            found = self._driven(exchange).result
            if isinstance(found, Download):
                moved = reply_of(exchange.download or {}, "download").headers.get("location")
                for url in filter(None, (found.call.url, moved)):
                    assert self.may_be_fetched(url) != exchange.elsewhere, (
                        f"{exchange.name}: {url} is not on api_url, hosts or media_hosts; declare its host,"
                        " or set elsewhere if only an operator can know the host"
                    )

    def test_a_repeated_exchange_makes_the_same_calls(self) -> None:
        for exchange in exchanges(self.payloads):
            assert self._driven(exchange).calls == self._driven(exchange).calls, (
                f"{exchange.name}: the calls differ the second time; keep nothing from replies, which expire"
            )

    def test_flows_refuse_damaged_replies(self) -> None:
        for exchange in exchanges(self.payloads):
            random = Random(exchange.name)  # noqa: S311 - the same damage every time
            for _ in range(DAMAGES if exchange.steps else 0):
                broken = random.randrange(len(exchange.steps))

                def answer(call: Call, at: int, broken: int = broken) -> Reply:
                    del call
                    reply = exchange.reply(min(at, len(exchange.steps) - 1))  # noqa: B023 - at once
                    return _damaged(reply, random) if at == broken else reply  # noqa: B023 - at once

                purpose = PURPOSES[exchange.flow]
                with explain_crash(exchange.name):
                    start = exchange.start(self.connector)
                    driven = drive(self.connector, start, purpose, answer)
                if isinstance(driven.result, Download):
                    self.check_claims(driven.result)  # the gateway's allowlist checks the URL
                else:
                    self.check_end(purpose, driven.result, driven.refused)

    # helpers ----------------------------------------------------------------------------------------

    def _driven(self, exchange: Exchange) -> Driven:
        def answer(call: Call, at: int) -> Reply:
            del call
            return exchange.reply(at)

        with explain_crash(exchange.name):
            start = exchange.start(self.connector)
            if exchange.flow == "handshake" and exchange.content is not None:
                request = self.sign(exchange.request(self.connector))
                start = partial(self.connector.handshake, request)
            return drive(self.connector, start, PURPOSES[exchange.flow], answer)

    def _shown(self, exchange: Exchange, driven: Driven) -> dict[str, Any]:
        refused = driven.refused
        answer = reply_of(exchange.download or {}, "download")
        if refused is None and answer.status >= 400:
            refused = self.connector.refusal(answer)
        calls = [{"call": shown(call)} for call in driven.calls]
        # Replies that the flow does not ask for stay: who recorded them expects their calls.
        unused: list[dict[str, Any]] = [{} for _ in exchange.steps[len(calls) :]]
        steps = [
            {**call, "reply": step["reply"]}
            for call, step in zip([*calls, *unused], exchange.steps, strict=False)
        ]
        ended = {"result": shown(driven.result)} if driven.refused is None else {}
        return {"steps": steps, **ended, **({"refused": shown(refused)} if refused else {})}


def _comparable(found: dict[str, Any], exchange: Exchange) -> dict[str, Any]:
    if "refused" not in found:
        return found
    return {**found, "refused": comparable(found["refused"], exchange.refused or {})}


def _expected(exchange: Exchange) -> dict[str, Any]:
    steps = [
        {name: step[name] for name in ("call", "reply") if name in step} for step in exchange.steps
    ]
    refused = {"refused": exchange.refused} if exchange.refused is not None else {}
    ended = {"result": exchange.result}
    if exchange.refused is not None and exchange.download is None:
        ended = {}
    return {"steps": steps, **ended, **refused}


def _damaged(reply: Reply, random: Random) -> Reply:
    return Reply(reply.status, reply.headers, damaged(reply.content, random), b"", reply.purpose)


def _tuples(raw: dict[str, Any]) -> dict[str, Any]:
    return {**raw, "steps": tuple(raw.get("steps", ()))}
