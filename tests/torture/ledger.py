"""What the platforms were told was accepted: the account that the core's is held against."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Said:
    """A message whose delivery was answered 2xx; `ends` is what must become of each of its files."""

    connector: str
    consumer: str
    platform_id: str
    text: str | None
    ends: tuple[tuple[str, str | None], ...] = ()


@dataclass(slots=True)
class Ledger:
    """Accepted messages, in order, by conversation (connector, consumer)."""

    said: dict[tuple[str, str], list[Said]] = field(default_factory=dict)

    def add(self, said: Said) -> None:
        self.said.setdefault((said.connector, said.consumer), []).append(said)

    def copy(self) -> "Ledger":
        return Ledger({whose: list(said) for whose, said in self.said.copy().items()})

    def __len__(self) -> int:
        return sum(len(conversation) for conversation in self.said.values())
