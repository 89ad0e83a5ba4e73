"""Forms as Twilio posts them, with invented ids."""

from normalizer.events import AnyEvent, Message

from .accounts import ACCOUNT_SID, delivery, twilio

NUMBER = "+15550002222"
CONSUMER = "+15550001111"
SID = "SM00000000000000000000000000000777"
MEDIA = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT_SID}/Messages/{SID}/Media/ME"


def form(**fields: str) -> dict[str, str]:
    """The form of an inbound message."""
    ids = {"MessageSid": SID, "SmsSid": SID, "AccountSid": ACCOUNT_SID}
    content = {"From": CONSUMER, "To": NUMBER, "Body": "", "NumMedia": "0"}
    return {**ids, **content, "SmsStatus": "received", "ApiVersion": "2010-04-01", **fields}


def status(word: str, **fields: str) -> dict[str, str]:
    """The form of a status callback."""
    ids = {"MessageSid": SID, "AccountSid": ACCOUNT_SID, "ApiVersion": "2010-04-01"}
    return {**ids, "MessageStatus": word, "From": NUMBER, "To": CONSUMER, **fields}


def parsed(content: dict[str, str], **settings: object) -> list[AnyEvent]:
    return twilio(**settings).parse(delivery(content, {"m": "msg_1"}))


def message(**fields: str) -> Message:
    """The only event of an inbound message."""
    (event,) = parsed(form(**fields))
    assert isinstance(event, Message)
    return event
