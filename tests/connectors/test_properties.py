"""Random input: `verify` accepts or raises Forbidden, and `parse` returns events that can be serialized."""

import gzip
from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors import Connector, Forbidden, Request, Unknown, fingerprint, unknown
from normalizer.events import dump, load

from . import accounts
from .accounts import NOW, delivery

CONNECTORS: list[Connector[Any]] = [
    accounts.apple(),
    accounts.instagram(),
    accounts.messenger(),
    accounts.twilio(),
    accounts.whatsapp(),
]
each = pytest.mark.parametrize("connector", CONNECTORS, ids=lambda connector: connector.name)

#: Header values as servers pass them on: any bytes, with non-ASCII bytes as lone surrogates.
raw_text = st.binary(max_size=80).map(lambda raw: raw.decode("utf-8", "surrogateescape"))
header = raw_text | st.sampled_from(
    [
        *("sha256=", "sha256=" + "a" * 64, "Bearer ", "Bearer e30.e30.e30", "A" * 28),
        "Bearer eyJhbGciOiJub25lIn0.eyJhdWQiOiJjc3AtMDAwMSJ9.",
    ]
)
names = st.sampled_from(
    [
        *("authorization", "destination-id", "id", "source-id", "content-type"),
        *("x-hub-signature-256", "x-hub-signature", "x-twilio-signature", "content-encoding"),
    ]
)
body = st.binary(max_size=200) | st.binary(max_size=200).map(gzip.compress)
url = raw_text | st.sampled_from(["https://[", "https://x:y@z:1/?a=b", "//", "https://h:0/"])

strings = st.sampled_from(
    [
        *("object", "page", "whatsapp_business_account", "entry", "id", "changes", "field"),
        *("messages", "value", "metadata", "phone_number_id", "from", "type", "text", "body"),
        *("messaging", "sender", "recipient", "message", "mid", "attachments", "payload", "url"),
        *("timestamp", "statuses", "status", "sourceId", "destinationId", "interactive"),
        *("interactiveData", "data", "image", "MessageSid", "From", "To", "Body", "MediaUrl0"),
        *("NumMedia", "errors", "contacts", "reaction", "read", "watermark", "1760000000", "close"),
    ]
)
json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats() | st.text() | strings,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(strings | st.text(), inner, max_size=6)
    ),
    max_leaves=30,
)


@each
@settings(max_examples=150, deadline=None)
@given(st.dictionaries(names, header, max_size=5), body, url)
def test_verify_accepts_or_raises_forbidden(
    connector: Connector[Any], headers: dict[str, str], body: bytes, url: str
) -> None:
    with suppress(Forbidden):
        connector.verify(Request("POST", url, headers, body, NOW, {}))


@each
@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["hub.mode", "hub.verify_token", "hub.challenge"]), raw_text)
)
def test_handshake_never_raises(connector: Connector[Any], query: dict[str, str]) -> None:
    connector.handshake(Request("GET", "https://x/", {}, b"", NOW, query))


@each
@settings(max_examples=200, deadline=None)
@given(json)
def test_parse_turns_any_json_into_serializable_events(
    connector: Connector[Any], content: Any
) -> None:
    events = connector.parse(delivery(content))
    assert isinstance(events, list)
    assert len(load(dump(events))) == len(events)


@pytest.mark.parametrize(
    "template",
    [
        '{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{"messages":[%s]}}]}]}',
        '{"object":"page","entry":[{"id":"1","messaging":[%s]}]}',
        '{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"x","value":%s}]}]}',
        '{"object":"page","entry":[{"id":"1","changes":[{"field":"x","value":%s}]}]}',
        '{"id":"1","type":"hologram","sourceId":"a","destinationId":"b","x":%s}',
        "%s",
    ],
)
@each
def test_content_nested_too_deep_becomes_an_unknown_event(
    connector: Connector[Any], template: str
) -> None:
    for depth in (250, 900):
        content = orjson.loads(template % ("[" * depth + "]" * depth))
        events = connector.parse(delivery(content))
        assert [type(event) for event in events] == [Unknown]
        assert load(dump(events)) == events


@given(json)
def test_an_unknown_event_has_a_stable_id(entry: Any) -> None:
    assert unknown(entry, "why").id == unknown(entry, "why").id
    assert fingerprint(entry) == fingerprint(entry)
