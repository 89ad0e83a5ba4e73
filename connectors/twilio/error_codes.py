"""Twilio's error codes, which are the same in replies to calls and in status callbacks.

https://www.twilio.com/docs/api/errors
"""

from typing import Any

from connectors.errors import joined
from connectors.tools.refusals import (
    BLOCKED,
    INVALID,
    MISCONFIGURED,
    OPTED_OUT,
    RATE_LIMITED,
    SUSPENDED,
    TEMPORARY,
    UNAUTHORIZED,
    UNDELIVERABLE,
    WINDOW_CLOSED,
    Verdict,
    by_code,
    failure_from,
)

#: Filtered as spam, or over a daily cap: a retry soon does not help, and an operator should look into it.
_FILTERED = Verdict("blocked", operator=True)
_DAILY_CAP = Verdict("rate_limited", retry=True, after=3600, operator=True)

CODES = by_code(
    {
        UNAUTHORIZED: (20003, 20006, 63001),
        SUSPENDED: (10001, 20005, 20010, 30002, 63020),
        RATE_LIMITED: (14107, 20429, 21611, 30001, 30017, 30022, 63017, 63018),
        _DAILY_CAP: (30023, 30027, 63038),
        TEMPORARY: (20500, 20503, 30020, 30021, 63009, 63010, 63012),
        MISCONFIGURED: (
            # The account at the end of the address, or a parameter that Airlock builds from the settings.
            *(20008, 20404, 21609, 21626),
            # The sender: a number that is missing, malformed, not Twilio's, another account's, or cannot send.
            *(
                14102,
                21210,
                21212,
                21213,
                21601,
                21603,
                21606,
                21607,
                21616,
                21621,
                21659,
                21660,
                21661,
            ),
            # The messaging service, and its numbers.
            *(21701, 21702, 21703, 21704, 21705, 21709, 21712, 21713, 21715),
            # A trial account, a region that is turned off, a product that is not enabled.
            *(21219, 21408, 21608, 21622, 63015),
            # Registration of the sender with the carriers.
            *(21717, 21719, 21720, 30018, 30024, 30032, 30033, 30034, *range(30440, 30450)),
            # WhatsApp through Twilio: the channel and its certificate.
            *(63002, 63007, 63008, 63022, 63035),
        ),
        OPTED_OUT: (21610,),
        BLOCKED: (30004, 63014, 63032, 63033),
        _FILTERED: (30007, 63013, 63026, 63039),
        # About the text: empty, too long, or not accepted by the channel.
        INVALID: (
            *(11751, 14103, 21602, 21605, 21617, 21618, 21620, 21623, 30019),
            *(63005, 63006, 63021),
        ),
        UNDELIVERABLE: (
            *(14101, 21211, 21214, 21217, 21604, 21612, 21614),
            *(30003, 30005, 30006, 30008, 30009, 30010, 30011, 30014, 30410),
            *(63003, 63024, 63031, 63036),
        ),
        WINDOW_CLOSED: (63016,),
    }
)

#: Twilio's own names of codes. Status callbacks have the code alone; agents and operators need words.
_WORDS = {
    21610: "Attempt to send to unsubscribed recipient",
    21611: "This 'From' number has exceeded the maximum number of queued messages",
    21703: "The Messaging Service does not have a phone number available to send a message",
    30001: "Queue overflow",
    30002: "Account suspended",
    30003: "Unreachable destination handset",
    30004: "Message blocked",
    30005: "Unknown destination handset",
    30006: "Landline or unreachable carrier",
    30007: "Message filtered",
    30008: "Unknown error",
    30009: "Missing inbound segment",
    30010: "Message price exceeds max price",
    30011: "MMS not supported by the receiving phone number in this region",
    30017: "Carrier network congestion",
    30018: "Destination carrier requires sender ID pre-registration",
    30019: "Content size exceeds carrier limit",
    30022: "US A2P 10DLC - Rate Limits Exceeded",
    30023: "US A2P 10DLC - Daily Message Cap Reached",
    30024: "Numeric Sender ID Not Provisioned on Carrier",
    30027: "US A2P 10DLC - T-Mobile Daily Message Limit Reached",
    30032: "Toll-Free Number Has Not Been Verified",
    30034: "US A2P 10DLC - Message from an Unregistered Number",
    30410: "Provider Timeout Error",
    63003: "Channel could not find To address",
    63007: "Twilio could not find a Channel with the specified From address",
    63013: "Channel policy violation",
    63016: "Failed to send freeform message because you are outside the allowed window",
    63017: "Rate limit exceeded",
    63018: "Rate limit exceeded for Channel",
    63024: "Invalid message recipient",
    63032: "We cannot send this message to this user because of a WhatsApp limitation",
    63033: "Recipient blocked to receive message",
    63038: "Account exceeded the daily messages limit",
}


def number(code: Any) -> int | None:
    """A code, which Twilio sends as a number in replies and as digits in forms; None if there is none."""
    if isinstance(code, bool) or not isinstance(code, int | str):
        return None
    text = str(code)
    known = text.isascii() and text.isdigit() and len(text) <= 12 and int(text) > 0
    return int(text) if known else None


def words(code: int | None, *said: Any) -> str:
    """Return what Twilio says about an error, or else its name of the code."""
    return joined(said) or (_WORDS.get(code, "") if code else "")


def failure(code: Any, *said: Any) -> dict[str, Any]:
    """Return `reason`, `code` and `detail` of a text that failed later, from `ErrorCode` and `ErrorMessage`."""
    found = number(code)
    return failure_from(
        CODES.get(found) if found else None,
        code=None if found is None else str(found),
        detail=words(found, *said),
    )
