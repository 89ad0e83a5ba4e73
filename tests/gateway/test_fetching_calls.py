"""Flows: calls are made, replies are returned to the flow, and failures are reported."""

import asyncio
import inspect
from dataclasses import replace
from typing import Any

import pytest

from connectors import Call, Flow, Rejected, Reply
from connectors.kit.subject import check_shape
from gateway.fetching import Ambiguous, Unreachable
from normalizer.media import MediaFailed

from .fetching_fakes import (
    PUBLIC,
    QUICK,
    TOKEN,
    FakeNetwork,
    FakeResolver,
    ReceivedRequest,
    answers_with,
    cuts_off_after,
    fake_platform,
    fetching,
    free_port,
    hangs,
    http_response,
    serving,
)

JSON = {"content_type": "application/json"}


def one(call: Call) -> Flow[Reply]:
    return (yield call)


def get(url: str, **options: Any) -> Flow[Reply]:
    return one(Call("GET", url, **options))


async def test_a_plain_value_is_returned_at_once() -> None:
    async with fetching() as fetcher:
        assert await fetcher.run(fake_platform(), "as it is", "lookup") == "as it is"


async def test_the_flow_gets_replies_and_its_result_is_returned() -> None:
    def two_steps() -> Flow[str]:
        first = yield Call("GET", f"{server.url}/1")
        second = yield Call("POST", f"{server.url}/2", json={"from": first.content["id"]})
        return str(second.content["id"])

    answers = answers_with(http_response(body=b'{"id": "a"}'), http_response(body=b'{"id": "b"}'))
    async with serving(answers) as server, fetching() as fetcher:
        assert await fetcher.run(fake_platform(server.url), two_steps(), "lookup") == "b"
    assert [(received.method, received.target) for received in server.requests] == [
        ("GET", "/1"),
        ("POST", "/2"),
    ]
    assert server.requests[1].body == b'{"from":"a"}'
    assert server.requests[1].headers["content-type"] == "application/json"


async def test_forms_and_raw_bytes_are_sent_as_given() -> None:
    async with serving(answers_with(http_response())) as server, fetching() as fetcher:
        form = Call("POST", server.url, form={"To": "+1 555", "Body": "ä&b"})
        raw = Call("PUT", server.url, body=b"\x00raw", headers={"content-type": "image/x"})
        await fetcher.run(fake_platform(server.url), one(form), "send")
        await fetcher.run(fake_platform(server.url), one(raw), "send")
    first, second = server.requests
    assert first.headers["content-type"] == "application/x-www-form-urlencoded"
    assert first.body == b"To=%2B1+555&Body=%C3%A4%26b"
    assert (second.method, second.body, second.headers["content-type"]) == (
        "PUT",
        b"\x00raw",
        "image/x",
    )


async def test_a_patch_is_sent_once_and_with_its_content() -> None:
    answers = answers_with(http_response(307, Location="/elsewhere"))
    async with serving(answers) as server, fetching() as fetcher:
        call = Call("PATCH", f"{server.url}/m-1", json={"status": "read"})
        check_shape(call)
        with pytest.raises(Rejected):
            await fetcher.run(fake_platform(server.url), one(call), "send")
    (received,) = server.requests
    assert (received.method, received.body) == ("PATCH", b'{"status":"read"}')


async def test_the_reply_has_status_headers_content_and_purpose() -> None:
    answer = http_response(201, b'{"a": [1]}', X_Note="one", **JSON).replace(
        b"\r\n\r\n", b"\r\nX-NOTE: two\r\n\r\n"
    )
    async with serving(answers_with(answer)) as server, fetching() as fetcher:
        reply = await fetcher.run(fake_platform(server.url), get(server.url), "check")
    assert (reply.status, reply.content, reply.body) == (201, {"a": [1]}, b'{"a": [1]}')
    assert reply.headers["x-note"] == "one, two"
    assert reply.purpose == "check"


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"cut": ', b"\xff\xfe"])
async def test_a_body_that_is_not_json_has_no_content(body: bytes) -> None:
    async with serving(answers_with(http_response(body=body))) as server, fetching() as fetcher:
        reply = await fetcher.run(fake_platform(server.url), get(server.url), "lookup")
    assert reply.content is None
    assert reply.body == body


