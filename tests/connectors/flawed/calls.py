"""Flaws in flows, `refusal`, `authorize`, `handshake` and `acknowledge`."""

from collections.abc import Generator, Mapping
from typing import Any, ClassVar
from urllib.parse import quote

from connectors import (
    Call,
    Download,
    MediaRef,
    Rejected,
    Reply,
    Request,
    Response,
    Sent,
    Text,
    by_status,
)
from tests.connectors.sound import SECRET, TOKEN, Acme

from .registry import fails

Flow = Generator[Call, Reply, Download]
SendFlow = Generator[Call, Reply, Sent]

CREDENTIALS = "credentials_go_only_to_declared_hosts"
REPLIES = "flows_refuse_a_nonsensical_reply"
EXCHANGES = "flows_match_the_recorded_exchanges"


@fails(CREDENTIALS)
class PutsTheSecretIntoAUrl(Acme):
    def media(self, ref: MediaRef) -> Flow:
        yield Call("GET", f"{self.config.api}/files?key={SECRET}")
        raise Rejected("gone")


@fails(CREDENTIALS)
class PutsTheTokenIntoAHeader(Acme):
    def media(self, ref: MediaRef) -> Flow:
        yield Call("GET", f"{self.config.api}/files/1", {"x-token": TOKEN}, auth=False)
        raise Rejected("gone")


@fails(CREDENTIALS)
class PutsTheTokenIntoAMessage(Acme):
    def send_text(self, out: Text) -> SendFlow:
        message = {"to": out.to, "text": out.text, "key": out.key, "token": TOKEN}
        yield Call("POST", f"{self.config.api}/send", json=message)
        return Sent("1")


@fails(CREDENTIALS)
class SendsCredentialsToAnUndeclaredHost(Acme):
    def media(self, ref: MediaRef) -> Flow:
        yield Call("GET", "https://cdn.example.com/f1")
        raise Rejected("gone")


@fails(CREDENTIALS)
class SendsCredentialsToAnotherPort(Acme):
    def media(self, ref: MediaRef) -> Flow:
        yield Call("GET", "https://api.acme.example:8443/f1")
        raise Rejected("gone")


@fails(CREDENTIALS)
class SendsCredentialsOverHttp(Acme):
    def media(self, ref: MediaRef) -> Flow:
        yield Call("GET", "http://files.acme.example/f1")
        raise Rejected("gone")


@fails("recorded_exchanges_send_credentials_only_to_declared_hosts")
class SendsCredentialsToTheCdn(Acme):
    def media(self, ref: MediaRef) -> Flow:
        reply = yield Call("GET", f"{self.config.api}/files/{ref.locator['id']}")
        match reply.content:
            case {"url": str(url)}:
                return Download(Call("GET", url))
        raise self.refusal(reply)


@fails("media_addresses_are_on_declared_hosts")
class OmitsItsCdn(Acme):
    media_hosts = frozenset()


@fails(EXCHANGES)
class AuthorizesWithoutTheToken(Acme):
    def authorize(self, now: Any) -> Mapping[str, str]:
        return {"authorization": "Bearer "}


@fails(EXCHANGES)
class ChecksWithoutTheToken(Acme):
    def check(self) -> Generator[Call, Reply, str]:
        reply = yield Call("GET", f"{self.config.api}/shops/{self.config.shop}", auth=False)
        match reply.content:
            case {"name": str(name)}:
                return name
        raise self.refusal(reply)


@fails(REPLIES)
class TrustsReplies(Acme):
    def media(self, ref: MediaRef) -> Flow:
        reply = yield Call("GET", f"{self.config.api}/files/1")
        return Download(Call("GET", reply.content["url"], auth=False))


@fails(REPLIES)
class AcceptsAnyReply(Acme):
    def send_text(self, out: Text) -> SendFlow:
        message = {"to": out.to, "text": out.text, "key": out.key}
        reply = yield Call("POST", f"{self.config.api}/send", json=message)
        return Sent(reply.content.get("id") if isinstance(reply.content, dict) else None)  # type: ignore[arg-type]  # the flaw itself


