"""The platforms' words are passed on, and our credentials in them are masked."""

import base64
from typing import Any

import pytest
from structlog.testing import capture_logs

from connectors import Call, Connector, Download, Flow, Rejected, Reply
from connectors.meta import appsecret_proof
from tests.connectors.accounts import (
    ACCESS_TOKEN,
    APP_SECRET,
    AUTH_TOKEN,
    MSP_SECRET,
    apple,
    messenger,
    twilio,
    whatsapp,
)

from .fetching_fakes import answers_with, fetching, http_response, scratch_descriptor, serving

PROOF = appsecret_proof(APP_SECRET, ACCESS_TOKEN)
BASIC = base64.b64encode(f"AC{'0' * 32}:{AUTH_TOKEN}".encode()).decode()
SIGNED = "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1&hash=ATsecrethash"


#: Of the second Page of a section with two.
PAGE_TOKEN = "the-token-of-the-second-page"


def two_pages(**settings: Any) -> Connector[Any]:
    tokens = {"1": ACCESS_TOKEN, "2": PAGE_TOKEN}
    return messenger(page_id=None, access_token=None, pages=tokens, **settings)


def one(call: Call) -> Flow[Reply]:
    return (yield call)


def address(make: Any, origin: str) -> str:
    return origin if make in {twilio, apple} else f"{origin}/v25.0"


async def refused(make: Any, words: str, purpose: Any, query: str = "") -> Rejected:
    """The refusal with which a call ends if the platform answers with these words."""
    body = b'{"error": {"code": 190, "message": "%s"}, "code": 20003, "message": "%s"}'
    text = words.encode()
    answer = http_response(400, body=body % (text, text), content_type="application/json")
    async with serving(answers_with(answer)) as server, fetching() as fetcher:
        connector: Connector[Any] = make(api_url=address(make, server.url))
        call = Call("GET", f"{server.url}/x{query}")
        with pytest.raises(Rejected) as end:
            if purpose == "download":
                with scratch_descriptor() as into:
                    await fetcher.download(connector, Download(call), into, 1_000_000)
            else:
                await fetcher.run(connector, one(call), purpose)
    return end.value


@pytest.mark.parametrize("purpose", ["lookup", "download", "send", "check"])
@pytest.mark.parametrize(
    ("make", "secret"),
    [
        (whatsapp, ACCESS_TOKEN),
        (whatsapp, APP_SECRET),
        (messenger, ACCESS_TOKEN),
        (two_pages, PAGE_TOKEN),
        (twilio, AUTH_TOKEN),
        (twilio, BASIC),
        (apple, MSP_SECRET),
    ],
)
async def test_our_credentials_are_masked_in_the_platforms_words(
    make: Any, secret: str, purpose: Any
) -> None:
    refusal = await refused(make, f"Malformed access token {secret}, said the platform", purpose)
    assert "said the platform" in refusal.detail
    assert secret not in f"{refusal} {refusal!r} {refusal.detail} {refusal.code}"


async def test_a_proof_from_our_url_is_masked() -> None:
    query = f"?appsecret_proof={PROOF}"
    refusal = await refused(whatsapp, f"The proof {PROOF} is wrong", "lookup", query)
    assert "is wrong" in refusal.detail
    assert PROOF not in f"{refusal} {refusal.detail}"


async def test_signed_urls_are_masked_in_the_platforms_words() -> None:
    refusal = await refused(messenger, f"Could not fetch {SIGNED} today", "send")
    assert "ATsecrethash" not in f"{refusal} {refusal.detail}"
    assert "lookaside.fbsbx.com" in refusal.detail


async def test_code_and_words_of_a_refusal_are_logged() -> None:
    with capture_logs() as logged:
        await refused(whatsapp, f"Expired: {ACCESS_TOKEN}", "lookup")
    (line,) = [entry for entry in logged if entry["event"] == "call_refused"]
    assert (line["code"], line["purpose"], line["reason"]) == ("190", "lookup", "unauthorized")
    assert line["detail"].startswith("Expired")
    assert ACCESS_TOKEN not in str(line)


async def test_a_flow_that_refuses_itself_is_masked_as_well() -> None:
    def flow() -> Flow[None]:
        reply = yield Call("GET", connector.config.api)
        raise connector.refusal(reply)

    body = f'{{"error": {{"code": 5, "message": "not {ACCESS_TOKEN}"}}}}'.encode()
    async with (
        serving(answers_with(http_response(body=body, content_type="application/json"))) as server,
        fetching() as fetcher,
    ):
        connector = whatsapp(api_url=address(whatsapp, server.url))
        with pytest.raises(Rejected) as end:
            await fetcher.run(connector, flow(), "send")
    assert (end.value.reason, end.value.code) == ("unknown", "5")
    assert ACCESS_TOKEN not in end.value.detail


@pytest.mark.parametrize(("account", "token"), [("1", ACCESS_TOKEN), ("2", PAGE_TOKEN)])
async def test_a_call_carries_the_credentials_of_its_account(account: str, token: str) -> None:
    async with serving(answers_with(http_response())) as server, fetching() as fetcher:
        connector = two_pages(api_url=address(messenger, server.url))
        call = Call("GET", f"{server.url}/x", account=account)
        await fetcher.run(connector, one(call), "check")
    (request,) = server.requests
    assert request.headers["authorization"] == f"Bearer {token}"
