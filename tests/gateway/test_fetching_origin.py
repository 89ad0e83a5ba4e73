"""Only public addresses and unambiguous URLs are accepted."""

from contextlib import suppress
from ipaddress import ip_address

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.fetching.errors import Blocked
from gateway.fetching.origin import follow, is_loopback, is_public, origin_of, read_url

PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.0",
    "157.240.1.1",
    "172.15.255.255",
    "172.32.0.1",
    "223.255.255.255",
    "2001:4860:4860::8888",
    "2a03:2880:f12f:83:face:b00c::25de",
    "64:ff9b::8.8.8.8",
]

NOT_PUBLIC = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.7",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:0:127.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b::127.0.0.1",
    "64:ff9b:1::8.8.8.8",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:0a00:0001::1",
    "2002:0808:0808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_other_addresses_are_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@given(st.ip_addresses())
def test_addresses_that_python_calls_private_are_never_public(address: object) -> None:
    found = ip_address(str(address))
    if found.is_private or found.is_multicast or found.is_reserved or found.is_link_local:
        nat64 = found.version == 6 and str(found).startswith("64:ff9b::")
        assert nat64 or not is_public(found)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.10", "::1"])
def test_loopback_addresses_are_recognised(address: str) -> None:
    assert is_loopback(ip_address(address))


@pytest.mark.parametrize(
    "address", ["0.0.0.0", "10.0.0.1", "::", "::ffff:127.0.0.1", "::127.0.0.1"]
)
def test_other_addresses_of_this_machine_are_not_loopback(address: str) -> None:
    assert not is_loopback(ip_address(address))


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://cdn.post.example/a", "cdn.post.example:443"),
        ("HTTPS://CDN.Post.Example/a", "cdn.post.example:443"),
        ("https://cdn.post.example", "cdn.post.example:443"),
        ("https://cdn.post.example:443?q", "cdn.post.example:443"),
        ("https://cdn.post.example:/a", "cdn.post.example:443"),
        ("https://cdn.post.example:8443/a", "cdn.post.example:8443"),
        ("https://scontent_a-b.c--d.example/a", "scontent_a-b.c--d.example:443"),
        ("https://xn--mller-kva.example/a", "xn--mller-kva.example:443"),
        ("https://cdn.post.example/a?next=https://a@b/", "cdn.post.example:443"),
        ("https://cdn.post.example/ä/\\x", "cdn.post.example:443"),
        ("http://127.0.0.1:8080/a", "127.0.0.1:8080"),
        ("http://[::1]:8080/a", "[::1]:8080"),
    ],
)
def test_a_plain_url_is_parsed(text: str, origin: str) -> None:
    assert str(origin_of(read_url(text))) == origin


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cdn.post.example/a",
        "//cdn.post.example/a",
        "/a",
        "https:",
        "https://",
        "https:///a",
        "https:cdn.post.example/a",
        "ftp://cdn.post.example/a",
        "file:///etc/passwd",
        "gopher://cdn.post.example/",
        "https://user@cdn.post.example/a",
        "https://user:password@cdn.post.example/a",
        "https://cdn.post.example@127.0.0.1/a",
        "https://cdn.post.example\\@127.0.0.1/a",
        "https://cdn.post.example\\.evil.example/a",
        "https://cdn.post.example%2f@evil.example/a",
        "https://cdn.post.example%00.evil.example/a",
        "https://cdn.post.example./a",
        "https://cdn..post.example/a",
        "https://.post.example/a",
        "https://-a.example/a",
        "https://cdn.post.example\t/a",
        "https://cdn.post.example\r\nhost: evil.example/a",
        " https://cdn.post.example/a",
        "https://cdn.post.example /a",
        "https://cdn.post.example:99999999999999999999a/",
        "https://cdn.post.example:-443/a",
        "https://cdn.post.example:\uff14\uff14\uff13/a",
        "https://\uff43dn.post.example/a",
        "https://cdn。post。example/a",
        "https://müller.example/a",
        "https://127。0。0。1/a",
        "https://①②⑦.⓪.⓪.①/a",
        "https://2130706433/a",
        "https://0x7f000001/a",
        "https://0x7f.0.0.1/a",
        "https://0x7f.1/a",
        "https://0177.0.0.1/a",
        "https://017700000001/a",
        "https://127.1/a",
        "https://127.0.1/a",
        "https://127.0.0.1./a",
        "https://127.0.0.256/a",
        "https://1.2.3.4.5/a",
        "https://%31%32%37.0.0.1/a",
        "https://[::1/a",
        "https://::1/a",
        "https://[fe80::1%25eth0]/a",
        "https://[v1.x]/a",
        "https://[127.0.0.1]/a",
        "https://" + "a" * 64 + ".example/a",
        "https://" + "a." * 130 + "example/a",
    ],
)
def test_an_ambiguous_url_is_blocked(text: str) -> None:
    with pytest.raises(Blocked):
        read_url(text)


@given(st.text(max_size=80))
def test_any_text_is_a_url_or_blocked(text: str) -> None:
    for candidate in (text, f"https://{text}", f"https://cdn.post.example{text}"):
        with suppress(Blocked):
            origin_of(read_url(candidate))


@given(st.text(max_size=60))
def test_any_location_is_a_url_or_blocked(location: str) -> None:
    with suppress(Blocked):
        origin_of(follow(httpx.URL("https://cdn.post.example/a/b?c"), location))


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/c?d=%2F+e", "https://cdn.post.example/c?d=%2F+e"),
        ("c", "https://cdn.post.example/a/c"),
        ("?x", "https://cdn.post.example/a/b?x"),
        ("//other.example/c", "https://other.example/c"),
        ("http://other.example/c", "http://other.example/c"),
        (
            "https://other.example/c?Signature=a%2Bb~c&Expires=1",
            "https://other.example/c?Signature=a%2Bb~c&Expires=1",
        ),
        ("/\\evil.example/", "https://cdn.post.example/\\evil.example/"),
    ],
)
def test_a_redirect_is_resolved_relative_to_its_origin(location: str, target: str) -> None:
    assert str(follow(httpx.URL("https://cdn.post.example/a/b?c"), location)) == target


@pytest.mark.parametrize(
    "location",
    [
        "https://user@evil.example/",
        "//evil.example\\@cdn.post.example/",
        "https:evil.example",
        "javascript:alert(1)",
        "data:text/plain,x",
        "http://0177.0.0.1/",
        "//2130706433/",
        ":https://999::1]//",
        "//[",
        "x:[::1",
    ],
)
def test_a_redirect_to_an_ambiguous_url_is_blocked(location: str) -> None:
    with pytest.raises(Blocked):
        follow(httpx.URL("https://cdn.post.example/a/b"), location)
