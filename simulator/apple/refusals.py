"""Refusals of Apple's gateway: a status, and an explanation in words as the body. There are no error codes.

The statuses are those of preUpload in the documentation, which says nothing about the other calls; 429 and 503 are not
documented. The words are examples: Apple does not promise any.
"""

WORDS: dict[int, str] = {
    400: "Invalid request: the message disallows use of 'data'",
    401: "Unauthorized: the token is missing, expired or not valid for this account",
    403: "Forbidden: the business is not a business of this account",
    404: "Not found: the conversation is not open",
    410: "Gone: the object is not available any more",
    429: "Too many requests: slow down",
    500: "Internal server error",
    503: "Service unavailable: try again later",
}


def refusal(status: int, words: str = "") -> tuple[int, str]:
    """Return the status and the body of an answer that refuses a call."""
    return status, words or WORDS[status]
