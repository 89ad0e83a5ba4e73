"""A hundred ways to get a connector wrong, each with the promise of the kit that finds it.

Nothing here imports what a connector may not: each flaw must be found by what it does.
"""

import hmac
import html
import itertools
from collections.abc import Callable, Generator, Mapping
from dataclasses import replace
from typing import Any, ClassVar, TypeVar

import orjson
from pydantic import Field, SecretStr

from connectors import (
    AnyEvent,
    Attachment,
    Call,
    Capabilities,
    Connector,
    Deletion,
    Delivery,
    Download,
    Forbidden,
    Limit,
    MediaRef,
    Message,
    Notice,
    Party,
    Receipt,
    Rejected,
    Reply,
    Request,
    Response,
    Sent,
    Text,
    Typing,
    by_status,
    constant_time_equal,
    fingerprint,
    offers,
    open_each,
    read_each,
    revealed,
)

from .sound import SECRET, TOKEN, Acme, Settings, proof

Flow = Generator[Call, Reply, Download]
SendWorker = Generator[Call, Reply, Sent]

#: Every flaw, and the promise that must be among those it breaks.
FLAWS: list[tuple[type[Acme], str]] = []

F = TypeVar("F", bound=type[Acme])


def breaks(promise: str) -> Callable[[F], F]:
    def note(flawed: F) -> F:
        FLAWS.append((flawed, f"test_{promise}"))
        return flawed

    return note


# proof --------------------------------------------------------------------------------------------

CHANGED = "verify_rejects_a_missing_altered_or_truncated_signature"
HOSTILE = "verify_rejects_a_malformed_signature_without_crashing"
COVERED = "verify_rejects_a_change_to_anything_it_covers"


@breaks(CHANGED)
class TakesEverything(Acme):
    def verify(self, request: Request) -> None:
        pass


@breaks(CHANGED)
class TakesWhatHasAnyProof(Acme):
    def verify(self, request: Request) -> None:
        if not request.headers.get("x-acme"):
            raise Forbidden("X-Acme is missing")


@breaks(CHANGED)
class TakesWhatHasNoProof(Acme):
    def verify(self, request: Request) -> None:
        if "x-acme" in request.headers:
            super().verify(request)


@breaks(HOSTILE)
class TakesAnEmptyProof(Acme):
    def verify(self, request: Request) -> None:
        if request.headers.get("x-acme", "no") != "":
            super().verify(request)


@breaks(HOSTILE)
class ComparesTexts(Acme):
    def verify(self, request: Request) -> None:
        expected = [proof(secret, request.body) for secret in revealed(self.config.secrets)]
        given = request.headers.get("x-acme", "")
        if not any(hmac.compare_digest(one, given) for one in expected):
            raise Forbidden("X-Acme fits none of secrets")


@breaks("verify_never_crashes_on_a_garbage_body")
class ReadsBeforeItProves(Acme):
    def verify(self, request: Request) -> None:
        orjson.loads(request.body)
        super().verify(request)


@breaks(CHANGED)
class LooksUpTheHeaderCarelessly(Acme):
    def verify(self, request: Request) -> None:
        if proof(SECRET, request.body) != request.headers["x-acme"]:
            raise Forbidden("X-Acme does not fit")


@breaks("verify_compares_in_constant_time")
class ComparesUntilTheFirstDifference(Acme):
    def verify(self, request: Request) -> None:
        expected = [proof(secret, request.body) for secret in revealed(self.config.secrets)]
        if request.headers.get("x-acme", "") not in expected:
            raise Forbidden("X-Acme fits none of secrets")


@breaks(CHANGED)
class TellsTheRightProof(Acme):
    def verify(self, request: Request) -> None:
        try:
            super().verify(request)
        except Forbidden:
            raise Forbidden(f"X-Acme should be {proof(SECRET, request.body)}") from None


@breaks(CHANGED)
class TellsTheSecret(Acme):
    def verify(self, request: Request) -> None:
        try:
            super().verify(request)
        except Forbidden:
            raise Forbidden(f"X-Acme does not fit {SECRET}") from None


@breaks(CHANGED)
class GivesNoReason(Acme):
    def verify(self, request: Request) -> None:
        try:
            super().verify(request)
        except Forbidden:
            raise Forbidden from None


