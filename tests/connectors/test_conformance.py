"""The conformance kit, run on the built-in connectors."""

import gzip
import hmac
import math
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import ClassVar

import simulator
from connectors import Request
from connectors.conformance import Conformance

from . import accounts

PAYLOADS = Path(__file__).parent / "payloads"
UNKNOWN_SECRET = "whsec_YSBzZWNyZXQgb2Ygc29tZWJvZHkgZWxzZQ=="
PAGES = Path(__file__).parents[2] / "docs" / "platforms"


def in_capitals(request: Request) -> Iterable[Request]:
    digest = request.headers["x-hub-signature-256"].removeprefix("sha256=")
    yield accounts.with_header(request, "x-hub-signature-256", f"sha256={digest.upper()}")


def older_signatures(request: Request) -> Iterable[Request]:
    """The older signature that Meta also sends, and signatures with too few or too many digits."""
    digest = hmac.new(accounts.APP_SECRET.encode(), request.body, "sha1").hexdigest()
    yield replace(request, headers={"x-hub-signature": f"sha1={digest}"})
    proof = request.headers["x-hub-signature-256"]
    for wrong in (f"sha1={digest}", proof.removeprefix("sha256="), proof[:-2], f"{proof}00"):
        yield accounts.with_header(request, "x-hub-signature-256", wrong)


class SignedByMeta(Conformance):
    """The signature of Meta's platforms."""

    signature_header = "x-hub-signature-256"

    def sign(self, request: Request) -> Request:
        return accounts.signed_by_meta(request)

    def variants(self, request: Request) -> Iterable[Request]:
        return in_capitals(request)

    def forgeries(self, request: Request) -> Iterable[Request]:
        return older_signatures(request)


class TestApple(Conformance):
    emulator = simulator.Apple
    connector = accounts.apple(business_ids=[accounts.FURTHER_BUSINESS_ID])
    payloads = PAYLOADS / "apple"
    readme = PAGES / "apple.md"
    grade = "gold"
    signature_header = "authorization"
    unread: ClassVar = {
        "interactiveData/data/listPicker/sections/title": "the heading of a list is the business's own",
        "interactiveData/data/quick-reply/items/title": "the options that were not chosen",
        "interactiveData/data/replyMessage": "the business wrote the bubble; the answer itself is shown",
        "attachments/signature": "it is for the upload",
        "interactiveData/$objects": "an archive of an app on the phone cannot be read",
        "interactiveDataRef/key": "Apple's service decrypts it",
        "richLinkData/assets": "the link itself is shown",
        "v": "every version is read alike",
    }
    unrecorded: ClassVar = {"sticker": "stickers arrive as photos, and nothing distinguishes them"}
    exempt: ClassVar = {
        "verify_refuses_an_old_proof": "Apple's tokens need not expire; max_token_age limits them if it is set",
        "check_makes_a_call_with_our_credentials": "Apple has no call that changes nothing",
    }

    def sign(self, request: Request) -> Request:
        return accounts.signed_by_apple(request)

    def variants(self, request: Request) -> Iterable[Request]:
        now = int(request.received_at.timestamp())
        for claims in ({"exp": now + 60}, {"aud": ["another", accounts.MSP_ID]}, {"iat": now + 60}):
            ours = {"aud": accounts.MSP_ID, "iat": now, **claims}
            yield accounts.borne(request, accounts.token(ours))
        proof = request.headers["authorization"].replace("Bearer", "bearer")
        yield accounts.with_header(request, "authorization", proof)
        # A proxy may have decompressed the body.
        yield replace(request, body=gzip.decompress(request.body))

    def forgeries(self, request: Request) -> Iterable[Request]:
        now = int(request.received_at.timestamp())
        ours = {"aud": accounts.MSP_ID, "iat": now}
        claims: object
        for claims in (
            *({**ours, "exp": now - 1}, {**ours, "exp": now}, {**ours, "exp": "later"}),
            *({**ours, "aud": "csp-0002"}, {**ours, "iat": now + 400}, {**ours, "iat": "now"}),
            *({"iat": now}, {"aud": accounts.MSP_ID}, {**ours, "iat": math.nan}, [], "claims"),
        ):
            yield accounts.borne(request, accounts.token(claims))
        for algorithm in ("none", "HS512", "RS256", "hs256"):
            header = {"alg": algorithm, "typ": "JWT"}
            yield accounts.borne(request, accounts.token(ours, header=header))
        undecoded = accounts.OLDER_MSP_SECRET.encode()
        yield accounts.borne(request, accounts.token(ours, key=undecoded))
        yield accounts.with_header(request, "authorization", f"Basic {accounts.token(ours)}")
        # A stolen token with a message of the attacker's own.
        for name in ("id", "source-id"):
            yield accounts.with_header(request, name, "urn:mbid:AQAAYanotherOne")


UNREAD_OF_META = {
    "entry/messaging/message/is_echo": "the sender says so, too",
    "entry/messaging/message/is_unsupported": "a message without content says so, too",
    "entry/time": "each item has a time of its own",
}


class TestInstagram(SignedByMeta):
    emulator = simulator.Instagram
    connector = accounts.instagram()
    payloads = PAYLOADS / "instagram"
    readme = PAGES / "instagram.md"
    grade = "gold"
    unread: ClassVar = {
        **UNREAD_OF_META,
        "entry/changes/field": "the test button sends a message under this name",
        "entry/changes/value/recipient/id": "the entry names the account",
        "entry/messaging/message/attachments/payload/sticker_id": "the sticker itself is shown",
    }