async def test_the_connector_interprets_a_refusal() -> None:
    async with (
        serving(answers_with(http_response(429, retry_after="7"))) as server,
        fetching() as fetcher,
    ):
        with pytest.raises(Rejected) as refusal:
            await fetcher.run(fake_platform(server.url), get(server.url), "lookup")
    assert (refusal.value.reason, refusal.value.retry, refusal.value.after) == (
        "unreachable",
        True,
        7,
    )


async def test_an_expected_status_is_returned_to_the_flow() -> None:
    async with (
        serving(answers_with(http_response(404, b'{"no": 1}'), http_response(500))) as server,
        fetching() as fetcher,
    ):
        expecting = frozenset({404})
        reply = await fetcher.run(
            fake_platform(server.url), get(server.url, expects=expecting), "lookup"
        )
        assert (reply.status, reply.content) == (404, {"no": 1})
        with pytest.raises(Rejected, match="HTTP 500"):
            await fetcher.run(
                fake_platform(server.url), get(server.url, expects=expecting), "lookup"
            )


async def test_a_refusal_with_an_incomplete_body_is_still_a_refusal() -> None:
    broken = http_response(401, content_length="100")
    async with serving(cuts_off_after(broken)) as server, fetching() as fetcher:
        call = Call("POST", server.url)
        with pytest.raises(Rejected) as refusal:
            await fetcher.run(fake_platform(server.url), one(call), "send")
    assert refusal.value.reason == "unauthorized"


async def test_an_endless_flow_is_stopped_after_sixty_calls() -> None:
    def endless() -> Flow[None]:
        while True:
            yield Call("GET", server.url)

    async with serving(answers_with(http_response())) as server, fetching() as fetcher:
        with pytest.raises(Rejected, match="more than 60 calls"):
            await fetcher.run(fake_platform(server.url), endless(), "lookup")
    assert len(server.requests) == 60


async def test_a_flow_of_sixty_calls_is_allowed() -> None:
    def sixty() -> Flow[int]:
        for _ in range(60):
            yield Call("GET", server.url)
        return 60

    async with serving(answers_with(http_response())) as server, fetching() as fetcher:
        assert await fetcher.run(fake_platform(server.url), sixty(), "lookup") == 60


async def test_a_flow_is_closed_when_a_call_fails() -> None:
    async with serving(answers_with(http_response(500))) as server, fetching() as fetcher:
        flow = get(server.url)
        with pytest.raises(Rejected):
            await fetcher.run(fake_platform(server.url), flow, "lookup")
    assert inspect.isgenerator(flow)
    assert inspect.getgeneratorstate(flow) == inspect.GEN_CLOSED


async def test_a_reply_that_the_flow_cannot_read_counts_as_unreachable() -> None:
    def reads() -> Flow[str]:
        reply = yield Call("GET", server.url)
        return str(reply.content["url"])

    answers = answers_with(
        http_response(body=b'{"secret": "s3cr3t"}'), http_response(body=b"s3cr3t")
    )
    async with serving(answers) as server, fetching() as fetcher:
        with pytest.raises(Rejected, match="lacks 'url'") as lacking:
            await fetcher.run(fake_platform(server.url), reads(), "lookup")
        with pytest.raises(Rejected, match="unexpected shape") as shapeless:
            await fetcher.run(fake_platform(server.url), reads(), "lookup")
    assert (lacking.value.reason, lacking.value.retry) == ("unreachable", True)
    assert "s3cr3t" not in f"{lacking.value} {shapeless.value}"


