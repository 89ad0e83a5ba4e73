"""Twilio's files: the URLs that may be requested with our password."""

import re
from typing import Any

from connectors.tools.refusals import EXPIRED, NOT_YET

#: Refused downloads by status, and whether there is an error code: Twilio's API sends one, its CDN does not.
DOWNLOAD_REFUSALS = {(404, True): NOT_YET, (404, False): NOT_YET, (403, False): EXPIRED}

_REGIONS = ("us1", "ie1", "au1")
_EDGES = ("ashburn", "dublin", "frankfurt", "sao-paulo", "singapore", "sydney", "tokyo", "umatilla")

#: https://www.twilio.com/docs/global-infrastructure
API_HOSTS = frozenset(
    {
        "api.twilio.com",
        *(f"api.{region}.twilio.com" for region in _REGIONS),
        *(f"api.{edge}.{region}.twilio.com" for edge in _EDGES for region in _REGIONS),
    }
)

_FILE = re.compile(
    r"(?P<api>https?://[^\s?#@\\]+)/2010-04-01/Accounts/(?P<account>AC[0-9A-Za-z]{32})"
    r"/Messages/(?:MM|SM)[0-9A-Za-z]+/Media/ME[0-9A-Za-z]+"
)


def is_own_media(url: Any, apis: set[str], accounts: set[str]) -> bool:
    """Whether a URL is a message's file in one of our accounts at one of our APIs.

    The signature has already shown that the URL is from Twilio. This is a second check before sending the
    password.
    """
    found = _FILE.fullmatch(url) if isinstance(url, str) else None
    return found is not None and found["api"] in apis and found["account"] in accounts


def is_at_api(url: str, apis: set[str]) -> bool:
    """Whether a URL is at one of our APIs, which answer only to the password."""
    return any(url == api or url.startswith(f"{api}/") for api in apis)
