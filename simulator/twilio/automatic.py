"""Twilio's own reactions: to keywords of consumers, and to the answers of a webhook."""

import re

from simulator.exchange import Delivered

_STOP = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"})
_START = frozenset({"START", "YES", "UNSTOP"})
_MESSAGE_IN_TWIML = re.compile(rb"<(?:Message|Sms)\b", re.IGNORECASE)


def keyword(text: str) -> str | None:
    """Return the keyword that a text means, or None."""
    word = text.strip().upper()
    return "STOP" if word in _STOP else "START" if word in _START else None


def would_text_consumer(answer: Delivered) -> bool:
    """Return whether Twilio would send the consumer a text because of this answer."""
    type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not answer.accepted or not answer.body.strip():
        return False
    return type == "text/plain" or bool(_MESSAGE_IN_TWIML.search(answer.body))