async def test_an_error_before_any_reply_is_raised_unchanged() -> None:
    def mistaken() -> Flow[None]:
        raise KeyError("url")
        yield

    async with fetching() as fetcher:
        with pytest.raises(KeyError):
            await fetcher.run(fake_platform(), mistaken(), "lookup")


# sizes ------------------------------------------------------------------------------------------


async def test_at_most_a_mebibyte_of_a_reply_is_read() -> None:
    async def floods(received: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n[]")
        while True:
            writer.write(b" " * 65536)
            await writer.drain()

    async with serving(floods) as server, fetching() as fetcher:
        reply = await fetcher.run(fake_platform(server.url), get(server.url), "lookup")
    assert len(reply.body) == 1024 * 1024
    assert reply.content is None


async def test_a_reply_of_exactly_a_mebibyte_is_complete() -> None:
    body = b'"' + b"x" * (1024 * 1024 - 2) + b'"'
    async with serving(answers_with(http_response(body=body))) as server, fetching() as fetcher:
        reply = await fetcher.run(fake_platform(server.url), get(server.url), "lookup")
    assert reply.content == "x" * (1024 * 1024 - 2)


async def test_endless_headers_end_the_call() -> None:
    async def floods(received: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"x-more: " + b"y" * 1000 + b"\r\n")
            await writer.drain()

    async with serving(floods) as server, fetching() as fetcher:
        with pytest.raises(Unreachable):
            await fetcher.run(fake_platform(server.url), get(server.url), "lookup")


async def test_endless_early_hints_end_the_call() -> None:
    async def hints(received: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
            await asyncio.sleep(0.01)

    deadlines = replace(QUICK, first_byte=0.3)
    async with serving(hints) as server, fetching(deadlines=deadlines) as fetcher:
        with pytest.raises(Unreachable, match="no response in time"):
            await fetcher.run(fake_platform(server.url), get(server.url), "lookup")


async def test_a_protocol_switch_is_not_a_response() -> None:
    upgrade = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"
    async with serving(answers_with(upgrade)) as server, fetching() as fetcher:
        with pytest.raises(Unreachable, match="not HTTP"):
            await fetcher.run(fake_platform(server.url), get(server.url), "lookup")


# failures ---------------------------------------------------------------------------------------


async def test_a_platform_that_hangs_is_unreachable_and_can_be_retried() -> None:
    deadlines = replace(QUICK, first_byte=0.2)
    async with serving(hangs) as server, fetching(deadlines=deadlines) as fetcher:
        with pytest.raises(Rejected) as error:
            await fetcher.run(fake_platform(server.url), get(server.url), "lookup")
    assert (error.value.reason, error.value.retry) == ("unreachable", True)
    assert len(server.requests) == 1


async def test_an_endless_reply_times_out() -> None:
    async def drips(received: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        writer.write(http_response(content_length="100000"))
        while True:
            writer.write(b" ")
            await asyncio.sleep(0.01)

    deadlines = replace(QUICK, reply=0.3)
    async with serving(drips) as server, fetching(deadlines=deadlines) as fetcher:
        with pytest.raises(Unreachable, match="did not end in time"):
            await fetcher.run(fake_platform(server.url), get(server.url), "lookup")


async def test_a_lookup_is_retried_once_without_a_connection() -> None:
    dial = FakeNetwork(free_port())
    async with fetching(resolve=FakeResolver(api_post_example=(PUBLIC,)), dial=dial) as fetcher:
        with pytest.raises(Unreachable, match=r"no connection \(connection refused\)"):
            await fetcher.run(fake_platform(), get("https://api.post.example/v1"), "lookup")
    assert len(dial.dialled) == 2


async def test_a_retried_lookup_can_succeed() -> None:
    async with serving(answers_with(http_response(body=b"[1]"))) as server:
        url = "http://127.0.0.1:9/x"
        dial = FakeNetwork(free_port(), server.port)
        async with fetching(dial=dial) as fetcher:
            reply = await fetcher.run(fake_platform(url), get(url), "lookup")
    assert reply.content == [1]
    assert len(dial.dialled) == 2


async def test_a_lookup_that_was_sent_is_not_retried() -> None:
    async with serving(cuts_off_after(b"")) as server, fetching() as fetcher:
        with pytest.raises(Unreachable):
            await fetcher.run(fake_platform(server.url), get(server.url), "lookup")
    assert len(server.requests) == 1


async def test_an_invalid_response_is_not_quoted() -> None:
    async with serving(cuts_off_after(b"s3cr3t: token\r\n\r\n")) as server, fetching() as fetcher:
        with pytest.raises(Unreachable) as error:
            await fetcher.run(fake_platform(server.url), get(server.url), "lookup")
    assert "s3cr3t" not in str(error.value)


async def test_an_invalid_header_is_named_and_nothing_is_sent() -> None:
    async with serving(answers_with(http_response())) as server, fetching() as fetcher:
        for headers in (
            {"x-url": "a\r\nhost: evil"},
            {"x-url": "s3cr3t ü"},
            {"x url": "a"},
            {"": "a"},
        ):
            with pytest.raises(Rejected, match="header") as error:
                await fetcher.run(
                    fake_platform(server.url), get(server.url, headers=headers), "lookup"
                )
            assert "s3cr3t" not in str(error.value)
    assert server.requests == []


# sending ----------------------------------------------------------------------------------------


def text(url: str) -> Flow[Any]:
    reply = yield Call("POST", url, json={"text": "hello"})
    return reply.content["id"]


async def test_a_text_without_a_connection_was_not_sent() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    async with fetching() as fetcher:
        with pytest.raises(Unreachable) as error:
            await fetcher.run(fake_platform(url), text(url), "send")
    assert error.value.retry
    assert not error.value.sent


async def test_a_text_to_an_unresolvable_host_was_not_sent() -> None:
    async with fetching(resolve=FakeResolver()) as fetcher:
        with pytest.raises(Unreachable, match=r"api\.post\.example has no address") as error:
            await fetcher.run(fake_platform(), text("https://api.post.example/send"), "send")
    assert not error.value.sent


async def test_a_text_whose_connection_times_out_was_not_sent() -> None:
    names, deadlines = FakeResolver(api_post_example=(PUBLIC,)), replace(QUICK, connect=0.3)
    async with (
        serving(hangs) as server,
        fetching(resolve=names, dial=FakeNetwork(server.port), deadlines=deadlines) as fetcher,
    ):
        with pytest.raises(Unreachable, match="no connection in time") as error:
            await fetcher.run(fake_platform(), text("https://api.post.example/send"), "send")
    assert not error.value.sent


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(hangs, id="no answer"),
        pytest.param(cuts_off_after(b""), id="closed"),
        pytest.param(cuts_off_after(b"HTTP/1.1 200"), id="cut in the headers"),
        pytest.param(cuts_off_after(http_response(content_length="10")), id="cut in the body"),
        pytest.param(cuts_off_after(b"garbage\r\n\r\n"), id="garbage"),
        pytest.param(answers_with(http_response(body=b"OK")), id="success without an id"),
    ],
)
async def test_a_text_without_a_usable_response_is_ambiguous(behaviour: Any) -> None:
    deadlines = replace(QUICK, first_byte=0.3)
    async with serving(behaviour) as server, fetching(deadlines=deadlines) as fetcher:
        with pytest.raises(Ambiguous) as error:
            await fetcher.run(fake_platform(server.url), text(server.url), "send")
    assert not error.value.retry
    assert error.value.reason == "ambiguous"
    assert len(server.requests) == 1


async def test_a_get_call_is_never_ambiguous() -> None:
    async with serving(cuts_off_after(b"")) as server, fetching() as fetcher:
        with pytest.raises(Unreachable):
            await fetcher.run(fake_platform(server.url), get(server.url), "send")


async def test_an_unreadable_reply_before_sending_is_not_ambiguous() -> None:
    def asks_first() -> Flow[Any]:
        reply = yield Call("GET", server.url)
        yield Call("POST", reply.content["upload"])

    async with serving(answers_with(http_response(body=b"{}"))) as server, fetching() as fetcher:
        with pytest.raises(Rejected) as error:
            await fetcher.run(fake_platform(server.url), asks_first(), "send")
    assert (error.value.reason, error.value.retry) == ("unreachable", True)


async def test_texts_never_share_a_connection() -> None:
    """A pooled connection that the platform is closing would look like a lost response."""
    async with (
        serving(answers_with(http_response(body=b'{"id": 1}'))) as server,
        fetching() as fetcher,
    ):
        for _ in range(3):
            await fetcher.run(fake_platform(server.url), text(server.url), "send")
        assert server.connections == 3


async def test_lookups_share_a_connection() -> None:
    async with (
        serving(answers_with(http_response(body=b'{"id": 1}'))) as server,
        fetching() as fetcher,
    ):
        for _ in range(3):
            await fetcher.run(fake_platform(server.url), get(server.url), "lookup")
        assert server.connections == 1


# the allowlist ----------------------------------------------------------------------------------


@pytest.mark.parametrize("purpose", ["lookup", "download"])
async def test_a_blocked_lookup_fails_the_file(purpose: Any) -> None:
    async with fetching() as fetcher:
        with pytest.raises(MediaFailed, match=r"elsewhere\.example") as blocked:
            await fetcher.run(
                fake_platform(), get("https://elsewhere.example/a?token=s3cr3t"), purpose
            )
    assert blocked.value.reason == "blocked_host"
    assert "s3cr3t" not in str(blocked.value)


@pytest.mark.parametrize("purpose", ["send", "check"])
async def test_other_blocked_calls_need_an_operator(purpose: Any) -> None:
    async with fetching() as fetcher:
        with pytest.raises(Rejected) as blocked:
            await fetcher.run(fake_platform(), get("https://elsewhere.example/a"), purpose)
    assert (blocked.value.reason, blocked.value.operator, blocked.value.retry) == (
        "blocked_host",
        True,
        False,
    )


async def test_a_blocked_simulator_names_the_setting_to_change() -> None:
    async with (
        serving(answers_with(http_response())) as server,
        fetching(allow_private_hosts=False) as fetcher,
    ):
        with pytest.raises(MediaFailed, match=r"fetch\.allow_private_hosts"):
            await fetcher.run(fake_platform(server.url), get(server.url), "lookup")
    assert server.connections == 0


async def test_a_call_that_changes_something_is_not_redirected() -> None:
    async with (
        serving(answers_with(http_response(307, location="/elsewhere"))) as server,
        fetching() as fetcher,
    ):
        with pytest.raises(Rejected, match="HTTP 307"):
            await fetcher.run(fake_platform(server.url), text(server.url), "send")
    assert len(server.requests) == 1


async def test_a_redirect_that_the_flow_expects_is_not_followed() -> None:
    async with (
        serving(answers_with(http_response(302, location="/elsewhere"))) as server,
        fetching() as fetcher,
    ):
        reply = await fetcher.run(
            fake_platform(server.url), get(server.url, expects=frozenset({302})), "lookup"
        )
    assert reply.headers["location"] == "/elsewhere"
    assert len(server.requests) == 1


async def test_credentials_are_made_at_the_time_of_the_call() -> None:
    async with serving(answers_with(http_response())) as server, fetching() as fetcher:
        await fetcher.run(fake_platform(server.url), get(server.url), "lookup")
    assert server.requests[0].headers["x-now"] == "2026-11-22T01:02:03+00:00"
    assert server.requests[0].headers["authorization"] == TOKEN["authorization"]
