"""What is loaded at once for a whole batch, where every question is a trip to another machine.

Nothing has to be foreseen: what is not here is asked for. So an engine without that need leaves it empty, and a change
that may have made a part wrong removes that part.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .parties import Place


@dataclass(slots=True)
class Foreseen:
    """Facts that are true until something of the same batch changes them."""

    #: Whether a message is known, by its id.
    messages: dict[str, bool] = field(default_factory=dict)
    #: The conversations with an address, by the id that the address gives.
    places: "dict[str, list[Place]]" = field(default_factory=dict)
    #: Ids of conversations that are not in use.
    unused: set[str] = field(default_factory=set)

    def message_stored(self, id: str) -> None:
        self.messages[id] = True

    def created(self, id: str, place: "Place") -> None:
        """Note a new conversation with one address."""
        self.unused.discard(id)
        if id in self.places:
            self.places[id] = [place]

    def addresses_changed(self) -> None:
        """Forget who has which address."""
        self.places.clear()
        self.unused.clear()
