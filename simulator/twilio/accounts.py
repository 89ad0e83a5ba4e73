"""Accounts of the emulated Twilio: the one whose settings are used, and its subaccounts."""

import base64
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Account:
    """An account, with the senders that belong to it. A sender of one account is unknown to every other account."""

    sid: str
    token: str
    number: str
    #: The Messaging Service, or nothing.
    service: str = ""
    rcs_agent: str = "example_agent"

    @property
    def senders(self) -> frozenset[str]:
        """The addresses from which this account may send, with the prefix of their channel."""
        return frozenset({self.number, f"whatsapp:{self.number}", f"rcs:{self.rcs_agent}"})

    @property
    def authorization(self) -> str:
        """The header of a call that logs in with this account's token."""
        return "Basic " + base64.b64encode(f"{self.sid}:{self.token}".encode()).decode()
