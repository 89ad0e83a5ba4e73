"""Errors of an S3 store, worded for operators.

The client's own texts quote requests and answers, which hold access keys and signatures: only the store's error code
and the HTTP status are taken from them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

#: Of `<Error><Code>…</Code>` in an answer (docs.aws.amazon.com, S3 error responses).
_CODE = re.compile(r"<Code>([A-Za-z0-9.]{1,60})</Code>")
_STATUS = re.compile(r"status(?: code)?:? (\d{3})\b")

_OTHER_REGION = (
    "the bucket is in another region; set region in gateway.media, such as &region=eu-central-1"
)
#: Cause and remedy by error code.
_CAUSES: Mapping[str, str] = {
    "NoSuchBucket": "the bucket does not exist; create it, or correct gateway.media",
    "InvalidBucketName": "the bucket's name is not valid there; correct gateway.media",
    "InvalidAccessKeyId": "the access key is unknown there; correct AWS_ACCESS_KEY_ID",
    "SignatureDoesNotMatch": "the secret key does not belong to the access key; correct AWS_SECRET_ACCESS_KEY",
    "ExpiredToken": "the session token has expired; renew AWS_SESSION_TOKEN",
    "InvalidToken": "the session token is not valid; correct AWS_SESSION_TOKEN",
    "RequestTimeTooSkewed": "this machine's clock is wrong; synchronise it",
    "PermanentRedirect": _OTHER_REGION,
    "AuthorizationHeaderMalformed": _OTHER_REGION,
    "SlowDown": "it asks for fewer requests at a time; it is tried again",
    "QuotaExceeded": "its quota is used up; raise it, or remove other objects",
}
_NO_CREDENTIALS = (
    "no credentials were found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment"
)
_UNREACHABLE = "it cannot be reached; check gateway.media and the network"


@dataclass(frozen=True, slots=True)
class Operation:
    """What was asked of the store, and the rights that a policy must grant for it."""

    name: str
    rights: str
    #: Within which it must be done.
    seconds: float = 20.0


#: The largest file over a slow line.
PUT = Operation("storing an object", "s3:PutObject", 120.0)
GET = Operation(
    "reading an object",
    "s3:GetObject, and s3:ListBucket without which a missing object is answered like a forbidden one",
)
DELETE = Operation("deleting an object", "s3:DeleteObject")
LIST = Operation("listing the bucket", "s3:ListBucket")


def explain(error: BaseException, operation: Operation) -> str:
    """Return cause and remedy of a failed operation."""
    text = str(error)
    code = _first(_CODE, text)
    status = _first(_STATUS, text)
    if code in _CAUSES:
        return _CAUSES[code]
    if "169.254.169.254" in text:
        # The client asks the machine's own service because the environment has none.
        return _NO_CREDENTIALS
    if code == "AccessDenied" or status == "403" or type(error).__name__ == "PermissionDeniedError":
        return f"the policy forbids {operation.name}; allow {operation.rights}"
    if type(error).__name__ == "UnauthenticatedError" or status == "401":
        return "it refuses the credentials; correct those in the environment"
    if code or status:
        return f"{operation.name} failed with {' '.join(filter(None, ('HTTP ' + status if status else '', code)))}"
    return _UNREACHABLE


def names_no_bucket(error: BaseException) -> bool:
    """Whether not the object is missing but its bucket."""
    return _first(_CODE, str(error)) == "NoSuchBucket"


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1] if found else ""
