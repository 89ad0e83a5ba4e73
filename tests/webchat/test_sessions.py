"""Sessions: cookie and bearer, who somebody is, and whose page may ask."""

import base64
import hmac
import json
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from webchat import Site
from webchat.http.access import COOKIE
from webchat.http.context import Chat

from .gateway import FakeGateway
from .running import GENEROUS, ORIGIN, Answer, Clock, Server, new_id, running

SECRET = "a secret that the brand's back-end shares"
EDWARDS = Ed25519PrivateKey.generate()
PUBLIC = EDWARDS.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
SITES = {
    "shop": Site(limits=GENEROUS, identity_keys=(SECRET, PUBLIC)),
    "members": Site(limits=GENEROUS, identity_keys=(SECRET,), anonymous=False),
}


def claims(clock: Clock, subject: str = "customer-1", **more: Any) -> dict[str, Any]:
    return {"sub": subject, "aud": "shop", "exp": clock() // 1000 + 600, **more}


def signed(content: dict[str, Any], key: Any = SECRET, algorithm: str = "HS256") -> str:
    return jwt.encode(content, key, algorithm)


async def begin(server: Server, headers: dict[str, str] | None = None, **body: Any) -> Answer:
    return await server.call("POST", "/v1/sessions", headers=headers, json={"site": "shop", **body})


@pytest.fixture
async def signing(tmp_path: Path, gateway: FakeGateway, clock: Clock) -> Any:
    async with running(tmp_path, gateway, clock, sites=SITES) as server:
        yield server


async def test_the_cookie_lives_in_frames_and_out_of_scripts(server: Server) -> None:
    answer = await begin(server)
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    parts = {part.strip() for part in cookie.split(";")[1:]}
    assert {"Path=/", "HttpOnly", "Secure", "SameSite=None", "Partitioned"} <= parts
    assert "token" not in answer.json


async def test_a_session_is_resumed_with_its_consumer(server: Server) -> None:
    first = await begin(server)
    cookie = first.headers["Set-Cookie"].partition(";")[0]
    headers = {"Cookie": cookie, "Sec-Fetch-Site": "same-origin"}
    again = await begin(server, headers)
    assert again.json["consumer"] == first.json["consumer"]
    assert "Set-Cookie" not in again.headers


async def test_the_token_is_stored_as_a_fingerprint_only(server: Server) -> None:
    mia = await server.consumer()
    data = b"".join(path.read_bytes() for path in server.chat.settings.data.glob("webchat.db*"))
    assert mia.id.encode() in data
    assert mia.token.encode() not in data


async def test_every_call_of_a_consumer_needs_a_session(server: Server) -> None:
    for method, path in (
        *(("DELETE", "/sessions"), ("POST", "/uploads"), ("HEAD", f"/uploads/{new_id()}")),
        *(("PATCH", f"/uploads/{new_id()}"), ("DELETE", f"/uploads/{new_id()}")),
        *(("PUT", f"/messages/{new_id()}"), ("GET", "/history"), ("GET", "/changes")),
        *(("POST", "/receipts"), ("POST", "/typing"), ("DELETE", "/me")),
        ("GET", "/attachments/att_1/preview"),
    ):
        for token in (None, "wrong"):
            answer = await server.call(method, f"/v1{path}", token=token)
            assert answer.status == 401, (method, path)


async def test_a_cookie_counts_only_from_our_own_page(server: Server) -> None:
    cookie = (await begin(server)).headers["Set-Cookie"].partition(";")[0]

    async def write(**headers: str) -> int:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        path = f"/v1/messages/{new_id()}"
        return (
            await server.call("PUT", path, headers={"Cookie": cookie, **named}, json={"text": "x"})
        ).status

    assert await write(Sec_Fetch_Site="same-origin") == 201
    assert await write(Origin=ORIGIN) == 201
    for site in ("cross-site", "same-site", "none"):
        assert await write(Sec_Fetch_Site=site) == 403
    assert await write(Sec_Fetch_Site="cross-site", Origin=ORIGIN) == 403
    for origin in ("https://shop.example", "null", f"{ORIGIN}.evil.example"):
        assert await write(Origin=origin) == 403
    assert await write() == 403


async def test_another_sites_page_cannot_begin_a_session(server: Server) -> None:
    answer = await begin(server, {"Sec-Fetch-Site": "cross-site"})
    assert (answer.status, answer.code) == (403, "wrong_origin")
    form = await server.call("POST", "/v1/sessions", data=b'{"site": "shop"}')
    assert form.status == 415


async def test_unknown_sites_are_not_found(server: Server) -> None:
    assert (await begin(server, site="outlet")).code == "not_found"


async def test_signing_out_ends_the_session(server: Server) -> None:
    mia = await server.consumer()
    answer = await mia.call("DELETE", "/sessions")
    assert answer.status == 204
    assert f"{COOKIE}=;" in answer.headers["Set-Cookie"]
    assert (await mia.call("GET", "/history")).status == 401


async def test_an_unused_session_ends_after_thirty_days(server: Server, clock: Clock) -> None:
    mia = await server.consumer()
    clock.forward(29 * 86_400)
    assert (await mia.call("GET", "/history")).status == 200
    clock.forward(29 * 86_400)
    assert (await mia.call("GET", "/history")).status == 200
    clock.forward(30 * 86_400 + 10)
    assert (await mia.call("GET", "/history")).status == 401


@pytest.mark.parametrize(("key", "algorithm"), [(SECRET, "HS256"), (EDWARDS, "EdDSA")])
async def test_the_same_person_has_the_same_history_everywhere(
    signing: Server, clock: Clock, key: Any, algorithm: str
) -> None:
    token = signed(claims(clock, name="Mia Berger"), key, algorithm)
    phone = await signing.consumer(identity=token)
    await phone.write("from my phone")
    laptop = await signing.consumer(identity=token)
    assert laptop.session["consumer"] == phone.session["consumer"]
    assert phone.session["consumer"] == {"id": phone.id, "name": "Mia Berger", "verified": True}
    assert [message["text"] for message in await laptop.messages()] == ["from my phone"]
    event = await signing.gateway.of_type("message")
    assert event["consumer"] == {"id": phone.id, "name": "Mia Berger", "verified": True}


async def test_identities_that_prove_nothing_are_refused(signing: Server, clock: Clock) -> None:
    good = claims(clock)
    now = clock() // 1000
    wrong = [
        signed({**good, "exp": now - 120}),
        signed({**good, "exp": now + 7200}),
        signed({**good, "exp": "tomorrow"}),
        signed({name: value for name, value in good.items() if name != "exp"}),
        signed({**good, "aud": "outlet"}),
        signed({**good, "aud": ["shop", "outlet"]}),
        signed({name: value for name, value in good.items() if name != "aud"}),
        signed({**good, "sub": ""}),
        signed({**good, "nbf": now + 600}),
        signed(good, "a secret of somebody else altogether"),
        signed(good, Ed25519PrivateKey.generate(), "EdDSA"),
        jwt.encode(good, "", "none"),
        _with_public_key_as_secret(good),
        signed(good)[:-2],
        "",
        "a.b.c",
        "é",
    ]
    for token in wrong:
        answer = await begin(signing, identity=token)
        assert (answer.status, answer.code) == (401, "identity_invalid"), token
    assert (await begin(signing, identity=signed(good))).status == 201


def _with_public_key_as_secret(content: dict[str, Any]) -> str:
    """The key confusion: the public key, which everybody knows, used as a secret for HS256."""
    head = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(content)}"
    proof = hmac.digest(PUBLIC.encode(), head.encode(), "sha256")
    return f"{head}.{_url64(proof)}"


