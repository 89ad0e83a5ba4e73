"""The connector that Messenger and Instagram share: deliveries, texts, sender actions, names and checks."""

from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar, TypeVar

from pydantic import SecretStr

from connectors.contract import Call, Download, Reply, Sent, Text, Typing
from connectors.errors import Rejected
from connectors.meta import Meta, account_notice
from connectors.tools.entries import Unreadable, listed, read_each
from connectors.tools.refusals import Verdict
from normalizer.events import AnyEvent, MediaRef

from .accounts import AccountsConfig
from .error_codes import VAGUE
from .events import Reader, located, page_of
from .fields import words_of

#: The arrays that an entry may contain.
ARRAYS = frozenset({"changes", "messaging", "standby"})
DAY = 86_400.0
#: The reply window if the app may use the tag HUMAN_AGENT.
WEEK = 7 * DAY
#: Statuses of the Graph API that a flow with several accounts handles itself, so that its refusal names the account.
_ERRORS = frozenset({400, 401, 403, 404, 429, 500, 503})

S = TypeVar("S", bound=AccountsConfig)
Flow = Generator[Call, Reply, Any]


class MessengerPlatform(Meta[S]):
    """Base class of the connectors to Messenger and Instagram."""

    media_patience = 900.0
    vague = VAGUE
    # There is no call that returns a new address of a file.
    refusals: ClassVar = {("download", status): Verdict("expired") for status in (401, 403)}
    #: The fields of a consumer's profile that hold a name.
    profile_fields: ClassVar[str]

    @property
    def reply_window(self) -> float:
        return WEEK if self.config.human_agent else DAY

    @property
    def reader(self) -> Reader:
        """Reads the items of deliveries."""
        return Reader()

    def access_token_of(self, account: str) -> SecretStr:
        return self.config.token(account)

    def read_entry(self, entry: Any) -> list[AnyEvent]:
        if ARRAYS.isdisjoint(entry):
            raise Unreadable("the entry has none of the known arrays")
        # Standby items are addressed to another app that controls the conversation. Agents still see them.
        messaging, standby = listed(entry, "messaging"), listed(entry, "standby")
        page = page_of(entry, [*messaging, *standby])
        reader = self.reader
        items = [
            *read_each(lambda item: self.events_of(reader.item(item, page), item), messaging),
            *read_each(lambda item: self.events_of(reader.standby(item, page), item), standby),
        ]
        return [
            *(located(event, page) for event in items),
            *read_each(lambda change: self.read_change(change, page), listed(entry, "changes")),
        ]

    def events_of(self, event: AnyEvent, item: Any) -> Iterable[AnyEvent]:
        """Return the events of an item, given the one that its main field says."""
        del item
        return [event]

    def read_change(self, change: Any, page: str) -> AnyEvent:
        """Return the event of a webhook field other than messages: a notice about the account."""
        return account_notice(page, change["field"], change.get("value"))

    def media(self, ref: MediaRef) -> Download:
        return Download(Call("GET", ref.locator["url"], auth=False))

    def send_text(self, out: Text) -> Generator[Call, Reply, Sent]:
        fields = {**self._messaging_type(out), "message": self.message_of(out)}
        reply = yield from self._send(out.account, out.to, fields)
        match reply.content:
            case {"message_id": str(id)}:
                return Sent(id)
        raise self.named(self.refusal(reply), out.account)

    def message_of(self, out: Text) -> Mapping[str, Any]:
        """Return the content of `message` for a text."""
        return {"text": out.text}

    def send_typing(self, out: Typing) -> Generator[Call, Reply, None]:
        action = "typing_on" if out.on else "typing_off"
        yield from self._send(out.account, out.to, {"sender_action": action})

    def mark_read(self, account: str, to: str, message_id: str) -> Generator[Call, Reply, None]:
        del message_id  # mark_seen covers all messages so far
        yield from self._send(account, to, {"sender_action": "mark_seen"})

    def profile(self, account: str, party: str) -> Generator[Call, Reply, str | None]:
        if not self.config.has_token_of(account):
            return None  # a refusal would hold up the names of the other accounts
        account = self.config.account(account)
        url = self.graph(party, account=account, fields=self.profile_fields)
        reply = yield from self.ask(account, Call("GET", url))
        profile = reply.content if isinstance(reply.content, dict) else {}
        if profile.keys().isdisjoint({"id", *self.profile_fields.split(",")}):
            raise self.named(self.refusal(reply), account)
        return self.name_in(profile)

    def name_in(self, profile: Mapping[str, Any]) -> str | None:
        """Return the name in a profile, None if Meta does not reveal it."""
        return words_of(profile.get("name"))

    def check(self) -> Generator[Call, Reply, str]:
        names: list[str] = []
        refused: list[Rejected] = []
        for account in self.config.tokens:
            try:
                names.append((yield from self.check_account(account)))
            except Rejected as refusal:
                refused.append(refusal)
        if refused:
            raise _joined(refused)
        return ", ".join(names)

    def check_account(self, account: str) -> Generator[Call, Reply, str]:
        """Test one account's token: a flow that returns the account's name."""
        reply = yield from self.ask(
            account, Call("GET", self.graph(account, account=account, fields="name"))
        )
        match reply.content:
            case {"name": str(name)}:
                return name
        raise self.named(self.refusal(reply), account)

    def sender(self, account: str) -> str:
        """Return the node whose `messages` an account posts to."""
        return account

    def _messaging_type(self, out: Text) -> dict[str, str]:
        # Without Meta's permission the tag makes every text fail, so it is sent only outside the 24 hours.
        if self.config.human_agent and out.silence > DAY:
            return {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}
        return {"messaging_type": "RESPONSE"}

    def _send(self, named: str, to: str, fields: Mapping[str, Any]) -> Flow:
        account = self.config.account(named)
        url = self.graph(self.sender(account), "messages", account=account)
        content = {"recipient": {"id": to}, **fields}
        return (yield from self.ask(account, Call("POST", url, json=content)))

    def ask(self, account: str, call: Call) -> Flow:
        """Make a call with the token of an account. If there are several, a refusal names the account."""
        if len(self.config.tokens) == 1:
            return (yield call)
        reply = yield replace(call, account=account, expects=_ERRORS)
        if reply.status >= 300:
            raise self.named(self.refusal(reply), account)
        return reply

    def named(self, refusal: Rejected, account: str) -> Rejected:
        """Return a refusal that names the account, if there are several."""
        if len(self.config.tokens) == 1:
            return refusal
        detail = f"{self.config.noun} {account or next(iter(self.config.tokens))}: {refusal.detail}"
        return _with_detail(refusal, detail)


def _joined(refused: list[Rejected]) -> Rejected:
    """One refusal for several accounts. What an operator must correct comes first."""
    ordered = sorted(refused, key=lambda refusal: not refusal.operator)
    return _with_detail(ordered[0], "; ".join(_words(ordered)))


def _words(refused: list[Rejected]) -> Iterator[str]:
    yield refused[0].detail
    # The reason of the first stands before all of them.
    yield from (
        one.detail if one.reason == refused[0].reason else f"{one.detail} ({one.reason})"
        for one in refused[1:]
    )


def _with_detail(refusal: Rejected, detail: str) -> Rejected:
    return Rejected(
        refusal.reason,
        retry=refusal.retry,
        after=refusal.after,
        code=refusal.code,
        detail=detail,
        operator=refusal.operator,
        explained=refusal.explained,
    )
