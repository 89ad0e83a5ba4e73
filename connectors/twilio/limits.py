"""Limits for texts, which differ between the channels that Twilio relays."""

from connectors.capabilities import TextLimits

#: Code points of one text in any channel: https://www.twilio.com/docs/api/errors/21617
MAX_TEXT = 1600
_WHATSAPP = "whatsapp:"
_DAY = 86_400.0


def limits_of(account: str) -> TextLimits:
    """The limits of a channel. Twilio passes on WhatsApp's window, and fails later texts with 63016."""
    return TextLimits(MAX_TEXT, _DAY if account.startswith(_WHATSAPP) else None)