@breaks(CHANGED)
class ChecksTheStartOnly(Acme):
    def verify(self, request: Request) -> None:
        given = request.headers.get("x-acme", "")
        if len(given) < 8 or not proof(SECRET, request.body).startswith(given[:8]):
            raise Forbidden("X-Acme does not fit")


@breaks(COVERED)
class SignsTheHeadOfTheBody(Acme):
    def verify(self, request: Request) -> None:
        super().verify(replace(request, body=request.body.rstrip()))


@breaks(COVERED)
class BelievesAnEmptyBody(Acme):
    def verify(self, request: Request) -> None:
        if request.body or "x-acme" not in request.headers:
            super().verify(request)


@breaks(COVERED)
class SaysThatTheAddressIsCovered(Acme):
    covers = frozenset({"body", "url"})


@breaks("verify_rejects_every_platform_specific_forgery")
class TakesWhatCallsItselfATest(Acme):
    def verify(self, request: Request) -> None:
        if "x-acme-test" not in request.headers:
            super().verify(request)


@breaks("verify_accepts_every_variant_of_a_genuine_request")
class TakesNoCapitals(Acme):
    def verify(self, request: Request) -> None:
        if request.headers.get("x-acme", "").isupper():
            raise Forbidden("X-Acme is in capitals")
        super().verify(request)


@breaks("verify_compares_with_every_secret")
class StopsAtTheSecretThatFits(Acme):
    def verify(self, request: Request) -> None:
        given = request.headers.get("x-acme", "")
        expected = (proof(secret, request.body) for secret in revealed(self.config.secrets))
        if not any(constant_time_equal(one, given) for one in expected):
            raise Forbidden("X-Acme fits none of secrets")


@breaks("verify_rejects_deliveries_signed_for_other_accounts")
class TakesWhatIsForOthers(Acme):
    def verify(self, request: Request) -> None:
        super().verify(replace(request, headers={**request.headers, "x-shop": "shop-1"}))


@breaks("verify_rejects_a_signature_made_with_other_secrets")
class KnowsTheSecretByHeart(Acme):
    def verify(self, request: Request) -> None:
        given = request.headers.get("x-acme", "").encode(errors="replace")
        if not hmac.compare_digest(proof(SECRET, request.body).encode(), given):
            raise Forbidden("X-Acme does not fit")


@breaks("verify_accepts_a_genuine_request")
class TriesTheFirstSecretOnly(Acme):
    def verify(self, request: Request) -> None:
        first = self.config.model_copy(update={"secrets": self.config.secrets[:1]})
        Acme(first).verify(request)


@breaks("verify_accepts_a_signature_made_with_any_secret")
class TriesTheLastSecretOnly(Acme):
    def verify(self, request: Request) -> None:
        last = self.config.model_copy(update={"secrets": self.config.secrets[-1:]})
        Acme(last).verify(request)


@breaks("verify_uses_received_at_as_its_only_clock")
class HasAYearInMind(Acme):
    def verify(self, request: Request) -> None:
        super().verify(request)
        if request.received_at.year not in range(2020, 2035):
            raise Forbidden("X-Acme is too old")


# what is declared ---------------------------------------------------------------------------------

CHART = "capabilities_match_the_implemented_methods"
WHERE = "hosts_patience_and_reply_window_are_valid"


@breaks("api_name_label_and_docs_are_valid")
class NeedsAnotherContract(Acme):
    api = 2


@breaks("api_name_label_and_docs_are_valid")
class HasALoudName(Acme):
    name = "Acme"


@breaks("body_covers_max_body_and_keeps_are_valid")
class StoresTheProof(Acme):
    keeps = frozenset({"x-acme"})


@breaks("body_covers_max_body_and_keeps_are_valid")
class TakesBodiesOfAnySize(Acme):
    max_body = 10**12


@breaks(WHERE)
class SendsCredentialsToAWholeDomain(Acme):
    hosts = frozenset({".acme.example"})


@breaks(WHERE)
class FetchesFromAllOfCom(Acme):
    media_hosts = frozenset({".com"})


@breaks(CHART)
class PromisesWhatItCannotDo(Acme):
    media = Connector.media  # type: ignore[assignment]  # as if it had none
    mark_read = Connector.mark_read  # type: ignore[assignment]  # as if it had none


@breaks("numbers_in_notes_match_the_declared_limits")
class ForgetsItsReplyWindow(Acme):
    capabilities = replace(Acme.capabilities, notes={"send_text": "within 24 hours"})