@fails(REPLIES)
class CallsWithoutEnd(Acme):
    def send_text(self, out: Text) -> SendFlow:
        while True:
            reply = yield Call("POST", f"{self.config.api}/send", json={"to": out.to})
            if reply.content == {"id": "1"}:
                return Sent("1")


@fails("flows_end_on_every_status_they_expect")
class RetriesItself(Acme):
    def media(self, ref: MediaRef) -> Flow:
        while True:
            reply = yield Call("GET", f"{self.config.api}/files/1", expects=frozenset({503}))
            match reply.content:
                case {"url": str(url)} if reply.status == 200:
                    return Download(Call("GET", url, auth=False))
            if reply.status != 503:
                raise self.refusal(reply)


@fails("flows_end_on_every_status_they_expect")
class TakesALimitForASuccess(Acme):
    def mark_read(self, account: str, to: str, message_id: str) -> Generator[Call, Reply, None]:
        del account, to
        url = f"{self.config.api}/messages/{quote(message_id, safe='')}/seen"
        yield Call("POST", url, expects=frozenset({409, 429}))


@fails("a_flow_starts_over_on_every_attempt")
class RemembersItsCalls(Acme):
    asked: ClassVar[set[str]] = set()

    def media(self, ref: MediaRef) -> Flow:
        if ref.locator["id"] in self.asked:
            return Download(Call("GET", "https://a.cdn.acme.example/f1", auth=False))
        reply = yield Call("GET", f"{self.config.api}/files/{ref.locator['id']}")
        self.asked.add(ref.locator["id"])
        match reply.content:
            case {"url": str(url)}:
                return Download(Call("GET", url, auth=False))
        raise self.refusal(reply)


@fails("a_repeated_exchange_makes_the_same_calls")
class RemembersAddresses(Acme):
    known: ClassVar[dict[str, str]] = {}

    def media(self, ref: MediaRef) -> Flow:
        id = ref.locator["id"]
        if id not in self.known:
            reply = yield Call("GET", f"{self.config.api}/files/{id}")
            match reply.content:
                case {"url": str(url)} if url.startswith("https://"):
                    self.known[id] = url
                case _:
                    raise self.refusal(reply)
        return Download(Call("GET", self.known[id], auth=False))


@fails("an_expired_media_address_is_looked_up_again")
class GivesUpExpiredFiles(Acme):
    def refusal(self, reply: Reply) -> Rejected:
        passes = reply.status in {408, 429} or reply.status >= 500 or reply.purpose == "check"
        return by_status(reply) if passes else Rejected("gone")


@fails("refusal_handles_every_status_and_body")
class RaisesForAnUnknownReply(Acme):
    def refusal(self, reply: Reply) -> Rejected:
        return Rejected(reply.content["error"]["word"])


@fails("refusal_handles_every_status_and_body")
class ShowsTheTokenInARefusal(Acme):
    def refusal(self, reply: Reply) -> Rejected:
        refusal = by_status(reply)
        refusal.detail += f" with {TOKEN}"
        return refusal


@fails("an_unlisted_code_blames_nobody")
class BlamesTheTextForEveryCode(Acme):
    def refusal(self, reply: Reply) -> Rejected:
        found = super().refusal(reply)
        if found.reason != "unknown":
            return found
        return Rejected("invalid", code=found.code, detail=found.detail, explained=True)


@fails("an_unlisted_code_blames_nobody")
class GivesUpAFileForEveryCode(Acme):
    def refusal(self, reply: Reply) -> Rejected:
        found = super().refusal(reply)
        if reply.purpose != "lookup" or found.code is None:
            return found
        return Rejected("gone", code=found.code, detail=found.detail, explained=True)


@fails("refusal_shows_the_platforms_code")
class HidesCodesOutsideItsTable(Acme):
    def refusal(self, reply: Reply) -> Rejected:
        found = super().refusal(reply)
        found.code = None if found.code is None else "17"
        return found


