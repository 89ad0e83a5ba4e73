"""What Messenger and Instagram share at Meta: messages in `messaging`, echoes, sender actions, and accounts' tokens."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from aiohttp import web

from .exchange import Action, Consumer, ConsumerMessage, Delivered, SentText
from .graph import Graph, SignatureKind, error, error_body, fresh_id
from .hosting import Hosted
from .inbox_calls import CallRules, Text, milliseconds, parse_call
from .samples import Sample

Event = dict[str, Any]


class Inbox(Graph):
    """One or several accounts of an app, each with its token. Subclasses define `account`, the first one's id."""

    bad_token_status: ClassVar = 400
    #: What the platform accepts in a call.
    rules: ClassVar[CallRules]
    #: (code, subcode): (HTTP status, message).
    errors: ClassVar[Mapping[tuple[int, int], tuple[int, str]]]
    #: (code, subcode) of the refusals that the emulator makes by itself.
    unknown_consumer: ClassVar[tuple[int, int]]
    window_closed: ClassVar[tuple[int, int]]
    controlled_by_another_app: ClassVar[tuple[int, int]]
    #: True to send a text and its files as two messages, as Meta's own apps do; others send one message.
    splits_text_and_files = False
    #: True if the app may use the HUMAN_AGENT tag.
    human_agent_allowed = True

    def __init__(self, webhook: str = "", public_webhook: str | None = None) -> None:
        super().__init__(webhook, public_webhook)
        #: Further accounts of the same app: their tokens by their ids.
        self.further_accounts: dict[str, str] = {}
        #: The consumers who have written to the account; no other consumer can receive texts.
        self.known_consumers: set[str] = set()
        #: The consumers whose conversation is controlled by another app (Handover Protocol).
        self.held_by_another_app: set[str] = set()
        #: The names of consumers, by id. Meta reveals a name only to the account that the consumer wrote to.
        self.names: dict[str, str] = {}
        #: The account from which each text was sent, by the text's id.
        self.sent_from: dict[str, str] = {}

    @property
    @abstractmethod
    def account(self) -> str:
        """The id of the first account."""

    @property
    def tokens(self) -> Mapping[str, str]:
        return {self.account: self.token, **self.further_accounts}

    @staticmethod
    def adopted_tokens(config: Any) -> list[tuple[str, str]]:
        """Return the accounts of a connector's settings and their tokens, in order."""
        return [(id, token.get_secret_value()) for id, token in config.tokens.items()]

    # Messages from consumers.

    async def deliver_message(self, message: ConsumerMessage) -> list[Delivered]:
        """Deliver text and files in one message; with `splits_text_and_files` as two messages in one POST."""
        text = {} if message.text is None else {"text": message.text}
        attachments = [self.attachment(sample) for sample in message.files]
        files: dict[str, Any] = {"attachments": attachments} if attachments else {}
        parts = (
            [files, text] if self.splits_text_and_files and text and files else [{**text, **files}]
        )
        events = [self.said(message.consumer, part) for part in parts]
        return await self.deliver(events, message.times, forged=message.forged)

    async def say(
        self, consumer: Consumer, content: Event, *, account: str | None = None
    ) -> Delivered:
        """Deliver an event of the platform's `messages`, in a POST of its own."""
        message = content.get("message")
        if message is None:
            event = self.event(consumer, page_id=account, **content)
        else:
            event = self.said(consumer, message, account=account)
        (delivered,) = await self.deliver([event])
        return delivered

    def attachment(self, sample: Sample, type: str | None = None) -> dict[str, Any]:
        key = fresh_id()
        url = self.address(key, self.host(sample, key))
        return {"type": type or _type_of(sample.media_type), "payload": {"url": url}}

    @abstractmethod
    def address(self, key: str, hosted: Hosted) -> str:
        """Return a new signed URL of a file on the content network."""

    def said(
        self, consumer: Consumer, message: Mapping[str, Any], *, account: str | None = None
    ) -> dict[str, Any]:
        """Return the element of `messaging` for a message from the consumer."""
        return self.event(consumer, page_id=account, message={"mid": self.fresh_mid(), **message})

    def fresh_mid(self) -> str:
        """Return the id of a new message."""
        return f"m_{fresh_id()}"

    def event(
        self, consumer: Consumer, *, page_id: str | None = None, **content: Any
    ) -> dict[str, Any]:
        if consumer.name:
            self.names[consumer.id] = consumer.name
        return {
            "sender": {"id": consumer.id},
            "recipient": {"id": page_id or self.account},
            "timestamp": milliseconds(),
            **content,
        }

    async def deliver(
        self,
        events: Sequence[dict[str, Any]],
        times: int = 1,
        *,
        forged: bool = False,
        signature: SignatureKind = "valid",
        key: str = "messaging",
    ) -> list[Delivered]:
        """Post all events in one delivery, each in its own entry under the id of its account."""
        entries = [
            {"id": _account_of(event), "time": milliseconds(), key: [event]} for event in events
        ]
        for event in events:
            self.remember(event)
        ids = [event["message"]["mid"] for event in events if "message" in event]
        return await self.post_batch(
            entries, ids, times=times, signature="forged" if forged else signature
        )

    def remember(self, event: Mapping[str, Any]) -> None:
        """Note what an event makes known to the platform's API."""
        self.known_consumers.add(str(event["sender"]["id"]))

    # The account's own messages.

    async def echo(
        self, to: str, text: str | None, *, mid: str | None = None, **more: Any
    ) -> Delivered:
        """Deliver a message of the account itself, written through our app or by a person in the platform's inbox."""
        words = {} if text is None else {"text": text}
        message = {"mid": mid or self.fresh_mid(), "is_echo": True, **words, **more}
        event = self.event(Consumer(self.account, ""), page_id=to, message=message)
        (delivered,) = await self.deliver([event])
        return delivered

    def refuse_next(self, code: int, subcode: int | None = None, *, times: int = 1) -> None:
        """Refuse the next texts with one of the platform's error codes."""
        self.refusals += [self.refusal(code, subcode)] * times

    def refusal(self, code: int, subcode: int | None = None) -> tuple[int, dict[str, Any]]:
        """Return the answer that refuses a text; without a `subcode`, the first of the code in `errors`."""
        (found, *_) = [key for key in self.errors if key[0] == code and subcode in {None, key[1]}]
        status, message = self.errors[found]
        more = {"error_subcode": found[1]} if found[1] else {}
        return status, error_body(code, message, **more)

    # Calls from the gateway.

    def token_of(self, request: web.Request) -> str | None:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        given = given or request.query.get("access_token", "")
        return given if given in self.tokens.values() else None

    def account_of(self, request: web.Request) -> str:
        """Return the account whose token a call carries."""
        token = self.token_of(request)
        return next(account for account, known in self.tokens.items() if known == token)

    async def post_messages(self, request: web.Request) -> web.StreamResponse:
        node, account = request.match_info["id"], self.account_of(request)
        if node not in self.own_nodes(account):
            message = f"Unsupported post request. Object with ID '{node}'"
            return error(400, 100, message, error_subcode=33)
        call = await parse_call(request, self.rules)
        if call.to not in self.known_consumers:
            return self._error(*self.unknown_consumer)
        match call:
            case Action(to=to):
                self.actions.append(call)
                return web.json_response({"recipient_id": to})
            case Text():
                return (
                    self.refuse()
                    or self._control_error(call)
                    or self._window_error(call)
                    or await self._accept_text(request, call, account)
                )

    def own_nodes(self, account: str) -> set[str]:
        """Return the ids of the nodes that an account's token may post to."""
        return {account, "me"}

    def _control_error(self, call: Text) -> web.Response | None:
        held = call.to in self.held_by_another_app
        return self._error(*self.controlled_by_another_app) if held else None

    def _window_error(self, call: Text) -> web.Response | None:
        """Return an error outside the window, where only a human agent may write, in an app that may use the tag."""
        if call.human_agent and not self.human_agent_allowed:
            return error(400, 100, "Invalid parameter")
        closed = call.to in self.out_of_reach and not call.human_agent
        return self._error(*self.window_closed) if closed else None

    async def _accept_text(
        self, request: web.Request, call: Text, account: str
    ) -> web.StreamResponse:
        text = SentText(self.fresh_mid(), call.to, call.body, call.raw)
        self.sent_from[text.id] = account
        answer = web.json_response({"recipient_id": call.to, "message_id": text.id})
        return await self.answer_text(request, text, answer)

    def _error(self, code: int, subcode: int) -> web.Response:
        status, body = self.refusal(code, subcode)
        return web.json_response(body, status=status)


def _account_of(event: Mapping[str, Any]) -> str:
    echo = event.get("message", {}).get("is_echo", False)
    return str(event["sender" if echo else "recipient"]["id"])


def _type_of(media_type: str) -> str:
    family = media_type.partition("/")[0]
    return family if family in {"image", "video", "audio"} else "file"
