"""Consumers: which of their ids is the address, and what they are called."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.tools.entries import Unreadable, id_of, listed
from normalizer.events import Party

from .fields import fields, words

#: The id of a user who may hide their number, such as US.13491208655302741918.
USER_ID = re.compile(r"[A-Z]{2}\.[A-Za-z0-9.]+")
#: A number as people write it. Echoes and address books may have the plus sign, messages do not.
_WRITTEN_NUMBER = re.compile(r"\+?\d[\d ()./-]*\d")

#: Contacts by each of their ids. The only contact is also under NO_ID, for messages without a sender.
Contacts = Mapping[str, Mapping[str, Any]]
NO_ID = ""


@dataclass(frozen=True, slots=True)
class Change:
    """What all entries of one change share. `number` is the business's own phone number, if it is known."""

    account: str
    number: str | None
    contacts: Contacts

    def find_party(self, *ids: Any) -> Party | None:
        """The consumer with any of these ids, numbers and user ids alike; None if no id is known."""
        known = addresses(*ids) or (NO_ID,)
        contact = next((self.contacts[id] for id in known if id in self.contacts), {})
        found = addresses(*ids, contact.get("wa_id"), contact.get("user_id"))
        return Party(found[0], _name(contact), found[1:]) if found else None

    def party(self, *ids: Any) -> Party:
        found = self.find_party(*ids)
        if found is None:
            raise Unreadable("no sender or recipient")
        return found


def change_of(value: Mapping[str, Any], business: Any) -> Change:
    """`business` is the account if the change names no phone number."""
    metadata = fields(value.get("metadata"))
    account = id_of(metadata.get("phone_number_id") or business)
    (number,) = addresses(metadata.get("display_phone_number")) or (None,)
    return Change(account, number, _contacts_by_id(value))


def addresses(*ids: Any) -> tuple[str, ...]:
    """The distinct ids in the order in which they serve as an address: numbers before user ids.

    A number stays what it is when its owner hides it later, and the numbers that Meta gives away for tests accept
    only recipients whose number is on their list (error 131030).
    """
    known = dict.fromkeys(address for id in ids if (address := _address(id)) is not None)
    return tuple(sorted(known, key=is_user_id)) if len(known) > 1 else tuple(known)


def is_user_id(id: str) -> bool:
    return USER_ID.fullmatch(id) is not None


def _address(id: Any) -> str | None:
    if type(id) is str and id.isdigit() and id.isascii():
        return id  # nearly always, and asked several times for each message
    if isinstance(id, bool) or not isinstance(id, str | int):
        return None
    text = str(id).strip()
    return re.sub(r"\D", "", text) if _WRITTEN_NUMBER.fullmatch(text) else text or None


def _name(contact: Mapping[str, Any]) -> str | None:
    profile = fields(contact.get("profile"))
    return words(profile.get("name")) or words(profile.get("username"))


def _contacts_by_id(value: Mapping[str, Any]) -> Contacts:
    """The contacts of a change by each of their ids: contacts are not in the order of the messages."""
    known = [contact for contact in listed(value, "contacts") if isinstance(contact, dict)]
    contacts = {id: one for one in known for id in addresses(one.get("wa_id"), one.get("user_id"))}
    if len(known) == 1:
        contacts |= dict.fromkeys((NO_ID, *_sole_sender(value, contacts)), known[0])
    return contacts


def _sole_sender(value: Mapping[str, Any], contacts: Contacts) -> tuple[str, ...]:
    """The only sender's ids, if no contact has them: in some countries they differ from the contact's by a digit."""
    messages = [raw for raw in listed(value, "messages") if isinstance(raw, dict)]
    senders = {addresses(raw.get("from"), raw.get("from_user_id")) for raw in messages} - {()}
    is_unmatched = len(senders) == 1 and contacts.keys().isdisjoint(*senders)
    return senders.pop() if is_unmatched else ()
