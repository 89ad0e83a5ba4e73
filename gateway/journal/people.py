"""The journal's promises about persons: look-ups, exports, erasures, and events that the core has taken."""

from abc import ABC, abstractmethod
from typing import Any

from .records import ErasureRequest


class PeopleJournal(ABC):
    """Look-ups, exports and erasures for operators, and events that the core has taken."""

    @abstractmethod
    async def message_state(self, id: str) -> dict[str, Any] | None:
        """A message by its id with its events and when the core took each; None if it is unknown."""

    @abstractmethod
    async def text_by_platform_id(self, platform_id: str) -> dict[str, Any] | None:
        """The agent's text of which the platform made a message; None if there is none."""

    @abstractmethod
    async def unreadable_with(self, text: str) -> list[dict[str, Any]]:
        """The deliveries that could not be parsed and hold a text."""

    @abstractmethod
    async def views(
        self,
        *,
        conversation: str | None,
        agent: str | None,
        since: int,
        before: int | None,
        limit: int,
    ) -> list[dict[str, Any]]:
        """Who looked at what since `since`, the latest first, before the view with the number `before`."""

    @abstractmethod
    async def conversations_of(self, consumer: str, connector: str | None) -> list[str]:
        """The conversations of a person by any of their ids, also those that became a part of another."""

    @abstractmethod
    async def all_messages(
        self, conversation: str, after: int, limit: int
    ) -> list[tuple[int, dict[str, Any]]]:
        """A conversation's messages with a key above `after`, echoes too, each with its key."""

    @abstractmethod
    async def texts_of(self, conversation: str) -> list[dict[str, Any]]:
        """The agents' texts of a conversation, in order."""

    @abstractmethod
    async def facts_of(self, conversation: str) -> list[bytes]:
        """The events of a conversation that are not about messages and are still kept, in order."""

    @abstractmethod
    async def intake_parsed(self) -> None:
        """Return once every delivery that was accepted before is parsed."""

    @abstractmethod
    async def request_erasure(self, new: ErasureRequest) -> None:
        """Keep the request to erase a person."""

    @abstractmethod
    async def unfinished_erasures(self) -> list[ErasureRequest]:
        """The erasures that are not done, the oldest first."""

    @abstractmethod
    async def erase_of(self, erasure: str, conversation: str, request_id: str = "") -> bool:
        """Erase one conversation of an erasure; False if it is unknown."""

    @abstractmethod
    async def forget_traces(self, consumer: str) -> frozenset[bytes]:
        """Remove what names a person outside of any conversation; return the texts that name them."""

    @abstractmethod
    async def finish_erasure(self, erasure: str) -> None:
        """Record that an erasure is done."""

    @abstractmethod
    async def erasure(self, id: str) -> dict[str, Any] | None:
        """The receipt of an erasure; None if it is unknown."""

    @abstractmethod
    async def erase_attachment(self, message: int, position: int) -> bool:
        """Erase one attachment, and announce it; False if it is unknown."""

    @abstractmethod
    async def to_forget(self) -> list[str]:
        """A batch of erased conversations that the built-in workspace may still have."""

    @abstractmethod
    async def forgotten(self, conversations: list[str]) -> None:
        """Record that the built-in workspace has erased these conversations."""

    @abstractmethod
    async def replay(self, since: int, until: int, conversation: str | None) -> int:
        """Send events again that the core took since `since` and that are not from after `until`; return the number."""

    @abstractmethod
    async def expire_taken(self, before: int) -> int:
        """Remove a batch of events that the core took before `before`; return the number."""
