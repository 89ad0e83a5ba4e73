"""The request for a token, signed with the service account's key (RFC 7523).

https://developers.google.com/identity/protocols/oauth2/service-account#httprest
"""

from collections.abc import Mapping
from datetime import datetime

from connectors import jwt

from .settings import Settings

SCOPE = "https://www.googleapis.com/auth/rcsbusinessmessaging"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
#: Google accepts assertions that are valid for an hour at most.
ASSERTION_SECONDS = 3600


def jwt_bearer_grant(config: Settings, now: datetime) -> Mapping[str, str]:
    """The form that Google exchanges for a token."""
    assertion = jwt.mint(
        config.private_key,
        {"iss": config.service_account, "scope": SCOPE, "aud": str(config.token_url)},
        algorithm="RS256",
        now=now,
        seconds=ASSERTION_SECONDS,
        headers={"kid": config.key_id} if config.key_id else None,
    )
    return {"grant_type": GRANT, "assertion": assertion}
