"""The ledger of accepted messages, with which the events of the core are compared."""

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class AcceptedMessage:
    """A message whose delivery was acknowledged; `ends` are the expected outcomes of its files."""

    connector: str
    consumer: str
    platform_id: str
    text: str | None
    ends: tuple[tuple[str, str | None], ...] = ()


@dataclass(slots=True)
class Ledger:
    """The accepted messages in order, by conversation (connector, consumer)."""

    messages: dict[tuple[str, str], list[AcceptedMessage]] = field(default_factory=dict)

    def add(self, message: AcceptedMessage) -> None:
        self.messages.setdefault((message.connector, message.consumer), []).append(message)

    def copy(self) -> "Ledger":
        return Ledger(
            {consumer: list(messages) for consumer, messages in self.messages.copy().items()}
        )

    def __iter__(self) -> Iterator[AcceptedMessage]:
        return (message for conversation in self.messages.values() for message in conversation)

    def __len__(self) -> int:
        return sum(len(conversation) for conversation in self.messages.values())
