"""What is loaded at once for a whole batch, where every question is a trip to another machine.

Nothing has to be foreseen: what is not here is asked for. So an engine without that need leaves it empty, and a change
that may have made a part wrong removes that part.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .parties import Place


class SentPart(NamedTuple):
    """A part of an agent's text: the text's key, its position in the text, and the text's id."""

    outgoing: int
    position: int
    text: str


class OpenTexts(NamedTuple):
    """Whether a conversation has agents' texts on their way to the platform, and texts whose status may go on."""

    in_flight: bool
    sent: bool


@dataclass(slots=True)
class Foreseen:
    """Facts that are true until something of the same batch changes them."""

    #: Whether a message is known, by its id.
    messages: dict[str, bool] = field(default_factory=dict)
    #: When a fact was recorded (ms), by its id; None if it is new.
    facts: dict[str, int | None] = field(default_factory=dict)
    #: The part that has a platform's id; None if no agent's text has it.
    parts: dict[str, SentPart | None] = field(default_factory=dict)
    #: The keys of agents' texts by their ids; None for an unknown one.
    texts: dict[str, int | None] = field(default_factory=dict)
    #: By the conversation's key.
    open_texts: dict[int, OpenTexts] = field(default_factory=dict)
    #: The conversations with an address, by the id that the address gives.
    places: "dict[str, list[Place]]" = field(default_factory=dict)
    #: Ids of conversations that are not in use.
    unused: set[str] = field(default_factory=set)
    #: Keys for new conversations, the next one last.
    keys: list[int] = field(default_factory=list)

    def message_stored(self, id: str) -> None:
        self.messages[id] = True

    def created(self, id: str, addresses: Iterable[str], place: "Place") -> None:
        """Note a new conversation under `id`, with the ids that its addresses give."""
        self.unused.discard(id)
        # Nobody can have answered it yet.
        self.open_texts[place.key] = OpenTexts(in_flight=False, sent=False)
        self.found_under(addresses, place)

    def found_under(self, addresses: Iterable[str], place: "Place") -> None:
        """Note that the ids of these addresses find one conversation and no other."""
        for address in addresses:
            if address in self.places:
                self.places[address] = [place]

    def addresses_changed(self) -> None:
        """Forget who has which address."""
        self.places.clear()
        self.unused.clear()
        self.open_texts.clear()

    def part_sent(self, platform_id: str) -> None:
        """Forget which part has a platform's id: it is being given to one."""
        self.parts.pop(platform_id, None)

    def settled(self, conversation: int) -> None:
        """Forget which texts of a conversation are open."""
        self.open_texts.pop(conversation, None)