@breaks("an_empty_secret_is_rejected")
class TakesAnEmptyToken(Acme):
    class Config(Settings):
        token: SecretStr = Field(description="Calls the API")


@breaks("limits_belong_to_offered_features")
class LimitsWhatItDoesNotOffer(Acme):
    capabilities = replace(Acme.capabilities, limits={"video": Limit(max_bytes=1)})


@breaks(CHART)
class HidesWhatItCanDo(Acme):
    capabilities = Capabilities(offers(yes=("text", "photo", "photo_caption", "read", "mark_read")))


@breaks(CHART)
class SendsTextsOfNoLength(Acme):
    capabilities = Capabilities(
        offers(yes=("text", "photo", "photo_caption", "read", "send_text", "mark_read"))
    )


@breaks("capabilities_include_every_feature_the_recordings_show")
class HidesItsPhotos(Acme):
    capabilities = Capabilities(offers(yes=("text", "read", "send_text", "mark_read")), max_text=9)


@breaks("the_connector_reaches_the_grade_it_claims")
class PromisesVideosThatNobodyHasSeen(Acme):
    capabilities = Capabilities(
        offers(yes=("text", "photo", "photo_caption", "video", "read", "send_text", "mark_read")),
        max_text=100,
    )


@breaks("settings_never_show_a_secret")
class ShowsItsSecret(Acme):
    class Config(Settings):
        def __repr__(self) -> str:
            return f"Settings({revealed(self.secrets)})"


@breaks("settings_never_show_a_secret")
class ShowsItsSecretInItsName(Acme):
    def __repr__(self) -> str:
        return f"Acme({revealed(self.config.secrets)})"


@breaks("credentials_are_typed_as_secrets")
class KeepsATokenInTheOpen(Acme):
    class Config(Settings):
        refresh_token: str = Field(default="refresh-token-1", description="Refreshes")


@breaks("an_unknown_setting_is_rejected")
class TakesAnySetting(Acme):
    class Config(Settings, extra="allow"):
        pass


@breaks("settings_are_immutable")
class LetsSettingsBeChanged(Acme):
    class Config(Settings, frozen=False):
        pass


@breaks("a_validation_error_never_shows_a_secret")
class QuotesSettingsInMistakes(Acme):
    class Config(Settings, hide_input_in_errors=False):
        def __init__(self, **given: Any) -> None:
            if given.get("photos") not in {None, True, False}:
                given["photos"] = given.get("secrets")[1].get_secret_value()  # type: ignore[index]  # always there
            super().__init__(**given)

        @classmethod
        def model_validate(cls, given: Any, **_: Any) -> Any:  # type: ignore[override]  # enough for the kit
            return cls(**given)


@breaks("an_instance_holds_only_its_settings")
class CountsWhatItReads(Acme):
    count = 0

    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        self.count += 1
        return super().parse(delivery)


# reading ------------------------------------------------------------------------------------------

BATCH = "a_batch_yields_the_events_of_its_entries"
POISON = "a_bad_entry_does_not_affect_its_neighbours"
TWICE = "parse_is_repeatable_and_leaves_its_input_unchanged"
APART = "every_event_has_an_id_of_its_own"


@breaks(BATCH)
class ReadsTheFirstOnly(Acme):
    def open(self, content: Any) -> list[AnyEvent]:
        return super().open({"updates": content["updates"][:1]})


@breaks(BATCH)
class ReadsTheLastOnly(Acme):
    def open(self, content: Any) -> list[AnyEvent]:
        return super().open({"updates": content["updates"][-1:]})


@breaks(POISON)
class ReadsOneAndKnowsOfNoOther(Acme):
    def open(self, content: Any) -> list[AnyEvent]:
        return read_each(self.read, [content["updates"][0]])


@breaks("parse_turns_damaged_entries_into_unknown_events")
class LetsOneBadEntryThrough(Acme):
    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        return [self.read(raw) for raw in delivery.content["updates"]]


@breaks(POISON)
class StopsAtABadEntry(Acme):
    def open(self, content: Any) -> list[AnyEvent]:
        events = super().open(content)
        good = itertools.takewhile(lambda event: event.type != "unknown", events)
        return [*good, *(event for event in events if event.type == "unknown")]


@breaks(POISON)
class GivesABatchUpForOneBadEntry(Acme):
    def open(self, content: Any) -> list[AnyEvent]:
        return [self.read(raw) for raw in content["updates"]]


