"""Addresses and routes: the conversation that a delivery belongs to, and how its answers are sent.

A consumer's number is the same person by SMS and by RCS, so both belong to one conversation, and the answer takes the
channel of the latest delivery. https://www.twilio.com/docs/rcs
Any other channel, such as whatsapp:, is an app with addresses and rules of its own.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from normalizer.events import Party

_RCS = "rcs:"
_ACCOUNT = re.compile(r"(AC[0-9A-Za-z]{32})(?: |$)")
_SERVICE = re.compile(r"MG[0-9A-Za-z]{32}")


@dataclass(frozen=True, slots=True)
class Route:
    """What an answer needs beside account and party: the subaccount and the RCS sender that the consumer wrote to."""

    account_sid: str | None = None
    sender: str | None = None

    def __str__(self) -> str:
        return " ".join(part for part in (self.account_sid, self.sender) if part)


@dataclass(frozen=True, slots=True)
class Senders:
    """The settings that decide to which conversation a delivery belongs."""

    account_sid: str
    sender: str | None
    has_service: bool

    def account(self, form: Mapping[str, str], address: str | None) -> str:
        """Our side of the conversation. `address` is our address in the form, None if none was chosen yet.

        A messaging service is one side, whichever of its numbers and RCS senders the consumer wrote to.
        """
        service = form.get("MessagingServiceSid")
        if not address:
            return form["MessagingServiceSid"]
        if self.has_service and service and is_phone(address):
            return service
        is_own = form.get("AccountSid") in {None, self.account_sid}
        if address.startswith(_RCS) and is_own and self.sender and is_phone(self.sender):
            return self.sender
        return address

    def route(self, form: Mapping[str, str], address: str | None) -> str | None:
        account_sid = form.get("AccountSid")
        if account_sid == self.account_sid:
            account_sid = None
        sender = address if address and address.startswith(_RCS) else None
        return str(Route(account_sid or None, sender)) or None


def route_of(text: str | None) -> Route:
    """Read a route from its text in `Event.route`."""
    text = text or ""
    found = _ACCOUNT.match(text)
    rest = text[found.end() :] if found else text
    return Route(found[1] if found else None, rest or None)


def party_of(address: str, name: str | None, *aliases: str | None) -> Party:
    """The consumer at an address. By RCS they are also known by their plain number."""
    number = address.removeprefix(_RCS) if address.startswith(_RCS) else None
    return Party(address, name or None, tuple(id for id in (number, *aliases) if id))


def channel(to: str, account: str, route: Route, *, has_service: bool) -> tuple[str, str]:
    """Our address and the consumer's in the channel of their latest message; `to` shows which one that is.

    A service chooses its RCS sender itself. Without any RCS sender, the consumer is reached by their number.
    """
    if not (to.startswith(_RCS) or account.startswith(_RCS)):
        return account, to
    number = to.removeprefix(_RCS)
    senders = (one for one in (route.sender, account) if one and one.startswith(_RCS))
    sender = next(senders, account)
    by_rcs = sender.startswith(_RCS) or has_service
    return sender, f"{_RCS}{number}" if by_rcs else number


def is_phone(address: str) -> bool:
    """Whether an address is reached by SMS, MMS or RCS, and not through another app."""
    return ":" not in address.removeprefix(_RCS)


def is_service(account: str) -> bool:
    return _SERVICE.fullmatch(account) is not None
