"""The number that sends our texts."""

import re
from typing import Annotated

from pydantic import AfterValidator

from connectors.tools.setting_types import Sender

#: Longer than a short code, and written as a number. Other senders have a name or a channel.
_NUMBER_WITHOUT_PLUS = re.compile(r"(?:whatsapp:)?[0-9][0-9 .-]{6,}")


def _require_plus(sender: str) -> str:
    if _NUMBER_WITHOUT_PLUS.fullmatch(sender):
        raise ValueError(
            'is a phone number without its plus, which Twilio refuses; write it as "+15550002222", in quotes'
        )
    return sender


#: A sender as Twilio takes it: a number with its plus, a short code, a name, or an address in a channel.
Number = Annotated[Sender, AfterValidator(_require_plus)]
