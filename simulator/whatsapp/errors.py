"""Error codes of the WhatsApp Cloud API for texts, in the answer or in a status.

https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
"""

from typing import Any

from simulator.graph import error_body

#: code: (HTTP status of the answer, title).
ERRORS: dict[int, tuple[int, str]] = {
    4: (400, "Application request limit reached"),
    10: (403, "Application does not have permission for this action"),
    33: (400, "Parameter value is not valid"),
    100: (400, "Invalid parameter"),
    190: (401, "Access token has expired"),
    368: (403, "Temporarily blocked for policies violations"),
    80007: (429, "Rate limit hit"),
    130429: (429, "Rate limit hit"),
    130472: (400, "User's number is part of an experiment"),
    131000: (500, "Something went wrong"),
    131008: (400, "Required parameter is missing"),
    131009: (400, "Parameter value is not valid"),
    131016: (503, "Service unavailable"),
    131026: (400, "Message undeliverable"),
    131030: (400, "Recipient phone number not in allowed list"),
    131031: (403, "Account has been locked"),
    131042: (400, "Business eligibility payment issue"),
    131047: (400, "Re-engagement message"),
    131048: (429, "Spam rate limit hit"),
    131049: (400, "Not delivered to maintain healthy ecosystem engagement"),
    131051: (400, "Unsupported message type"),
    131056: (429, "Pair rate limit hit"),
    131057: (500, "Account in maintenance mode"),
    131060: (400, "This message is currently unavailable."),
    133010: (400, "Phone number not registered"),
    135000: (400, "Generic user error"),
}

#: Longer words than the title, by code. Of other codes, the details repeat the title.
DETAILS: dict[int, str] = {
    33: "The business phone number has been deleted.",
    131026: "Unable to deliver message.",
    131030: "Recipient phone number not in allowed list: Add recipient phone number to recipient list and "
    "try again.",
    131047: "Message failed to send because more than 24 hours have passed since the customer last replied "
    "to this number.",
    133010: "Phone number not registered on the Whatsapp Business Platform.",
}


def refusal(
    code: int, subcode: int | None = None, *, details: str = ""
) -> tuple[int, dict[str, Any]]:
    """Return the answer that refuses a text immediately."""
    status, title = ERRORS[code]
    more = {} if subcode is None else {"error_subcode": subcode}
    data = {"messaging_product": "whatsapp", "details": _details(code, title, details)}
    return status, error_body(code, title, error_data=data, **more)


def failure(code: int, *, title: str = "", details: str = "") -> dict[str, Any]:
    """Return the element of `errors` in the status of a text that fails later; an unlisted code needs a title."""
    title = title or ERRORS[code][1]
    return {
        "code": code,
        "title": title,
        "message": title,
        "error_data": {"details": _details(code, title, details)},
        "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
    }


def _details(code: int, title: str, details: str) -> str:
    return details or DETAILS.get(code, title)
