"""Tests of the addresses of calls: ids cannot change where a call goes, and our own hosts get our credentials."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pydantic import HttpUrl

from connectors.contract import Call, Download
from normalizer.events import MediaRef

from .exchanges import ANSWERED, exchanges
from .replies import ReplyChecks
from .run_flow import first_call
from .subject import OUTCOME, TEXT, TYPING, files
from .trials import words_in

#: An id that leads elsewhere if it is put into an address as it is, and one of the same kind that does not.
_HOSTILE, _PLAIN = "a/../b?c=d&e#f%41", "plain-4711"
#: A flow, as a function of the id of a consumer or of a message.
Flow = Callable[[str], Any]


class AddressChecks(ReplyChecks):
    """Tests of the addresses of calls."""

    def test_an_id_cannot_change_where_a_call_goes(self) -> None:
        for name, flow in self._flows_of_ids():
            plain, hostile = (_address(flow, one) for one in (_PLAIN, _HOSTILE))
            if plain is None or hostile is None or _PLAIN not in plain:
                continue
            assert _outline(plain) == _outline(hostile), (
                f"{name}: with an id such as {_HOSTILE!r}, the call goes to {hostile}; put ids into addresses with"
                " quote(id, safe='') or urlencode"
            )

    def test_api_url_leads_every_call_to_the_api(self) -> None:
        """A host that is written into the code cannot be replaced by a region, a proxy or an emulator."""
        config = self.connector.config
        moved = HttpUrl(f"https://elsewhere.example.net{config.api_url.path or ''}")
        other = type(self.connector)(config.model_copy(update={"api_url": moved}))
        subject = type("Moved", (type(self),), {"connector": other})()
        for (name, start), (_, again) in zip(
            self.other_flows(), subject.other_flows(), strict=True
        ):
            call, call_again = first_call(start), first_call(again)
            if call is not None and call_again is not None:
                stays = urlsplit(call_again.url).netloc == urlsplit(config.api).netloc
                assert not stays, (
                    f"{name}: with another api_url, the call still goes to {call_again.url}; begin the address with"
                    " self.config.api"
                )
                assert "//" not in urlsplit(call.url).path, (
                    f"{name}: the path of {call.url} has an empty part; self.config.api has no slash at its end"
                )

    def test_our_own_hosts_get_our_credentials(self) -> None:
        """A call without them is refused, or works only as long as the platform lets everybody in."""
        if not self.authorized():
            return
        for name, call in self._calls():
            trusted = self.may_have_credentials(call.url)
            parts = (call.url, str(dict(call.headers)), repr((call.json, call.form, call.body)))
            assert call.auth or not trusted or _is_signed(call.url) or self.leaks(*parts), (
                f"{name}: the call to {call.url} has no credentials, although its host may have them; leave auth=True,"
                " or write auth=self.trusts(url) for an address that the platform names"
            )

    def test_a_recorded_file_is_one_that_parse_finds(self) -> None:
        found = {_form(ref.locator) for one in self.recorded for ref in files(self.parsed(one))}
        for exchange in exchanges(self.payloads):
            locator = exchange.given.get("locator") if exchange.flow == "media" else None
            assert not locator or not found or _form(locator) in found, (
                f"{exchange.name}: no recording yields a file with a locator like {locator}; correct parse, or record"
                " the delivery from which this file comes"
            )

    # helpers ----------------------------------------------------------------------------------------

    def _flows_of_ids(self) -> Iterator[tuple[str, Flow]]:
        connector, offers = self.connector, self.connector.capabilities.support
        flows: tuple[tuple[str, str, Flow], ...] = (
            ("send_text", "send_text", lambda one: connector.send_text(replace(TEXT, to=one))),
            (
                "send_typing",
                "send_typing",
                lambda one: connector.send_typing(replace(TYPING, to=one)),
            ),
            (
                "send_typing",
                "send_typing",
                lambda one: connector.send_typing(replace(TYPING, message_id=one)),
            ),
            ("mark_read", "mark_read", lambda one: connector.mark_read("", one, TYPING.message_id)),
            ("mark_read", "mark_read", lambda one: connector.mark_read("", TEXT.to, one)),
            (
                "tell_outcome",
                "outcome",
                lambda one: connector.tell_outcome(replace(OUTCOME, to=one)),
            ),
            (
                "tell_outcome",
                "outcome",
                lambda one: connector.tell_outcome(replace(OUTCOME, message_id=one)),
            ),
            ("forget", "forget", lambda one: connector.forget("", one)),
            ("tell_closed", "send_close", lambda one: connector.tell_closed("", one)),
        )
        for name, feature, flow in flows:
            if offers(feature) != "no":  # type: ignore[arg-type]  # the names of features
                yield name, flow
        yield "profile", lambda one: connector.profile("", one)
        for ref, field in self._ids_of_files():
            yield "media", partial(self._found, ref, field)

    def _found(self, ref: MediaRef, field: str, one: str) -> Any:
        return self.connector.media(replace(ref, locator={**ref.locator, field: one}))

    def _ids_of_files(self) -> Iterator[tuple[MediaRef, str]]:
        """A file of each form of locator, with the name of an id in it."""
        seen: set[tuple[str, ...]] = set()
        for recording in self.recorded:
            for ref in files(self.parsed(recording)):
                names = tuple(ref.locator)
                if names in seen:
                    continue
                seen.add(names)
                for name, value in ref.locator.items():
                    if isinstance(value, str) and "://" not in value:
                        yield ref, name

    def _calls(self) -> Iterator[tuple[str, Call]]:
        """The calls of recorded exchanges, with the downloads to which they lead."""
        for exchange in exchanges(self.payloads):
            if exchange.flow == "token" or exchange.flow in ANSWERED:
                continue
            driven = self._run(exchange)
            ended = [driven.result.call] if isinstance(driven.result, Download) else []
            yield from ((exchange.name, call) for call in (*driven.calls, *ended))


def _is_signed(url: str) -> bool:
    """Whether an address proves by itself that its file may be read."""
    names = [name for name, _ in parse_qsl(urlsplit(url).query)]
    return bool(words_in(*names) & {"sig", "signature", "token", "expires"})


def _form(locator: Mapping[str, Any]) -> tuple[Any, ...]:
    """The names in a locator, with the values that say what to do: true, false and null."""
    return tuple(
        (name, value if isinstance(value, bool | None) else type(value).__name__)
        for name, value in sorted(locator.items())
    )


def _address(flow: Flow, id: str) -> str | None:
    # A flow may refuse an id of another form.
    with suppress(Exception):
        call = first_call(lambda: flow(id))
        return call.url if call is not None else None
    return None


def _outline(url: str) -> tuple[Any, ...]:
    """What an id must not change: the host, the number of parts of the path, and the names in the query."""
    parts = urlsplit(url)
    names = sorted(name for name, _ in parse_qsl(parts.query, keep_blank_values=True))
    return parts.netloc, parts.path.count("/"), names, parts.fragment
