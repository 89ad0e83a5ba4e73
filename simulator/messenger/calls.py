"""What Messenger accepts in a call, and how it refuses."""

from simulator.inbox_calls import CallRules

RULES = CallRules(longest_text=2000, metadata=True)

#: (code, subcode): (HTTP status, message).
ERRORS: dict[tuple[int, int], tuple[int, str]] = {
    (1, 0): (500, "An unknown error occurred"),
    (2, 0): (500, "Service temporarily unavailable"),
    (4, 0): (400, "Application request limit reached"),
    (10, 2018278): (400, "This message is sent outside of allowed window."),
    (10, 2018300): (
        403,
        "Message failed to send because another app is controlling this thread now.",
    ),
    (10, 1893063): (400, "This Page is temporarily restricted."),
    (100, 2018001): (400, "No matching user found"),
    (100, 1893061): (400, "Invalid parameter"),
    (100, 33): (400, "Unsupported post request. Object does not exist"),
    (190, 463): (400, "Error validating access token: Session has expired"),
    (200, 0): (403, "Requires pages_messaging permission to manage the object"),
    (200, 1545041): (403, "This person isn't receiving messages from you right now."),
    (551, 1545041): (400, "This person isn't available right now."),
    (613, 0): (400, "Calls to this api have exceeded the rate limit."),
    (1200, 0): (500, "Temporary send message failure. Please try again later."),
}
