"""The kit and what must matter: parts of locators, elements of replies, people of one delivery, words for states."""

from collections.abc import Generator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connectors import (
    AnyEvent,
    Attachment,
    Call,
    Closed,
    Delivery,
    Download,
    MediaRef,
    Message,
    Notice,
    Party,
    Receipt,
    Reply,
    Status,
    fingerprint,
    kind_of,
    parse_timestamp,
)

from .kit_run import add, failures
from .sound import Acme
from .test_kit import FILES, FOUND, MESSAGE, call, folder, step, trial

__all__ = ["folder"]


def _update(**fields: Any) -> dict[str, Any]:
    return {"at": 1760000050, "from": "ann", **fields}


GIVEN = {"locator": {"id": "f1"}}


# locators ---------------------------------------------------------------------------------------------


class KeepsAKey(Acme):
    def file(self, raw: Any) -> Attachment:
        found = super().file(raw)
        assert found.media is not None
        locator = {**found.media.locator, "key": "00ff"}
        return replace(found, media=replace(found.media, locator=locator))


class SendsTheKey(KeepsAKey):
    def media(self, ref: MediaRef) -> Generator[Call, Reply, Download]:
        found = yield from super().media(ref)
        return replace(found, call=replace(found.call, headers={"x-key": ref.locator["key"]}))


@pytest.mark.parametrize(("kind", "found"), [(SendsTheKey, False), (KeepsAKey, True)])
def test_a_key_of_a_file_must_matter(folder: Path, kind: type[Acme], found: bool) -> None:
    given = {"locator": {"id": "f1", "key": "00ff"}}
    for file in (folder / "exchanges").glob("a_file*"):
        file.unlink()
    add(folder, "exchanges", "a_file", flow="media", given=given, steps=[step(FILES, FOUND)])
    (line,) = failures(trial(kind, folder), ["test_every_part_of_a_locator_is_used"]).values() or (
        "",
    )
    assert bool(line) == found
    assert not found or ("whatever key of its locator" in line and "; use it in media" in line)


# replies ----------------------------------------------------------------------------------------------


class NamesOneShop(Acme):
    def check(self) -> Generator[Call, Reply, str]:
        reply = yield Call("GET", f"{self.config.api}/shops")
        match reply.content:
            case {"shops": list(shops)} if shops:
                return ", ".join(str(shop["name"]) for shop in self.named(shops))
        raise self.refusal(reply)

    def named(self, shops: list[Any]) -> list[Any]:
        return shops[:1]


class NamesEveryShop(NamesOneShop):
    def named(self, shops: list[Any]) -> list[Any]:
        return shops


@pytest.mark.parametrize(("kind", "found"), [(NamesEveryShop, False), (NamesOneShop, True)])
def test_a_second_element_of_a_reply_must_matter(
    folder: Path, kind: type[Acme], found: bool
) -> None:
    shops = {"shops": [{"name": "Ann's Chairs"}, {"name": "Ben's Tables"}]}
    add(folder, "exchanges", "the_account", flow="check", steps=[step(call("GET", "/s"), shops)])
    assert bool(failures(trial(kind, folder), ["test_every_element_in_a_reply_is_read"])) == found


@pytest.mark.parametrize(
    ("more", "note", "found"),
    [
        ({"error": None, "errors": []}, "", False),
        ({"error_code": 30008}, "", True),
        ({"error": {"code": 30008}}, "", True),
        ({"error_code": 30008}, "it is a success all the same", False),
    ],
)
def test_a_reply_with_an_error_is_refused(
    folder: Path, more: Mapping[str, Any], note: str, found: bool
) -> None:
    steps = [step(call("POST", "/send", json=MESSAGE), {"id": "m-1", **more})]
    add(folder, "exchanges", "a_text", flow="send_text", note=note, steps=steps)
    test = "test_an_exchange_ends_as_its_replies_or_its_note_say"
    assert bool(failures(trial(Acme, folder), [test])) == found


def test_a_recorder_keeps_replies_that_are_not_used(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replies = [{"reply": {"status": 404}}, {"reply": {"content": FOUND}}]
    add(folder, "exchanges", "a_file_found_later", flow="media", given=GIVEN, steps=replies)
    monkeypatch.setenv("AIRLOCK_RECORD", "1")
    test = "test_flows_match_the_recorded_exchanges"
    assert failures(trial(Acme, folder), [test])
    (line,) = failures(trial(Acme, folder), [test]).values()
    assert "fewer calls than the recording has" in line


# people -----------------------------------------------------------------------------------------------

#: The names of the people in a delivery stand beside the messages.
TWO_PEOPLE = {
    "people": [{"id": "ben", "name": "Ben Example"}, {"id": "ann", "name": "Ann Example"}],
    "updates": [
        _update(kind="message", id="m-50", text="one"),
        _update(kind="message", id="m-51", text="two") | {"from": "ben"},
    ],
}


class NamesPeople(Acme):
    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        content = delivery.content if isinstance(delivery.content, dict) else {}
        people = [one for one in content.get("people") or [] if isinstance(one, dict)]
        return [self.called(event, people) for event in super().parse(delivery)]

    def called(self, event: AnyEvent, people: list[Any]) -> AnyEvent:
        if not isinstance(event, Message):
            return event
        return replace(event, party=self.person(event.party.id, people))

    def person(self, id: str, people: list[Any]) -> Party:
        return Party(id, next((one.get("name") for one in people if one.get("id") == id), None))


class CallsEverybodyTheSame(NamesPeople):
    def person(self, id: str, people: list[Any]) -> Party:
        return Party(id, next((one.get("name") for one in people), None))


class GivesEverybodyTheFirstId(NamesPeople):
    def person(self, id: str, people: list[Any]) -> Party:
        return Party(id, None, tuple(one["id"] for one in people[:1] if one["id"] != id))


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (NamesPeople, ""),
        (CallsEverybodyTheSame, "find the name by the id"),
        (GivesEverybodyTheFirstId, "are two people, but both have the id 'ben'"),
    ],
)
def test_a_name_must_be_that_of_its_person(folder: Path, kind: type[Acme], found: str) -> None:
    add(folder, "", "two_people", content=TWO_PEOPLE, events=[])
    said = failures(trial(kind, folder), ["test_a_name_belongs_to_its_person"])
    assert [found in line for line in said.values()] == ([True] if found else [])