@breaks(POISON)
class DropsWhatItCannotRead(Acme):
    def open(self, content: Any) -> list[AnyEvent]:
        return [event for event in super().open(content) if event.type != "unknown"]


@breaks("parse_turns_invalid_content_into_one_unknown_event")
class SwallowsWhatIsNoDelivery(Acme):
    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        try:
            return super().open(delivery.content)
        except (KeyError, TypeError, AttributeError):
            return []


@breaks("parse_turns_invalid_content_into_one_unknown_event")
class LetsTheEnvelopeThrough(Acme):
    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        return super().open(delivery.content)


@breaks("parse_turns_invalid_content_into_one_unknown_event")
class ThrowsAwayWhatItCannotRead(Acme):
    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        events = super().parse(delivery)
        return [replace(one, raw=None) if one.type == "unknown" else one for one in events]


@breaks("parse_turns_damaged_entries_into_unknown_events")
class QuotesWhatItCannotRead(Acme):
    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        events = super().parse(delivery)
        return [
            replace(one, reason=f"cannot read {one.raw}") if one.type == "unknown" else one
            for one in events
        ]


@breaks("parse_turns_damaged_entries_into_unknown_events")
class DoesNotCheckTypes(Acme):
    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        return open_each(lambda raw: [self.read(one) for one in raw["updates"]], [delivery.content])


@breaks("event_ids_do_not_depend_on_the_batch_order")
class NumbersWhatItReads(Acme):
    def open(self, content: Any) -> list[AnyEvent]:
        numbered = [{**raw, "id": f"{at}"} for at, raw in enumerate(content["updates"])]
        return super().open({"updates": numbered})


@breaks(BATCH)
class GivesAllTheNameOfTheFirst(Acme):
    def open(self, content: Any) -> list[AnyEvent]:
        first = content["updates"][0]["from"]
        return super().open({"updates": [{**raw, "from": first} for raw in content["updates"]]})


@breaks("parse_returns_the_recorded_events")
class ReversesTheOrder(Acme):
    def open(self, content: Any) -> list[AnyEvent]:
        return super().open(content)[::-1]


@breaks(TWICE)
class ChangesItsInput(Acme):
    def message(self, raw: Any) -> Message:
        return super().message({**raw, "text": raw.pop("text")})


@breaks(TWICE)
class CountsItself(Acme):
    numbers = itertools.count()

    def message(self, raw: Any) -> Message:
        return super().message({**raw, "id": f"{next(self.numbers)}"})


@breaks(TWICE)
class RemembersWhatItRead(Acme):
    seen: ClassVar[set[str]] = set()

    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        events = [event for event in super().parse(delivery) if event.id not in self.seen]
        self.seen.update(event.id for event in events)
        return events


@breaks("parse_gives_a_later_repeat_the_same_ids")
class MakesIdsOfTheTimeOfReceipt(Acme):
    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        stamp = delivery.received_at.isoformat()
        return [replace(event, id=f"{event.id}:{stamp}") for event in super().parse(delivery)]


@breaks(APART)
class GivesAllTheSameId(Acme):
    def message(self, raw: Any) -> Message:
        return super().message({**raw, "id": "1"})


@breaks("no_two_recordings_share_an_id_for_different_facts")
class GivesAReceiptTheIdOfTheMessage(Acme):
    def read(self, raw: Any) -> AnyEvent:
        found = super().read(raw)
        return replace(found, id="1") if found.type == "receipt" else found


@breaks("no_two_recordings_share_an_id_for_different_facts")
class MakesIdsOfTheSender(Acme):
    def message(self, raw: Any) -> Message:
        return super().message({**raw, "id": f"{raw['from']}:{len(raw['text'])}"})


@breaks("every_event_names_its_account_and_party")
class LeavesOutTheAccount(Acme):
    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        return [replace(event, account="") for event in super().parse(delivery)]


@breaks("an_optional_field_may_also_be_null_or_blank")
class AsksWhetherAFieldIsThere(Acme):
    def message(self, raw: Any) -> Message:
        found = super().message(raw)
        return (
            replace(found, text=found.text and found.text[:])
            if "file" not in raw
            else self.shown(raw)
        )

    def shown(self, raw: Any) -> Message:
        return super().message({**raw, "file": raw["file"].strip()})


@breaks("no_id_is_built_from_a_null_field")
class MakesIdsOfNothing(Acme):
    def receipt(self, raw: Any) -> Receipt:
        return super().receipt({**raw, "id": str(raw["id"])})


