"""How long a message took from its webhook to the core, read off the event itself once the core has it."""

import re
from datetime import datetime

from .metrics import DELIVERED
from .moments import now_ms, to_ms

#: The beginning of an event as `cloudevents.render` writes it. Reading the whole body would cost more.
_RECEIVED = re.compile(
    rb'"type":"message\.received","source":"([^"\\]{1,200})","subject":"[^"\\]{1,100}","time":"([^"]{20,30})"'
)
_BEGINNING = 500


def took(body: bytes) -> None:
    """The core has taken this event; of a message's first event the way is measured."""
    found = _RECEIVED.search(body, 0, _BEGINNING)
    if found is not None:
        received = to_ms(datetime.fromisoformat(found[2].decode()))
        DELIVERED.labels(found[1].decode()).observe(max(0, now_ms() - received) / 1000)
