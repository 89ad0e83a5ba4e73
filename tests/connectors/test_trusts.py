"""`Connector.trusts`: the URLs for which the gateway would add credentials."""

import pytest

from .sound import SECRET, TOKEN, Acme


@pytest.mark.parametrize(
    ("url", "trusted"),
    [
        ("https://api.acme.example/v1/files/f-1", True),
        ("https://cdn.acme.example/f-1", True),
        ("http://api.acme.example/v1", False),
        ("http://cdn.acme.example/f-1", False),
        ("https://cdn.acme.example:8443/f-1", False),
        ("https://cdn.acme.example@evil.example/f-1", False),
        ("https://evil.example/https://cdn.acme.example/f-1", False),
        ("https://cdn.acme.example.evil.example/", False),
        ("f-1", False),
    ],
)
def test_only_declared_origins_are_trusted(url: str, trusted: bool) -> None:
    class WithHosts(Acme):
        hosts = frozenset({"cdn.acme.example"})

    settings = {"secrets": (SECRET,), "token": TOKEN, "shop": "shop-1"}
    config = WithHosts.Config.model_validate({**settings, "api_url": "https://api.acme.example"})
    assert WithHosts(config).trusts(url) is trusted