def _part(value: dict[str, Any]) -> str:
    return _url64(json.dumps(value).encode())


def _url64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


async def test_a_site_for_members_takes_nobody_anonymous(signing: Server, clock: Clock) -> None:
    answer = await begin(signing, site="members")
    assert (answer.status, answer.code) == (401, "identity_required")
    token = signed(claims(clock, aud="members"))
    assert (await begin(signing, site="members", identity=token)).status == 201


async def test_an_anonymous_conversation_joins_only_when_asked(
    signing: Server, clock: Clock
) -> None:
    token = signed(claims(clock))
    known = await signing.consumer(identity=token)
    await known.write("earlier")
    anonymous = await signing.consumer()
    await anonymous.write("before I signed in", uploads=[await anonymous.upload()])
    body = {"identity": token, "carry": "header"}
    headers = {"Authorization": f"Bearer {anonymous.token}"}
    apart = await begin(signing, headers, **body)
    assert apart.json["consumer"]["id"] == known.id
    assert [message["text"] for message in await known.messages()] == ["earlier"]

    anonymous = await signing.consumer()
    await anonymous.write("take this along", uploads=[await anonymous.upload()])
    revision = (await known.history())["revision"]
    headers = {"Authorization": f"Bearer {anonymous.token}"}
    joined = await begin(signing, headers, join=True, **body)
    assert joined.json["consumer"]["id"] == known.id
    texts = [message["text"] for message in await known.messages()]
    assert texts == ["earlier", "take this along"]
    assert (await known.changes(revision))["reset"] is True
    event = await signing.gateway.of_type("joined")
    assert (event["consumer"]["id"], event["from"]) == (known.id, anonymous.id)
    # What the gateway still sends to the former id arrives.
    content = {"site": "shop", "to": anonymous.id, "key": "msg_1", "text": "Found you"}
    assert (await signing.platform("POST", "/messages", content)).status == 200
    assert (await known.messages())[-1]["text"] == "Found you"
    assert (await anonymous.call("GET", "/history")).status == 401