@breaks("no_media_call_is_built_from_a_null_field")
class AsksForFilesOfNoName(Acme):
    def message(self, raw: Any) -> Message:
        return super().message({**raw, "file": str(raw["file"])} if "file" in raw else raw)


@breaks("a_bad_attachment_does_not_lose_the_text")
class LosesWordsToABadFile(Acme):
    def message(self, raw: Any) -> Message:
        files = [self.file(one) for one in raw.get("files") or []]
        return super().message(
            {**raw, "files": [one.media.locator["id"] for one in files if one.media]}
        )


@breaks("texts_hold_no_placeholder_and_times_have_a_zone")
class WritesPlaceholders(Acme):
    def message(self, raw: Any) -> Message:
        found = super().message(raw)
        return replace(found, text="[photo message]") if found.attachments else found


@breaks("texts_hold_no_placeholder_and_times_have_a_zone")
class WritesNothingAsText(Acme):
    def message(self, raw: Any) -> Message:
        return replace(super().message(raw), text=raw["text"])


@breaks("texts_hold_no_placeholder_and_times_have_a_zone")
class GivesTimesOfNowhere(Acme):
    def message(self, raw: Any) -> Message:
        found = super().message(raw)
        return replace(found, sent_at=found.sent_at and found.sent_at.replace(tzinfo=None))


@breaks("every_attachment_has_content_or_a_reason")
class ForgetsWhereFilesAre(Acme):
    def message(self, raw: Any) -> Message:
        found = super().message(raw)
        return replace(found, attachments=tuple(Attachment(a.kind) for a in found.attachments))


@breaks("events_survive_serialization_and_hold_no_secret")
class KeepsTheSecretInALocator(Acme):
    def message(self, raw: Any) -> Message:
        ref = MediaRef({"id": "f1", "secret": SECRET})
        return replace(super().message(raw), attachments=(Attachment("photo", ref),))


@breaks("parse_works_without_headers_and_query")
class NeedsAHeaderThatMayBeMissing(Acme):
    keeps = frozenset({"x-shop"})

    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        shop = delivery.headers["x-shop"]
        return [event for event in super().parse(delivery) if event.account == shop]


@breaks("parse_returns_the_recorded_events")
class TakesADeletionForANotice(Acme):
    def read(self, raw: Any) -> AnyEvent:
        party = Party(raw["from"])
        gone = Deletion(id=f"gone:{raw['id']}", account="shop-1", party=party, target=raw["id"])
        note = Notice(id=f"note:{fingerprint(raw)}", account="shop-1", party=party, kind="gone")
        return super().read(raw) if raw["kind"] == "message" else (note or gone)


# calls --------------------------------------------------------------------------------------------

CREDENTIALS = "credentials_go_only_to_declared_hosts"
NONSENSE = "flows_refuse_a_nonsensical_reply"
EXCHANGE = "flows_match_the_recorded_exchanges"


@breaks(CREDENTIALS)
class PutsTheSecretInAnAddress(Acme):
    def media(self, ref: MediaRef) -> Flow:
        yield Call("GET", f"{self.config.api}/files?key={SECRET}")
        raise Rejected("gone")


@breaks(CREDENTIALS)
class PutsTheTokenInAHeader(Acme):
    def media(self, ref: MediaRef) -> Flow:
        yield Call("GET", f"{self.config.api}/files/1", {"x-token": TOKEN}, auth=False)
        raise Rejected("gone")


@breaks(CREDENTIALS)
class PutsTheTokenInTheMessage(Acme):
    def send_text(self, out: Text) -> SendWorker:
        message = {"to": out.to, "text": out.text, "key": out.key, "token": TOKEN}
        yield Call("POST", f"{self.config.api}/send", json=message)
        return Sent("1")


@breaks(CREDENTIALS)
class SendsCredentialsElsewhere(Acme):
    def media(self, ref: MediaRef) -> Flow:
        yield Call("GET", "https://cdn.example.com/f1")
        raise Rejected("gone")


@breaks(CREDENTIALS)
class SendsCredentialsToAnotherPort(Acme):
    def media(self, ref: MediaRef) -> Flow:
        yield Call("GET", "https://api.acme.example:8443/f1")
        raise Rejected("gone")


