"""Tokens in replies of OAuth servers."""

from datetime import timedelta
from typing import Any

import pytest

from connectors import Reply, Token, oauth_token

from .accounts import NOW


@pytest.mark.parametrize(
    ("content", "token"),
    [
        ({"access_token": "t", "expires_in": 60}, Token("t", NOW + timedelta(seconds=60))),
        ({"access_token": "t", "expires_in": "60"}, Token("t", NOW + timedelta(seconds=60))),
        ({"access_token": "t", "expires_in": 59.5}, Token("t", NOW + timedelta(seconds=59.5))),
        ({"access_token": "t"}, Token("t")),
        ({"access_token": "t", "expires_in": None}, Token("t")),
        ({"access_token": "t", "expires_in": 10**40}, Token("t")),
        ({"access_token": "t", "expires_in": float("nan")}, Token("t")),
        ({"access_token": "t", "expires_in": 0}, None),
        ({"access_token": "t", "expires_in": -5}, None),
        ({"access_token": ""}, None),
        ({"access_token": "é"}, None),
        ({"access_token": "a\nb"}, None),
        ({"access_token": 5}, None),
        ({"error": "invalid_client"}, None),
        (None, None),
        ([], None),
    ],
)
def test_a_token_is_read_only_from_a_valid_reply(content: Any, token: Token | None) -> None:
    assert oauth_token(Reply(200, {}, content), NOW) == token
