"""Tests of ids: those of one kind have one form, and the id of a sent text is the platform's id of it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import combinations
from typing import Any
from urllib.parse import quote

from connectors.contract import Call, Sent, Token
from connectors.recordings import RECEIVED_AT, Recording
from connectors.tools.authorization import headers_for_call
from normalizer.events import AnyEvent, Echo, Message, Party, Receipt, Unknown, dump

from .exchanges import Exchange, exchanges
from .paths import Path, opened, shown
from .replies import ReplyChecks, reply_leaves
from .run_flow import first_call
from .subject import TEXT
from .trials import WORD, fresh_value, leaves, parse, parse_with, trials, words_in

#: Words in the names of fields with the id of a message.
_IDS = frozenset({"id", "ids", "mid", "sid", "uuid", "guid", "key", "ref", "name"})
#: An id that cutting, trimming, or another case would change.
_LONG = f"Zq-47.11_{'x' * 120}=End"
_FIRST = frozenset({"first", "given"})
_LAST = frozenset({"last", "family", "surname"})


class IdentityChecks(ReplyChecks):
    """Tests of the ids of messages and texts, and of the names of people and places."""

    def test_the_ids_of_messages_have_one_form(self) -> None:
        """An answer names a message by the id that its event has, and a receipt a text by the id in Sent."""
        theirs, ours = dict(self._ids_of_messages()), dict(self._ids_of_texts())
        known = ours or theirs
        for where, id in self._named_ids():
            _assert_alike(where, id, {**theirs, **ours})
        for where, id in self._sent_ids():
            _assert_alike(where, id, known)

    def test_the_id_of_a_sent_text_is_an_id_in_the_reply(self) -> None:
        for exchange in exchanges(self.payloads):
            if exchange.flow != "send_text" or exchange.refused is not None or not exchange.steps:
                continue
            ended = self._run(exchange).result
            deciding = [
                path
                for at, path, value in reply_leaves(exchange)
                if fresh_value(value) is not None
                and _id_of(self._with_reply(exchange, at, path, fresh_value(value)).result)
                not in {None, _id_of(ended)}
            ]
            named = any(words_in(str(path[-1])) & _IDS for path in deciding)
            others = [path for _, path, _ in reply_leaves(exchange) if _is_id(path)]
            assert not deciding or named or not others, (
                f"{exchange.name}: Sent has the value at {shown(deciding[0])} of the reply, but the id is at"
                f" {shown(others[0])}; return the id that the receipts will name"
            )

    def test_a_token_is_sent_with_its_scheme(self) -> None:
        for exchange in exchanges(self.payloads):
            token = self._run(exchange).result if exchange.flow == "token" else None
            if not isinstance(token, Token) or not _is_bearer(exchange):
                continue
            call = Call("GET", self.connector.config.api)
            for name, value in headers_for_call(self.connector, RECEIVED_AT, token, call).items():
                assert token.value not in value or value.lower().startswith("bearer "), (
                    f"{exchange.name}: the platform says that its token is a bearer token, but the header {name} begins"
                    f" with {value.partition(' ')[0]!r:.20}; write “Bearer ” before it"
                )

    def test_a_text_that_is_sent_again_is_declared_safe(self) -> None:
        for exchange in exchanges(self.payloads):
            safe = self.connector.resend_is_safe or exchange.refused is not None
            assert not exchange.again or safe, (
                f"{exchange.name} shows that a text may be sent again, but resend_is_safe is False, so that Airlock"
                " gives up after a lost reply; declare it"
            )

    def test_an_id_is_kept_whole(self, recording: Recording) -> None:
        for trial in trials(self.connector, recording):
            if trial.fresh != WORD or not trial.is_seen:
                continue
            events = parse_with(self.connector, recording, trial.path, _LONG)
            read = not any(isinstance(event, Unknown) for event in (*trial.events, *events))
            assert not read or _LONG in dump(list(events)).decode(), (
                f"{shown(trial.path)} is {_LONG[:30]!r}… ({len(_LONG)} characters), but no event has all of it; do not"
                " cut ids and names, and leave capitals as they are"
            )

    def test_a_person_is_written_in_one_way(self) -> None:
        """The same number with and without a plus would be two conversations."""
        known: dict[str, tuple[str, str]] = {}
        for recording in self.recorded:
            for event in parse(self.connector, recording):
                for id in (event.account, event.party.id if event.party else None):
                    if id is None or not id.lstrip("+").isdecimal():
                        continue
                    other, name = known.setdefault(id.lstrip("+"), (id, recording.name))
                    assert other == id, (
                        f"{other!r} in {name} is {id!r} in {recording.name}, so one person has two conversations;"
                        " write numbers in one way"
                    )

    def test_what_we_compose_is_taken_apart_for_the_platform(self) -> None:
        """An account or an id that no delivery contains is our own notation, which the platform does not know."""
        for name, id, call in self._calls_with_ids():
            assert not _contains(call, id), (
                f"the call of {name} contains {id!r}, which no delivery does: it is our own notation; send the parts"
                " that the platform knows"
            )

    def test_the_first_name_comes_first(self, recording: Recording) -> None:
        names = {event.party.name for event in parse(self.connector, recording) if event.party}
        for name in filter(None, names):
            first, last = (_values(recording, words) for words in (_FIRST, _LAST))
            for one in first:
                for other in last:
                    both = one in name and other in name and one != other
                    assert not both or name.index(one) < name.index(other), (
                        f"the name is {name!r}, but {one!r} is the first name; put it first"
                    )

    def test_a_name_belongs_to_its_person(self, recording: Recording) -> None:
        """In a delivery about several people, a name stands beside the id of the person whose it is."""
        events = parse(self.connector, recording)
        people = {event.party for event in events if event.party and event.type != "identity"}
        ids = {id for one in people for id in (one.id, *one.aliases)}
        for one, other in combinations(people, 2):
            shared = sorted({one.id, *one.aliases} & {other.id, *other.aliases})
            assert one.id == other.id or not shared, (
                f"{one.id!r} and {other.id!r} are two people, but both have the id {shared[0]!r}; take the ids and the"
                " name of each person from their own object"
            )
        for party in people if len(people) > 1 else ():
            own = {party.id, *party.aliases}
            beside = [_beside(recording.content, path, ids) for path in _named(recording, party)]
            known = not beside or any(not found or found & own for found in beside)
            assert known, (
                f"{party.id!r} is called {party.name!r}, which the delivery says of {min(beside[0])!r}; find the"
                " name by the id of its person"
            )

    def test_a_place_keeps_its_name_and_its_address(self, recording: Recording) -> None:
        for event in parse(self.connector, recording):
            for found in getattr(event, "attachments", ()):
                details = (found.details or {}) if found.kind == "location" else {}
                for field, other in (("address", "name"), ("name", "address")):
                    value = details.get(other)
                    named = [
                        one for path, one in leaves(recording.content) if path[-1:] == (field,)
                    ]
                    assert value is None or value not in named or details.get(field) == value, (
                        f"the {other} of the place is {value!r:.40}, which the delivery calls its {field}; exchange"
                        " them"
                    )

    # helpers ----------------------------------------------------------------------------------------

    def _calls_with_ids(self) -> Iterator[tuple[str, str, Call | None]]:
        """The calls about what we composed: an account, a quoted message, a message that was read."""
        connector, offers = self.connector, self.connector.capabilities.support
        events = [event for one in self.recorded for event in parse(connector, one)]
        messages = [event for event in events if isinstance(event, Message)]
        known = self._words()
        accounts = sorted({one.account for one in messages} - known)
        composed = [one for one in messages if one.id not in known]
        if offers("send_text") != "no":
            for account in accounts:
                out = replace(TEXT, account=account)
                yield "send_text", account, first_call(partial(connector.send_text, out))
            for one in composed:
                out = replace(TEXT, account=one.account, reply_to=one.id)
                yield "send_text", one.id, first_call(partial(connector.send_text, out))
        if offers("mark_read") != "no":
            for one in composed:
                start = partial(connector.mark_read, one.account, one.party.id, one.id)
                yield "mark_read", one.id, first_call(start)

    def _words(self) -> frozenset[str]:
        """Every value of the deliveries and of the settings."""
        found = [value for one in self.recorded for _, value in leaves(one.content)]
        found += [
            value for one in self.recorded for value in (*one.headers.values(), *one.query.values())
        ]
        found += [value for _, value in leaves(self.connector.config.model_dump(mode="json"))]
        return frozenset(map(str, found))

    def _ids_of_messages(self) -> Iterator[tuple[str, str]]:
        for recording in self.recorded:
            for event in parse(self.connector, recording):
                if isinstance(event, Message):
                    yield event.id, recording.name

    def _ids_of_texts(self) -> Iterator[tuple[str, str]]:
        """The ids of our texts in receipts and echoes."""
        for recording in self.recorded:
            for event in parse(self.connector, recording):
                yield from ((id, recording.name) for id in _of_ours(event))

    def _named_ids(self) -> Iterator[tuple[str, str]]:
        """The ids of messages that other events name."""
        for recording in self.recorded:
            for event in parse(self.connector, recording):
                for field in ("reply_to", "target"):
                    id = getattr(event, field, None)
                    if id:
                        yield f"{recording.name}: {field} of the {event.type}", id

    def _sent_ids(self) -> Iterator[tuple[str, str]]:
        for exchange in exchanges(self.payloads):
            sent = self._run(exchange).result if exchange.flow == "send_text" else None
            if isinstance(sent, Sent):
                yield f"{exchange.name}: the id in Sent", sent.id


def _assert_alike(where: str, id: str, known: Mapping[str, str]) -> None:
    forms = {one.count(":") for one in known}
    assert not forms or id.count(":") in forms, (
        f"{where} is {id!r}, but others are such as {next(iter(known))!r}; build the ids of messages in one way, so"
        " that they are found"
    )


def _contains(call: Call | None, id: str) -> bool:
    """Whether a call has an id as a whole value, or in its address."""
    if call is None:
        return False
    values = [value for _, value in leaves([call.json, dict(call.form or {}), dict(call.headers)])]
    return id in values or quote(id, safe="") in call.url or id in call.url


def _of_ours(event: AnyEvent) -> tuple[str, ...]:
    match event:
        case Receipt():
            return event.message_ids
        case Echo():
            return (event.message_id,)
    return ()


def _id_of(result: Any) -> str | None:
    return result.id if isinstance(result, Sent) else None


def _is_id(path: tuple[str | int, ...]) -> bool:
    return bool(words_in(str(path[-1])) & _IDS)


def _is_bearer(exchange: Exchange) -> bool:
    return any(
        path[-1] == "token_type" and str(value).lower() == "bearer"
        for _, path, value in reply_leaves(exchange)
    )


def _values(recording: Recording, words: frozenset[str]) -> list[str]:
    return [
        value
        for path, value in leaves(recording.content)
        if isinstance(value, str) and value and path and words_in(str(path[-1])) & words
    ]


def _named(recording: Recording, party: Party) -> Iterator[Path]:
    """The places of a person's name in a delivery."""
    for path, value in leaves(recording.content):
        if path and value == party.name:
            yield path


def _beside(content: Any, path: Path, ids: set[str]) -> set[str]:
    """The ids of people in the smallest object around a name that has any."""
    around = [content]
    for part in path[:-1]:
        around.append(opened(around[-1])[part])
    for holder in reversed(around):
        found = {str(value) for _, value in leaves(holder)} & ids
        if found:
            return found
    return set()
