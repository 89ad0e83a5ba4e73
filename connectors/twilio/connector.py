"""SMS and MMS through Twilio, and messages that Twilio relays from WhatsApp."""

import base64
from collections.abc import Generator, Mapping
from datetime import datetime
from typing import Annotated, ClassVar, Self

from pydantic import Field, HttpUrl, StringConstraints, model_validator

from connectors.capabilities import Capabilities, Limit, TextLimits, offers
from connectors.contract import (
    Call,
    Connector,
    ConnectorConfig,
    Delivery,
    Download,
    Reply,
    Request,
    Response,
    Sent,
    Text,
)
from connectors.errors import Forbidden, Rejected
from connectors.tools.constant_time import matches_any
from connectors.tools.entries import read_each
from connectors.tools.refusals import refusal_from
from connectors.tools.setting_types import (
    Identifier,
    Origin,
    Secret,
    Secrets,
    revealed,
)
from normalizer.events import AnyEvent, MediaRef

from .error_codes import CODES, number, words
from .events import read_form
from .limits import MAX_TEXT, limits_of
from .media import API_HOSTS, DOWNLOAD_REFUSALS, is_at_api, is_own_media
from .route import Route, Senders, channel, is_phone, is_service, route_of
from .sender import Number
from .signature import (
    DEFAULT_ALGORITHM,
    HEADER,
    SHAPE,
    is_json,
    require_ids,
    shared_key_algorithm,
    signatures,
    signed_form,
)

#: Twilio sends a response that is not TwiML to the consumer as a text.
EMPTY_TWIML = b'<?xml version="1.0" encoding="UTF-8"?><Response/>'

AccountSid = Annotated[str, StringConstraints(pattern=r"^AC[0-9A-Za-z]{32}$")]


class Settings(ConnectorConfig):
    api_url: Origin = Field(
        default=HttpUrl("https://api.twilio.com"), description="Address of Twilio's API"
    )
    account_sid: AccountSid = Field(description="The Account SID, AC and 32 characters")
    auth_tokens: Secrets = Field(
        description="Auth tokens: any of them may sign deliveries, the first calls the API"
    )
    shared_keys: tuple[Secret, ...] = Field(
        default=(), description="Secrets of shared keys, if Twilio signs with shared keys"
    )
    sender: Number | None = Field(default=None, description="The number that sends our texts")
    messaging_service_sid: Identifier | None = Field(
        default=None, description="The messaging service that sends our texts, instead of a number"
    )
    account_sids: tuple[AccountSid, ...] = Field(
        default=(), description="Further accounts whose deliveries arrive here, such as subaccounts"
    )
    api_key: Identifier | None = Field(
        default=None, description="An API key (SK…) that calls the API instead of the auth token"
    )
    api_secret: Secret | None = Field(default=None, description="The secret of api_key")

    @model_validator(mode="after")
    def _check_combinations(self) -> Self:
        if (self.sender is None) == (self.messaging_service_sid is None):
            raise ValueError("set either sender or messaging_service_sid, but not both")
        if (self.api_key is None) != (self.api_secret is None):
            raise ValueError("api_key and api_secret belong together; set both or neither")
        return self