class TestMessenger(SignedByMeta):
    emulator = simulator.Messenger
    connector = accounts.messenger()
    payloads = PAYLOADS / "messenger"
    readme = PAGES / "messenger.md"
    grade = "gold"
    unread: ClassVar = {
        **UNREAD_OF_META,
        "entry/messaging/message/reply_to/is_self_reply": "reply_to names the message",
    }


class TestTwilio(Conformance):
    emulator = simulator.Twilio
    consumer = "+491511234567"
    connector = accounts.twilio(account_sids=[accounts.SUBACCOUNT_SID])
    payloads = PAYLOADS / "twilio"
    readme = PAGES / "twilio.md"
    grade = "gold"
    unread: ClassVar = {
        "ApiVersion": "there is one version",
        "FromCountry": "the number says it",
        "FromState": "the number says it",
        "MessagingServiceSid": "the number is the account, if there is one",
        "NumSegments": "agents do not need the number of parts",
        "RawDlrDoneDate": "Twilio's own time counts",
        "ToCountry": "the number says it",
    }
    signature_header = "x-twilio-signature"

    def sign(self, request: Request) -> Request:
        return accounts.signed_by_twilio(request)

    def variants(self, request: Request) -> Iterable[Request]:
        bare = request.url
        port = bare.replace("chat.example.com", "chat.example.com:443")
        for signed, called in ((bare, port), (port, bare), (port, port), (bare, f"{bare}#rc=5")):
            proved = accounts.signed_by_twilio(replace(request, url=signed))
            yield replace(proved, url=called)

    def forgeries(self, request: Request) -> Iterable[Request]:
        # The hash in the URL covers a JSON body. A signed URL must contain it.
        form = replace(request, headers={"content-type": "application/json"}, body=b'{"a":1}')
        for query in ("", "?bodySHA256=", f"?bodySHA256={sha256(b'{}').hexdigest()}"):
            asked = replace(form, url=f"{form.url}{query}")
            proved = accounts.signed_by_twilio(replace(asked, body=b""))
            yield replace(proved, body=asked.body)
        # The auth token is not a shared key, even if a header claims one.
        named = "x-twilio-webhooks-signature-settings"
        yield accounts.with_header(request, named, "key=webhooks_1,algorithm=HMAC_SHA1")


class TestWeb(Conformance):
    emulator = simulator.Web
    connector = accounts.web()
    payloads = PAYLOADS / "web"
    readme = PAGES / "web.md"
    grade = "gold"
    unread: ClassVar = {
        "events/attachments/bytes": "the size of a file that is not known is not claimed",
        "events/attachments/kind": "the media type says it",
        "events/consumer/verified": "a consumer who joined is verified",
    }
    signature_header = "webhook-signature"

    def sign(self, request: Request) -> Request:
        return accounts.signed_by_web(request)

    def variants(self, request: Request) -> Iterable[Request]:
        proof = request.headers["webhook-signature"]
        # While a secret is replaced there are several signatures; other versions may stand beside them.
        other = accounts.signed_by_web(request, accounts.WEB_SECRET).headers["webhook-signature"]
        unknown = accounts.signed_by_web(request, UNKNOWN_SECRET).headers["webhook-signature"]
        for proofs in (f"{unknown} {proof}", f"{other} {proof}", f"{proof} v1a,AAAA"):
            yield accounts.with_header(request, "webhook-signature", proofs)

    def forgeries(self, request: Request) -> Iterable[Request]:
        proof = request.headers["webhook-signature"].removeprefix("v1,")
        unknown = accounts.signed_by_web(request, UNKNOWN_SECRET).headers["webhook-signature"]
        for wrong in (unknown, f"v2,{proof}", f"v1a,{proof}", proof, f"v1,{proof}="):
            yield accounts.with_header(request, "webhook-signature", wrong)
        for stamp in ("", "now", "-1", "1e9", f"{request.headers['webhook-timestamp']}.0"):
            yield accounts.with_header(request, "webhook-timestamp", stamp)
        for minutes in (-6, 6):
            at = request.received_at + timedelta(minutes=minutes)
            old = accounts.signed_by_web(replace(request, received_at=at))
            yield replace(old, received_at=request.received_at)


class TestWhatsApp(SignedByMeta):
    emulator = simulator.WhatsApp
    connector = accounts.whatsapp()
    payloads = PAYLOADS / "whatsapp"
    readme = PAGES / "whatsapp.md"
    grade = "gold"
    unread: ClassVar = {
        "*/identity_key_hash": "Airlock does not compare devices",
        "*/from_parent_user_id": "the user's own id is enough",
        "*/parent_user_id": "the user's own id is enough",
        "entry/changes/value/calls/session": "Airlock takes no calls, and says so",
        "entry/changes/value/contacts": "what is not a contact is not read",
        "entry/changes/value/history/metadata": "the order of the history does not matter",
        "entry/changes/value/history/threads/messages/history_context": "old texts need no receipts",
        "entry/changes/value/message_echoes/from": "the metadata name the account",
        "entry/changes/value/messages/context/from": "the id names the message",
        "entry/changes/value/messages/image/url": "it expires; each attempt asks for a new one",
        "entry/changes/value/messages/interactive/type": "the answer itself says which type it is",
        "entry/changes/value/messages/system/type": "the new address says which type it is",
        "entry/changes/value/messaging_product": "the object of the delivery says it",
        "entry/changes/value/metadata/display_phone_number": "the id of the number is the account",
        "entry/changes/value/statuses/conversation": "agents do not need what a text costs",
        "entry/changes/value/statuses/errors/href": "the code is enough",
        "entry/changes/value/statuses/pricing": "agents do not need what a text costs",
        "entry/id": "the id of the number is the account",
    }