@breaks(CREDENTIALS)
class SendsCredentialsInTheClear(Acme):
    def media(self, ref: MediaRef) -> Flow:
        yield Call("GET", "http://files.acme.example/f1")
        raise Rejected("gone")


@breaks("recorded_exchanges_send_credentials_only_to_declared_hosts")
class SendsCredentialsToTheCdn(Acme):
    def media(self, ref: MediaRef) -> Flow:
        reply = yield Call("GET", f"{self.config.api}/files/{ref.locator['id']}")
        match reply.content:
            case {"url": str(url)}:
                return Download(Call("GET", url))
        raise self.refusal(reply)


@breaks("media_addresses_are_on_declared_hosts")
class ForgetsItsContentNetwork(Acme):
    media_hosts = frozenset()


@breaks(EXCHANGE)
class ProvesNothing(Acme):
    def authorize(self, now: Any) -> Mapping[str, str]:
        return {"authorization": "Bearer "}


@breaks(EXCHANGE)
class ForgetsToShowItsToken(Acme):
    def check(self) -> Generator[Call, Reply, str]:
        reply = yield Call("GET", f"{self.config.api}/shops/{self.config.shop}", auth=False)
        match reply.content:
            case {"name": str(name)}:
                return name
        raise self.refusal(reply)


@breaks(NONSENSE)
class TrustsAnswers(Acme):
    def media(self, ref: MediaRef) -> Flow:
        reply = yield Call("GET", f"{self.config.api}/files/1")
        return Download(Call("GET", reply.content["url"], auth=False))


@breaks(NONSENSE)
class TakesAnyAnswerForASuccess(Acme):
    def send_text(self, out: Text) -> SendWorker:
        message = {"to": out.to, "text": out.text, "key": out.key}
        reply = yield Call("POST", f"{self.config.api}/send", json=message)
        return Sent(reply.content.get("id") if isinstance(reply.content, dict) else None)  # type: ignore[arg-type]  # the flaw itself


@breaks(NONSENSE)
class AsksForEver(Acme):
    def send_text(self, out: Text) -> SendWorker:
        while True:
            reply = yield Call("POST", f"{self.config.api}/send", json={"to": out.to})
            if reply.content == {"id": "1"}:
                return Sent("1")


@breaks("flows_end_on_every_status_they_expect")
class TriesAgainByItself(Acme):
    def media(self, ref: MediaRef) -> Flow:
        while True:
            reply = yield Call("GET", f"{self.config.api}/files/1", expects=frozenset({503}))
            match reply.content:
                case {"url": str(url)} if reply.status == 200:
                    return Download(Call("GET", url, auth=False))
            if reply.status != 503:
                raise self.refusal(reply)


@breaks("a_flow_starts_over_on_every_attempt")
class RemembersThatItAsked(Acme):
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


@breaks("a_repeated_exchange_makes_the_same_calls")
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


@breaks("an_expired_media_address_is_looked_up_again")
class GivesExpiredFilesUp(Acme):
    def refusal(self, reply: Reply) -> Rejected:
        passes = reply.status in {408, 429} or reply.status >= 500 or reply.purpose == "check"
        return by_status(reply) if passes else Rejected("gone")


@breaks("refusal_handles_every_status_and_body")
class CannotReadRefusals(Acme):
    def refusal(self, reply: Reply) -> Rejected:
        return Rejected(reply.content["error"]["word"])


@breaks("refusal_handles_every_status_and_body")
class TellsTheTokenInARefusal(Acme):
    def refusal(self, reply: Reply) -> Rejected:
        refusal = by_status(reply)
        refusal.detail += f" with {TOKEN}"
        return refusal


@breaks("refusal_never_quotes_the_platforms_message")
class RepeatsWhatThePlatformSays(Acme):
    def refusal(self, reply: Reply) -> Rejected:
        refusal = by_status(reply)
        refusal.detail = str(reply.content)[:200]
        return refusal


@breaks("refusal_retries_temporary_errors")
class GivesUpAtOnce(Acme):
    def refusal(self, reply: Reply) -> Rejected:
        found = by_status(reply)
        return Rejected(found.reason, retry=reply.status < 500, operator=found.operator)


@breaks("refusal_matches_the_recorded_refusals")
class TakesWhatIsGoneForExpired(Acme):
    def refusal(self, reply: Reply) -> Rejected:
        gone = reply.status == 404 and reply.purpose == "download"
        return Rejected("expired", retry=True) if gone else by_status(reply)