class Twilio(Connector[Settings]):
    name = "twilio"
    label = "Twilio SMS/MMS"
    docs = "https://www.twilio.com/docs/messaging/guides/webhook-request"
    body = "form"
    # About forty fields of a message: 1,600 characters of text, ten addresses of files, and answers of add-ons.
    max_body = 64 * 1024
    covers = frozenset({"body", "url"})
    proof: ClassVar[Mapping[str, str]] = {HEADER: SHAPE}
    # The key of our text, in the address for its status.
    keeps_query = frozenset({"m"})
    hosts = API_HOSTS
    # The API redirects to the CDN, which must not receive our password.
    media_hosts = API_HOSTS | {".twiliocdn.com"}
    media_patience = 3600.0
    reports_opt_in = True
    Config = Settings
    capabilities = Capabilities(
        features=offers(
            yes=(
                *("text", "photo", "photo_caption", "several_photos", "video", "video_caption"),
                *("delivered", "failed", "send_text"),
            ),
            limited=("audio", "document", "contact"),
            text=("location", "reaction"),
        ),
        # https://www.twilio.com/docs/messaging/guides/accepted-mime-types: 5 MB in all; carriers take less.
        limits={
            "several_photos": Limit(max_count=10),
            **dict.fromkeys(
                ("photo", "video", "audio", "document", "contact"), Limit(max_bytes=5_000_000)
            ),
        },
        max_text=MAX_TEXT,
        notes={
            "several_photos": "at most 10",
            "video": "as the carrier delivers it: 3GPP or MP4, small",
            "audio": "if the carrier accepts it",
            "document": "if the carrier accepts it: PDF, calendar entries",
            "contact": "as a vCard file",
            "location": "as a link in a text; from RCS and WhatsApp, natively",
            "reply_context": "from WhatsApp, through Twilio",
            "reaction": "tapbacks arrive as texts such as: Liked “…”",
            "button": "from RCS and WhatsApp, through Twilio",
            "delivered": "if the carrier reports it",
            "read": "of RCS and WhatsApp messages, through Twilio",
            "send_text": "until the consumer replies STOP; WhatsApp: within a day of their last message",
        },
    )

    def verify(self, request: Request) -> None:
        try:
            form = signed_form(request)
            key_algorithm = shared_key_algorithm(request)
            secrets = self.config.auth_tokens if key_algorithm is None else self.config.shared_keys
            algorithm = DEFAULT_ALGORITHM if key_algorithm is None else key_algorithm
            expected = signatures(request.url, form, revealed(secrets), algorithm)
        except ValueError:
            raise Forbidden("Twilio does not sign such a URL, form or algorithm") from None
        if not matches_any(expected, request.headers.get(HEADER, "")):
            keys = "auth_tokens" if key_algorithm is None else "shared_keys"
            raise Forbidden(f"X-Twilio-Signature matches none of {keys} for this public_url")
        if not is_json(request):
            require_ids(form, self._accounts)

    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        key = delivery.query.get("m")
        config = self.config
        has_service = config.messaging_service_sid is not None
        senders = Senders(config.account_sid, config.sender, has_service)
        return read_each(lambda form: read_form(form, key, senders), [delivery.content])

    def limits(self, account: str) -> TextLimits:
        return limits_of(account)

    def acknowledge(self) -> Response:
        return Response(body=EMPTY_TWIML, media_type="text/xml")

    def authorize(self, now: datetime) -> Mapping[str, str]:
        del now
        config = self.config
        name, secret = config.account_sid, config.auth_tokens[0]
        if config.api_key and config.api_secret:
            name, secret = config.api_key, config.api_secret
        pair = base64.b64encode(f"{name}:{secret.get_secret_value()}".encode())
        return {"authorization": f"Basic {pair.decode()}"}

    def media(self, ref: MediaRef) -> Download:
        url = ref.locator["url"]
        if is_own_media(url, self._apis, self._accounts):
            return Download(Call("GET", url))
        if is_at_api(url, self._apis):
            detail = "the file belongs to another account than account_sid and account_sids"
            raise Rejected("blocked_host", detail=detail, operator=True)
        # Other products serve files from hosts of their own, such as mcs.us1.twilio.com. Whether such a host may be
        # contacted is for the operator to say (`fetch.extra_hosts`); our password stays here.
        return Download(Call("GET", url, auth=False))

    def send_text(self, out: Text) -> Generator[Call, Reply, Sent]:
        route = route_of(out.route)
        service = self._service(out, route)
        sender, to = channel(out.to, out.account, route, has_service=service is not None)
        ours = (
            # Several numbers may share this connector.
            {"From": sender or self.config.sender or ""}
            if service is None
            else {"MessagingServiceSid": service}
        )
        form = {"To": to, "Body": out.text, "StatusCallback": out.status_url, **ours}
        reply = yield Call("POST", f"{self._account(route.account_sid)}/Messages.json", form=form)
        match reply.content:
            case {"sid": str(sid)} if reply.content.get("error_code") is None:
                return Sent(sid)
        raise self.refusal(reply)

    def _service(self, out: Text, route: Route) -> str | None:
        """The messaging service that sends a text; None if the address that the consumer wrote to sends it."""
        if is_service(out.account):
            return out.account
        # The service belongs to account_sid, and may not contain the addresses of other apps, such as whatsapp:.
        is_ours = route.account_sid is None and is_phone(out.account)
        return self.config.messaging_service_sid if is_ours else None

    def check(self) -> Generator[Call, Reply, str]:
        reply = yield Call("GET", f"{self._account(None)}.json")
        match reply.content:
            case {"friendly_name": str(name)}:
                return name
        raise self.refusal(reply)

    def refusal(self, reply: Reply) -> Rejected:
        content = reply.content if isinstance(reply.content, dict) else {}
        # A refused call has `code` and `message`, or the fields of RFC 9457; a text that failed at once `error_code`.
        code = number(content.get("code")) or number(content.get("error_code"))
        said = (content.get(name) for name in ("message", "error_message", "title", "detail"))
        verdict = CODES.get(code) if code else None
        if reply.purpose == "download":
            verdict = DOWNLOAD_REFUSALS.get((reply.status, code is not None), verdict)
        return refusal_from(reply, verdict, words(code, *said), code=str(code) if code else None)

    def _account(self, subaccount: str | None) -> str:
        """The URL of an account. The credentials of account_sid are also valid for its subaccounts.

        https://www.twilio.com/docs/iam/api/subaccounts
        """
        if subaccount is not None and subaccount not in self._accounts:
            detail = f"the consumer wrote to {subaccount}; add it to account_sids to answer"
            raise Rejected("misconfigured", detail=detail, operator=True)
        return f"{self.config.api}/2010-04-01/Accounts/{subaccount or self.config.account_sid}"

    @property
    def _accounts(self) -> set[str]:
        return {self.config.account_sid, *self.config.account_sids}

    @property
    def _apis(self) -> set[str]:
        """The origins from which this account's files may be requested."""
        return {self.config.api, *(f"https://{host}" for host in self.hosts)}