@pytest.mark.parametrize(("kind", "found"), [(NamesPeople, False), (CallsEverybodyTheSame, True)])
def test_a_later_element_must_count(folder: Path, kind: type[Acme], found: bool) -> None:
    add(folder, "", "two_people", content=TWO_PEOPLE, events=[])
    assert bool(failures(trial(kind, folder), ["test_what_a_later_element_says_is_read"])) == found


class LooksAtTypesOnly(Acme):
    def file(self, raw: Any) -> Attachment:
        found = super().file(raw)
        media_type = found.media.media_type if found.media else None
        return found if media_type is None else replace(found, kind=kind_of(media_type))


@pytest.mark.parametrize(("kind", "found"), [(Acme, False), (LooksAtTypesOnly, True)])
def test_the_name_of_a_file_must_count(folder: Path, kind: type[Acme], found: bool) -> None:
    test = "test_a_picture_that_is_sent_as_a_file_is_a_photo"
    said = failures(trial(kind, folder), [test])
    assert ["application/octet-stream" in line for line in said.values()] == [True] * found


# events -----------------------------------------------------------------------------------------------


class ReadsMore(Acme):
    """Reads two words for one state, the end of a conversation, and a greeting before a message."""

    def read(self, raw: Any) -> AnyEvent:
        common: dict[str, Any] = {
            "account": self.config.shop,
            "party": Party(raw["from"]),
            "sent_at": parse_timestamp(raw["at"]),
        }
        if raw["kind"] in {"expired", "expiry_failed"}:
            status: Status = "failed" if raw["kind"] == "expired" else "delivered"
            id = f"{self.word(raw)}:{raw['id']}"
            ids, code = (str(raw["id"]),), str(raw["kind"])
            return Receipt(id=id, status=status, message_ids=ids, code=code, **common)
        if raw["kind"] == "closed":
            return self.closed(fingerprint(raw), common)
        return super().read(raw)

    def word(self, raw: Any) -> str:
        return str(raw["kind"])

    def closed(self, id: str, common: Any) -> AnyEvent:
        return Closed(id=id, **common)


class TakesAllForExpired(ReadsMore):
    def read(self, raw: Any) -> AnyEvent:
        found = super().read(raw)
        return replace(found, status="failed") if isinstance(found, Receipt) else found

    def word(self, raw: Any) -> str:
        return "expired"


class OnlyNoticesTheEnd(ReadsMore):
    def closed(self, id: str, common: Any) -> AnyEvent:
        return Notice(id=id, kind="closed", **common)


class GreetsOnce(Acme):
    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        return [one for event in super().parse(delivery) for one in self.greeted(event)]

    def greeted(self, event: AnyEvent) -> list[AnyEvent]:
        if not isinstance(event, Message):
            return [event]
        common: dict[str, Any] = {
            "account": event.account,
            "party": event.party,
            "sent_at": event.sent_at,
        }
        return [Notice(id=self.id_for(event), kind="greeting", **common), event]

    def id_for(self, event: Message) -> str:
        return f"greeting:{event.party.id}"


class GreetsTheShop(GreetsOnce):
    def greeted(self, event: AnyEvent) -> list[AnyEvent]:
        at = event.sent_at
        return [Notice(id="opened", account=self.config.shop, sent_at=at, kind="opened"), event]


class GreetsEachMessage(GreetsOnce):
    def id_for(self, event: Message) -> str:
        return f"greeting:{event.id}"


STATES = "test_each_state_of_a_text_has_an_id_of_its_own"
END = "test_an_end_is_an_end"
SECOND = "test_a_second_notice_has_another_id"


@pytest.mark.parametrize(
    ("kind", "test", "found"),
    [
        (ReadsMore, STATES, False),
        (TakesAllForExpired, STATES, True),
        (ReadsMore, END, False),
        (OnlyNoticesTheEnd, END, True),
        (GreetsEachMessage, SECOND, False),
        (GreetsOnce, SECOND, True),
        (GreetsTheShop, SECOND, True),
    ],
)
def test_words_and_events_must_agree(
    folder: Path, kind: type[Acme], test: str, found: bool
) -> None:
    for word in ("expired", "expiry_failed", "closed"):
        add(folder, "", word, content={"updates": [_update(kind=word, id="m-60")]}, events=[])
    assert bool(failures(trial(kind, folder), [test])) == found
