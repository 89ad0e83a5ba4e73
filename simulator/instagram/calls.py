"""What Instagram accepts in a call, and how it refuses.

https://developers.facebook.com/documentation/instagram-platform/instagram-api-with-instagram-login/messaging-api
"""

from simulator.inbox_calls import CallRules

#: Texts are UTF-8 of at most 1,000 bytes; vendors write of as many characters. `metadata` is not documented.
RULES = CallRules(longest_text=1000, longest_text_bytes=1000)

#: (code, subcode): (HTTP status, message).
ERRORS: dict[tuple[int, int], tuple[int, str]] = {
    (1, 0): (500, "An unknown error occurred"),
    (2, 1545133): (500, "Service temporarily unavailable"),
    (4, 0): (400, "Application request limit reached"),
    (10, 2534022): (403, "This message is sent outside of allowed window."),
    (10, 0): (403, "Application does not have permission for this action"),
    (100, 2534014): (400, "The requested user cannot be found."),
    (100, 2534037): (400, "This app is not the owner of the thread."),
    (100, 33): (400, "Unsupported post request. Object does not exist"),
    (190, 463): (400, "Error validating access token: Session has expired"),
    (200, 0): (403, "Requires instagram_manage_messages permission to manage the object"),
    (551, 0): (400, "This person isn't available right now."),
    (613, 0): (400, "Calls to this api have exceeded the rate limit."),
}
