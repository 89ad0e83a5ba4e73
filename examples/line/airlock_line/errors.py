"""LINE's refusals, by HTTP status and message."""

from collections.abc import Mapping

from connectors import INVALID, MISCONFIGURED, UNDELIVERABLE, Verdict

#: https://developers.line.biz/en/reference/messaging-api/#error-responses
VERDICTS: Mapping[tuple[int, str], Verdict] = {
    (400, "Failed to send messages"): UNDELIVERABLE,
    (400, "The request body has 1 error(s)"): INVALID,
    (403, "Access to this API is not available for your account"): MISCONFIGURED,
    (429, "You have reached your monthly limit."): Verdict("quota_used_up", operator=True),
}