async def test_what_was_sent_under_both_names_joins_once(signing: Server, clock: Clock) -> None:
    token, message = signed(claims(clock)), new_id()
    known, anonymous = await signing.consumer(identity=token), await signing.consumer()
    for consumer in (anonymous, known):
        await consumer.create(100, "a" * 32)
        await consumer.write("the same message", message)
    headers = {"Authorization": f"Bearer {anonymous.token}"}
    joined = await begin(signing, headers, identity=token, join=True)
    assert joined.status == 201
    assert [one["text"] for one in await known.messages()] == ["the same message"]


async def test_the_first_sign_in_keeps_the_conversation_if_asked(
    signing: Server, clock: Clock
) -> None:
    anonymous = await signing.consumer()
    await anonymous.write("hello")
    headers = {"Authorization": f"Bearer {anonymous.token}"}
    joined = await begin(signing, headers, identity=signed(claims(clock)), join=True)
    assert joined.json["consumer"] == {"id": anonymous.id, "name": None, "verified": True}


async def test_pages_name_who_may_frame_them(server: Server) -> None:
    answer = await server.call("GET", "/chat?site=shop")
    policy = answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'self' https://shop.example" in policy
    assert "X-Frame-Options" not in answer.headers
    assert "camera=(self)" in answer.headers["Permissions-Policy"]
    assert (await server.call("GET", "/chat?site=outlet")).status == 404
    other = await server.call("GET", "/healthz")
    assert "frame-ancestors 'none'" in other.headers["Content-Security-Policy"]


def test_no_part_of_the_server_shows_its_secrets(server: Server) -> None:
    chat: Chat = server.chat
    shown = repr(chat) + repr(chat.settings)
    for secret in (*chat.settings.secrets, *chat.settings.access_tokens):
        assert secret not in shown


async def test_call_for_another_consumer_is_refused(server: Server) -> None:
    mia, ben = await server.consumer(), await server.consumer()
    own = await mia.call("GET", "/history", headers={"X-Consumer": mia.id})
    assert own.status == 200
    for method, path in (("GET", "/history"), ("GET", "/changes"), ("POST", "/typing")):
        answer = await mia.call(method, path, headers={"X-Consumer": ben.id}, json={"on": True})
        assert (answer.status, answer.code) == (401, "session_required")