@breaks("refusal_does_not_retry_permanent_errors")
class NeverGivesUp(Acme):
    def refusal(self, reply: Reply) -> Rejected:
        found = by_status(reply)
        return Rejected(found.reason, retry=True, after=found.after, operator=found.operator)


@breaks("refusal_waits_as_long_as_the_platform_asks")
class DoesNotWait(Acme):
    def refusal(self, reply: Reply) -> Rejected:
        found = by_status(reply)
        return Rejected(found.reason, retry=found.retry, operator=found.operator)


@breaks("rejected_credentials_call_for_an_operator")
class KeepsTryingTheWrongToken(Acme):
    def refusal(self, reply: Reply) -> Rejected:
        found = by_status(reply)
        return Rejected(found.reason, retry=found.retry, after=found.after)


@breaks("media_refusals_use_reasons_the_gateway_knows")
class InventsWordsForFiles(Acme):
    def refusal(self, reply: Reply) -> Rejected:
        found = by_status(reply)
        return Rejected("vanished", retry=True, after=found.after, operator=found.operator)


@breaks("authorize_returns_valid_headers")
class ShoutsItsHeaders(Acme):
    def authorize(self, now: Any) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {TOKEN}"}


@breaks("handshake_rejects_a_wrong_verify_token")
class AnswersEveryHandshake(Acme):
    def handshake(self, request: Request) -> Response:
        return Response(body=request.query.get("hub.challenge", "").encode(errors="replace"))


@breaks("acknowledge_returns_a_success")
class AnswersWithAnError(Acme):
    def acknowledge(self) -> Response:
        return Response(status=302)


# sending ------------------------------------------------------------------------------------------

WRITTEN = "a_text_is_sent_unchanged"


class SendsDifferently(Acme):
    def differently(self, out: Text) -> Text:
        return out

    def send_text(self, out: Text) -> SendWorker:
        return super().send_text(self.differently(out))


@breaks(WRITTEN)
class TrimsTexts(SendsDifferently):
    def differently(self, out: Text) -> Text:
        return replace(out, text=out.text.strip())


@breaks(WRITTEN)
class EscapesTexts(SendsDifferently):
    def differently(self, out: Text) -> Text:
        return replace(out, text=html.escape(out.text))


@breaks("the_longest_text_is_sent_whole")
class CutsTexts(SendsDifferently):
    def differently(self, out: Text) -> Text:
        return replace(out, text=out.text[:80])


@breaks("a_text_names_its_recipient")
class SendsToOneAndAll(SendsDifferently):
    def differently(self, out: Text) -> Text:
        return replace(out, to="everybody")


@breaks("a_text_that_may_be_resent_carries_its_key")
class SendsWithoutAKey(SendsDifferently):
    def differently(self, out: Text) -> Text:
        return replace(out, key="")


@breaks("a_second_attempt_makes_the_same_call")
class SendsWithANewKeyEachTime(SendsDifferently):
    numbers = itertools.count()

    def differently(self, out: Text) -> Text:
        return replace(out, key=f"{out.key}-{next(self.numbers)}")


@breaks("mark_read_names_the_message_or_its_sender")
class MarksNothingAsRead(Acme):
    def mark_read(self, account: str, to: str, message_id: str) -> Generator[Call, Reply, None]:
        yield Call("POST", f"{self.config.api}/seen")


@breaks("send_typing_names_the_message_or_its_sender")
class ShowsTypingToNobody(Acme):
    capabilities = Capabilities(
        offers(
            yes=("text", "photo", "photo_caption", "read", "send_text", "send_typing", "mark_read")
        ),
        max_text=100,
    )

    def send_typing(self, out: Typing) -> Generator[Call, Reply, None]:
        yield Call("POST", f"{self.config.api}/typing")


@breaks(EXCHANGE)
class SaysThatItSent(Acme):
    def send_text(self, out: Text) -> Sent:  # type: ignore[override]  # the flaw itself
        return Sent(out.key)


@breaks("flows_refuse_damaged_replies")
class BelievesWhatIsSaidOfAFile(Acme):
    def media(self, ref: MediaRef) -> Flow:
        reply = yield Call("GET", f"{self.config.api}/files/{ref.locator['id']}")
        match reply.content:
            case {"url": str(url)}:
                size = reply.content.get("size")
                return Download(Call("GET", url, auth=False), size=size)
        raise self.refusal(reply)
