"""Flaws in ids, names and addresses."""

from collections.abc import Generator
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from connectors import (
    Attachment,
    Call,
    MediaRef,
    Message,
    Party,
    Reply,
    Sent,
    Text,
    Typing,
    location,
)
from tests.connectors.sound import Acme

from .registry import fails

SendFlow = Generator[Call, Reply, Sent]


def _sent(self: Acme, out: Text, field: str, prefix: str = "") -> SendFlow:
    message = {"to": out.to, "text": out.text, "key": out.key}
    reply = yield Call("POST", f"{self.config.api}/send", json=message)
    match reply.content:
        case {"id": str(id)} if id:
            return Sent(prefix + (reply.content.get(field) or id))
    raise self.refusal(reply)


@fails("the_ids_of_messages_have_one_form")
class PutsAWordBeforeTheId(Acme):
    def send_text(self, out: Text) -> SendFlow:
        return _sent(self, out, "id", "text:")


@fails("the_id_of_a_sent_text_is_an_id_in_the_reply")
class ReturnsTheState(Acme):
    def send_text(self, out: Text) -> SendFlow:
        return _sent(self, out, "state")


@fails("a_text_that_is_sent_again_is_declared_safe")
class DeclaresNoResend(Acme):
    resend_is_safe = False


@fails("the_first_name_comes_first")
class ExchangesNames(Acme):
    def name_of(self, profile: Any) -> str | None:
        found = super().name_of(profile)
        return " ".join(reversed(found.split())) if found else None


@fails("a_place_keeps_its_name_and_its_address")
class ExchangesNameAndAddress(Acme):
    def place(self, raw: Any) -> Attachment:
        return location(raw["lat"], raw["lng"], name=raw.get("address"), address=raw.get("name"))


@fails("an_id_cannot_change_where_a_call_goes")
class PutsIdsIntoAddresses(Acme):
    def mark_read(self, account: str, to: str, message_id: str) -> Generator[Call, Reply, None]:
        yield Call("POST", f"{self.config.api}/messages/{message_id}/seen")


@fails("our_own_hosts_get_our_credentials")
class SendsNoCredentials(Acme):
    def send_text(self, out: Text) -> SendFlow:
        message = {"to": out.to, "text": out.text, "key": out.key}
        reply = yield Call("POST", f"{self.config.api}/send", json=message, auth=False)
        match reply.content:
            case {"id": str(id)} if id:
                return Sent(id)
        raise self.refusal(reply)


@fails("mark_read_says_read")
class ReportsDelivery(Acme):
    def mark_read(self, account: str, to: str, message_id: str) -> Generator[Call, Reply, None]:
        address = f"{self.config.api}/messages/{quote(message_id, safe='')}"
        yield Call("POST", address, json={"status": "delivered"})


@fails("an_id_is_kept_whole")
class CutsIds(Acme):
    def message(self, raw: Any) -> Message:
        return replace(super().message(raw), id=raw["id"][:40])


@fails("a_person_is_written_in_one_way")
class KeepsThePlus(Acme):
    def message(self, raw: Any) -> Message:
        found = super().message(raw)
        return replace(found, party=Party(raw["from"], found.party.name))


@fails("what_we_compose_is_taken_apart_for_the_platform")
class SendsItsOwnNotation(Acme):
    def message(self, raw: Any) -> Message:
        return replace(super().message(raw), account=f"shop:{self.config.shop}")

    def send_text(self, out: Text) -> SendFlow:
        message = {"from": out.account, "to": out.to, "text": out.text, "key": out.key}
        reply = yield Call("POST", f"{self.config.api}/send", json=message)
        match reply.content:
            case {"id": str(id)} if id:
                return Sent(id)
        raise self.refusal(reply)


@fails("a_recorded_file_is_one_that_parse_finds")
class NamesFilesDifferently(Acme):
    def file(self, raw: Any) -> Attachment:
        found = super().file(raw)
        media = found.media or MediaRef({})
        return replace(found, media=replace(media, locator={"file": media.locator["id"]}))


@fails("api_url_leads_every_call_to_the_api")
class WritesTheHostIntoTheCode(Acme):
    def check(self) -> Generator[Call, Reply, str]:
        reply = yield Call("GET", f"https://api.acme.example/shops/{self.config.shop}")
        match reply.content:
            case {"name": str(name)} if name.strip():
                return name
        raise self.refusal(reply)


@fails("send_typing_does_not_say_read")
class SaysReadWhenTyping(Acme):
    capabilities = replace(
        Acme.capabilities, features={**Acme.capabilities.features, "send_typing": "yes"}
    )

    def send_typing(self, out: Typing) -> Generator[Call, Reply, None]:
        yield Call("POST", f"{self.config.api}/events", json={"to": out.to, "event": "READ"})
