"""Flaws in calls and refusals that show with other values than the recorded ones."""

from collections.abc import Generator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar

from connectors import (
    Call,
    Capabilities,
    Download,
    MediaRef,
    Rejected,
    Reply,
    Sent,
    Text,
    Token,
    Typing,
    oauth_token,
    offers,
)
from tests.connectors.fetching import Fetching
from tests.connectors.sound import TOKEN, Acme

from .registry import fails

SendFlow = Generator[Call, Reply, Sent]


@fails("a_recorded_refusal_waits_as_long_as_asked")
class IgnoresTheWaitForItsOwnCodes(Acme):
    def refusal(self, reply: Reply) -> Rejected:
        found = super().refusal(reply)
        if found.code is None:
            return found
        return Rejected(found.reason, retry=True, after=5, code=found.code, explained=True)


@fails("a_refusal_means_what_its_status_says")
class GivesUpOnEveryCode(Acme):
    def refusal(self, reply: Reply) -> Rejected:
        found = super().refusal(reply)
        return found if found.code is None else Rejected("invalid", code=found.code)


@fails("a_refusal_means_what_its_words_say")
class GivesUpOnTooManyTexts(Acme):
    def refusal(self, reply: Reply) -> Rejected:
        found = super().refusal(reply)
        return Rejected("invalid", code="19") if found.code == "19" else found


@fails("check_believes_only_the_platform")
class IsAlwaysWell(Acme):
    def check(self) -> Generator[Call, Reply, str]:
        yield Call("GET", f"{self.config.api}/shops/{self.config.shop}")
        return self.label


@fails("check_makes_a_call_with_our_credentials")
class ChecksWithoutCredentials(Acme):
    def check(self) -> Generator[Call, Reply, str]:
        reply = yield Call("GET", f"{self.config.api}/shops/{self.config.shop}", auth=False)
        match reply.content:
            case {"name": str(name)} if name.strip():
                return name
        raise self.refusal(reply)


@fails("a_foreign_host_in_a_reply_gets_no_credentials")
class AddsTheTokenToAddresses(Acme):
    token_in_address = True

    def media(self, ref: MediaRef) -> Generator[Call, Reply, Download]:
        reply = yield Call("GET", f"{self.config.api}/files/{ref.locator['id']}")
        match reply.content:
            case {"url": str(url)}:
                return Download(Call("GET", f"{url}?token={TOKEN}", auth=False))
        raise self.refusal(reply)


@fails("a_foreign_host_gets_no_credentials")
class FetchesAnyAddressWithTheToken(Acme):
    def media(self, ref: MediaRef) -> Generator[Call, Reply, Download]:
        headers = {"x-token": TOKEN}
        yield Call("GET", str(ref.locator["id"]), headers, auth=False)
        raise Rejected("gone")


@fails("a_text_is_sent_once_in_each_attempt")
class SendsAgainAfterAnError(Acme):
    def send_text(self, out: Text) -> SendFlow:
        message = {"to": out.to, "text": out.text, "key": out.key}
        call = Call("POST", f"{self.config.api}/send", json=message, expects=frozenset({503}))
        reply = yield call
        if reply.status == 503:
            reply = yield replace(call, expects=frozenset())
        match reply.content:
            case {"id": str(id)} if id and reply.status == 200:
                return Sent(id)
        raise self.refusal(reply)


@fails("the_longest_text_is_not_cut_between_characters")
class CutsBytes(Acme):
    def send_text(self, out: Text) -> SendFlow:
        cut = out.text.encode()[: self.capabilities.max_text].decode(errors="ignore")
        return super().send_text(replace(out, text=cut))


@fails("a_text_goes_from_the_account_to_the_consumer")
class SendsToTheAccount(Acme):
    def send_text(self, out: Text) -> SendFlow:
        message = {"to": out.account, "from": out.to, "text": out.text, "key": out.key}
        reply = yield Call("POST", f"{self.config.api}/send", json=message)
        match reply.content:
            case {"id": str(id)} if id:
                return Sent(id)
        raise self.refusal(reply)


def _offering(*more: Any) -> Capabilities:
    can = Acme.capabilities
    return Capabilities({**can.features, **offers(yes=more)}, max_text=can.max_text)


@fails("a_quoting_text_names_the_quoted_message")
class DropsTheQuote(Acme):
    capabilities = _offering("send_quote")


@fails("the_typing_indicator_starts_and_stops")
class NeverStopsTyping(Acme):
    capabilities: ClassVar = _offering("send_typing")

    def send_typing(self, out: Typing) -> Generator[Call, Reply, None]:
        yield Call("POST", f"{self.config.api}/typing", json={"to": out.to})


@fails("the_id_of_a_sent_text_is_the_platforms_or_our_own")
class InventsTheId(Acme):
    def send_text(self, out: Text) -> SendFlow:
        message = {"to": out.to, "text": out.text, "key": out.key}
        yield Call("POST", f"{self.config.api}/send", json=message)
        return Sent(f"sent-to-{out.to}")


@fails("flows_leave_their_input_unchanged")
class TakesTheIdOut(Acme):
    def media(self, ref: MediaRef) -> Generator[Call, Reply, Download]:
        locator: Any = ref.locator
        reply = yield Call("GET", f"{self.config.api}/files/{locator['id']}")
        match reply.content:
            case {"url": str(url)} if reply.content.pop("size", 1):
                return Download(Call("GET", url, auth=False))
        raise self.refusal(reply)


@fails("check_names_the_account_that_the_platform_names")
class NamesItself(Acme):
    def check(self) -> Generator[Call, Reply, str]:
        yield from super().check()
        return self.label


@fails("what_a_reply_claims_of_a_file_is_passed_on")
class LosesTheHash(Acme):
    def media(self, ref: MediaRef) -> Generator[Call, Reply, Download]:
        found = yield from super().media(ref)
        return replace(found, sha256=None)


@fails("the_first_secret_signs_our_calls")
class AuthorizesWithTheLastSecret(Acme):
    def authorize(self, now: datetime) -> Mapping[str, str]:
        return {"authorization": f"Bearer {self.config.secrets[-1].get_secret_value()}"}


@fails("the_first_secret_signs_our_calls")
class FetchesTheTokenWithTheLastSecret(Fetching):
    def token(self, now: datetime) -> Generator[Call, Reply, Token]:
        form = {"client_secret": self.config.secrets[-1].get_secret_value()}
        reply = yield Call("POST", self.address, form=form)
        token = oauth_token(reply, now)
        if token is None:
            raise self.refusal(reply)
        return token