@fails("refusal_matches_the_recorded_refusals")
class ShowsAnotherCode(Acme):
    def refusal(self, reply: Reply) -> Rejected:
        found = super().refusal(reply)
        found.code = None if found.code is None else f"E{found.code}"
        return found


@fails("a_refusal_with_a_code_is_explained")
class ExplainsNothing(Acme):
    def refusal(self, reply: Reply) -> Rejected:
        found = super().refusal(reply)
        found.explained = False
        return found


@fails("a_refusal_without_a_code_is_not_explained")
class ExplainsServerErrors(Acme):
    def refusal(self, reply: Reply) -> Rejected:
        found = super().refusal(reply)
        found.explained = True
        return found


@fails("refusal_passes_on_the_platforms_words")
class DropsThePlatformsWords(Acme):
    def refusal(self, reply: Reply) -> Rejected:
        found = super().refusal(reply)
        found.detail = f"HTTP {reply.status}"
        return found


@fails("refusal_handles_every_status_and_body")
class QuotesWithoutEnd(Acme):
    def refusal(self, reply: Reply) -> Rejected:
        refusal = by_status(reply)
        refusal.detail = str(reply.content)
        return refusal


@fails("refusal_handles_every_status_and_body")
class GivesCodesAsNumbers(Acme):
    def refusal(self, reply: Reply) -> Rejected:
        refusal = super().refusal(reply)
        refusal.code = reply.status  # type: ignore[assignment]  # the flaw itself
        return refusal


@fails("refusal_retries_temporary_errors")
class GivesUpOnServerErrors(Acme):
    def refusal(self, reply: Reply) -> Rejected:
        found = by_status(reply)
        return Rejected(found.reason, retry=reply.status < 500, operator=found.operator)


@fails("refusal_matches_the_recorded_refusals")
class RetriesFilesThatAreGone(Acme):
    def refusal(self, reply: Reply) -> Rejected:
        gone = reply.status == 404 and reply.purpose == "download"
        return Rejected("expired", retry=True) if gone else by_status(reply)


@fails("refusal_does_not_retry_permanent_errors")
class NeverGivesUp(Acme):
    def refusal(self, reply: Reply) -> Rejected:
        found = by_status(reply)
        return Rejected(found.reason, retry=True, after=found.after, operator=found.operator)


@fails("refusal_waits_as_long_as_the_platform_asks")
class IgnoresRetryAfter(Acme):
    def refusal(self, reply: Reply) -> Rejected:
        found = by_status(reply)
        return Rejected(found.reason, retry=found.retry, operator=found.operator)


@fails("rejected_credentials_call_for_an_operator")
class RetriesAWrongToken(Acme):
    def refusal(self, reply: Reply) -> Rejected:
        found = by_status(reply)
        return Rejected(found.reason, retry=found.retry, after=found.after)


@fails("media_refusals_use_reasons_the_gateway_knows")
class InventsAReason(Acme):
    def refusal(self, reply: Reply) -> Rejected:
        found = by_status(reply)
        return Rejected("vanished", retry=True, after=found.after, operator=found.operator)


@fails("authorize_returns_valid_headers")
class CapitalizesHeaders(Acme):
    def authorize(self, now: Any) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {TOKEN}"}


@fails("handshake_rejects_a_wrong_verify_token")
class AnswersEveryHandshake(Acme):
    def handshake(self, request: Request) -> Response:
        return Response(body=request.query.get("hub.challenge", "").encode(errors="replace"))


@fails("acknowledge_returns_a_success")
class AcknowledgesWithARedirect(Acme):
    def acknowledge(self) -> Response:
        return Response(status=302)


@fails("flows_refuse_damaged_replies")
class TrustsTheSizeOfAFile(Acme):
    def media(self, ref: MediaRef) -> Flow:
        reply = yield Call("GET", f"{self.config.api}/files/{ref.locator['id']}")
        match reply.content:
            case {"url": str(url)}:
                size = reply.content.get("size")
                return Download(Call("GET", url, auth=False), size=size)
        raise self.refusal(reply)
