"""The words with which consumers refuse texts.

Aggregators report that Google sends one as a message, in the language of the number, when somebody taps Unsubscribe;
phones that cannot unsubscribe send nothing else. Google itself does not list them:
https://developer.vonage.com/en/messages/concepts/rcs-subscribe-unsubscribe
"""

from collections.abc import Mapping

ANYWHERE = "STOP"
#: Further words by the beginning of the number.
BY_PREFIX: Mapping[str, str] = {"+34": "BAJA", "+52": "BAJA", "+55": "PARAR"}


def is_opt_out_word(text: str | None, phone: str) -> bool:
    """Whether a message says only that its sender, whose number is `phone`, refuses texts."""
    local = (word for prefix, word in BY_PREFIX.items() if phone.startswith(prefix))
    return (text or "").strip().upper() in {ANYWHERE, *local}
