"""Sign-in, sessions, roles, CSRF protection and the login throttle."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.workspace import samples
from tests.workspace.running import RunningWorkspace, run_workspace
from workspace import application
from workspace.auth import accounts
from workspace.auth.login_throttle import WINDOW_SECONDS, LoginThrottle

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def accounts_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with Anna (supervisor), Bob (agent) and Oda (operator). Made once, because hashing is slow on purpose."""
    database = tmp_path_factory.mktemp("staff") / "workspace.sqlite3"
    for name, role in (("anna", "supervisor"), ("bob", "agent"), ("oda", "operator")):
        accounts.add(database, name, PASSWORD, [role])
    return Path(database)


@pytest.fixture
async def signed_out(tmp_path: Path, accounts_file: Path) -> AsyncIterator[RunningWorkspace]:
    """A workspace with accounts, seen from a browser that is not signed in."""
    shutil.copy(accounts_file, tmp_path / "workspace.sqlite3")
    async with run_workspace(tmp_path, demo=False) as running:
        await running.deliver(samples.received("evt_1", samples.message()))
        yield running


def cookie(running: RunningWorkspace) -> str:
    return next((c.value for c in running.session.cookie_jar if c.key == "airlock_session"), "")


async def test_visitor_without_session_sees_only_the_form(signed_out: RunningWorkspace) -> None:
    for path in ("api/me", "api/conversations", "api/audit", "updates", "attachments/a/preview"):
        assert await signed_out.status(path) == 401
    for path in ("", "audit", "operations", "?conversation=conv_mia"):
        assert await signed_out.status(path) == 303
    assert await signed_out.status("sign-in") == 200


async def test_right_password_leads_to_the_requested_page(
    signed_out: RunningWorkspace,
) -> None:
    response = await signed_out.sign_in("bob", PASSWORD, next="?conversation=conv_mia")
    assert response.status == 303
    assert response.headers["Location"] == "/workspace/?conversation=conv_mia"
    assert (await signed_out.get("api/me"))["agent"] == "bob"


@pytest.mark.parametrize("next_page", ["//evil.example", "https://evil.example", "\\\\evil", "x"])
async def test_sign_in_never_redirects_to_another_site(
    signed_out: RunningWorkspace, next_page: str
) -> None:
    response = await signed_out.sign_in("bob", PASSWORD, next=next_page)
    assert response.headers["Location"] == "/workspace/"


async def test_wrong_name_and_wrong_password_look_the_same(signed_out: RunningWorkspace) -> None:
    answers = []
    for name, password in (("bob", "wrong password"), ("nobody", PASSWORD), ("bob", "")):
        response = await signed_out.sign_in(name, password)
        answers.append(response.status)
    assert answers == [401, 401, 401]
    assert await signed_out.status("api/me") == 401


async def test_session_cookie_has_path_httponly_and_samesite(
    signed_out: RunningWorkspace,
) -> None:
    response = await signed_out.sign_in("bob", PASSWORD)
    (set_cookie,) = [
        value
        for value in response.headers.getall("Set-Cookie")
        if value.startswith("airlock_session=")
    ]
    for part in ("HttpOnly", "SameSite=Lax", "Path=/workspace/"):
        assert part in set_cookie


async def test_cookies_are_secure_behind_tls(tmp_path: Path) -> None:
    async with run_workspace(
        tmp_path, demo=False, media_origin="https://chat.example.com"
    ) as running:
        async with running.session.get(running.url("sign-in")) as response:
            assert "Secure" in response.headers["Set-Cookie"]


async def test_every_sign_in_creates_a_new_session(
    signed_out: RunningWorkspace,
) -> None:
    await signed_out.sign_in("bob", PASSWORD)
    first = cookie(signed_out)
    signed_out.session.cookie_jar.clear(lambda morsel: morsel.key == "airlock_session")
    await signed_out.sign_in("bob", PASSWORD)
    second = cookie(signed_out)
    assert second not in {first, ""}
    await signed_out.post("sign-out")
    token = cookie_header = "chosen-by-somebody-else"
    async with signed_out.session.get(signed_out.url("sign-in")) as response:
        token = (await response.text()).partition('name="csrf" value="')[2].partition('"')[0]
    fixed = {"Cookie": f"airlock_session={cookie_header}; airlock_form={token}"}
    form = {"name": "bob", "password": PASSWORD, "csrf": token}
    async with signed_out.session.post(
        signed_out.url("sign-in"), data=form, headers=fixed, allow_redirects=False
    ) as response:
        assert response.status == 303
        assert response.cookies["airlock_session"].value not in {first, second, cookie_header}


async def test_sign_in_ends_the_previous_session(signed_out: RunningWorkspace) -> None:
    await signed_out.sign_in("bob", PASSWORD)
    first = cookie(signed_out)
    url = signed_out.url("sign-in")
    token = {"Cookie": f"airlock_session={first}; airlock_form=known"}
    form = {"name": "anna", "password": PASSWORD, "csrf": "known"}
    async with signed_out.session.post(
        url, data=form, headers=token, allow_redirects=False
    ) as response:
        assert response.status == 303
    assert await reuse(signed_out, first) == 401


async def reuse(running: RunningWorkspace, session: str) -> int:
    """Return the status for a request with the kept cookie of a session."""
    other = running.new_browser()
    headers = {"Cookie": f"airlock_session={session}"}
    async with other.session, other.session.get(running.url("api/me"), headers=headers) as response:
        return response.status


async def test_sign_out_ends_the_session_on_the_server(signed_out: RunningWorkspace) -> None:
    await signed_out.sign_in("bob", PASSWORD)
    kept = cookie(signed_out)
    assert await reuse(signed_out, kept) == 200
    await signed_out.post("sign-out")
    assert await reuse(signed_out, kept) == 401


async def test_password_change_or_removal_ends_sessions_at_once(
    signed_out: RunningWorkspace,
) -> None:
    await signed_out.sign_in("bob", PASSWORD)
    accounts.set_password(signed_out.database, "bob", "another password")
    assert await signed_out.status("api/me") == 401
    await signed_out.sign_in("bob", "another password")
    accounts.remove(signed_out.database, "bob")
    assert await signed_out.status("api/me") == 401


async def test_role_change_takes_effect_at_once(signed_out: RunningWorkspace) -> None:
    await signed_out.sign_in("anna", PASSWORD)
    assert await signed_out.status("audit") == 200
    accounts.set_roles(signed_out.database, "anna", ["agent"])
    assert await signed_out.status("audit") == 403


CHANGES: dict[str, dict[str, object]] = {
    "sign-out": {},
    "api/conversations/conv_mia/opened": {},
    "api/conversations/conv_mia/read": {"sequence": 1},
    "api/conversations/conv_mia/agents": {"do": "take"},
    "api/conversations/conv_mia/messages": {"text": "hi", "key": "0123456789abcdef"},
    "attachments/att_photo/retry": {},
}


@pytest.mark.parametrize("path", CHANGES)
async def test_changes_need_the_csrf_token_of_the_session(
    signed_out: RunningWorkspace, path: str
) -> None:
    await signed_out.sign_in("bob", PASSWORD)
    own = signed_out.csrf
    for token in ("", "wrong", own[:-1], own + "x"):
        signed_out.csrf = token
        status, answer = await signed_out.try_post(path, CHANGES[path])
        assert (status, answer["error"]) == (403, "This page is out of date. Please reload it.")
    headers = {"X-CSRF-Token": own, "Sec-Fetch-Site": "cross-site"}
    async with signed_out.session.post(signed_out.url(path), json={}, headers=headers) as response:
        assert response.status == 403
    assert await signed_out.status("api/me") == 200


#: Routes that need no session: the form, and the gateway's deliveries, which are signed.
OPEN = {("POST", "/events"), ("POST", "/sign-in"), ("GET", "/sign-in"), ("GET", "")}


async def test_every_route_needs_a_session_and_every_mutation_a_csrf_token(
    signed_out: RunningWorkspace,
) -> None:
    """Covers every route, including routes that are added later."""
    await signed_out.sign_in("anna", PASSWORD)
    stranger = signed_out.new_browser()
    looked_at = 0
    async with stranger.session:
        for route in application.ROUTES:
            if (route.method, route.path) in OPEN:
                continue
            path = re.sub(r"{\w+}", "conv_mia", route.path).removeprefix("/")
            looked_at += 1
            async with stranger.session.request(
                route.method, stranger.url(path), allow_redirects=False
            ) as response:
                assert response.status in {401, 303}, f"{route.method} {path}"
            if route.method == "GET":
                continue
            async with signed_out.session.post(signed_out.url(path), json={}) as response:
                assert response.status == 403, path
    assert looked_at > 20


async def test_csrf_token_of_another_session_is_refused(signed_out: RunningWorkspace) -> None:
    await signed_out.sign_in("bob", PASSWORD)
    other = signed_out.new_browser()
    async with other.session:
        await other.sign_in("anna", PASSWORD)
        other.csrf = signed_out.csrf
        assert (await other.try_post("sign-out"))[0] == 403


async def test_form_of_another_site_cannot_sign_in(signed_out: RunningWorkspace) -> None:
    content = {"name": "bob", "password": PASSWORD, "csrf": "guessed"}
    url = signed_out.url("sign-in")
    for cookies in ({}, {"Cookie": "airlock_form=of-the-victim"}):
        async with signed_out.session.post(url, data=content, headers=cookies) as response:
            assert response.status == 403
    assert await signed_out.status("api/me") == 401


async def test_login_throttle_refuses_even_the_right_password(
    signed_out: RunningWorkspace,
) -> None:
    for _ in range(5):
        assert (await signed_out.sign_in("bob", "wrong password")).status == 401
    refused = await signed_out.sign_in("bob", PASSWORD)
    assert refused.status == 429
    assert 0 < int(refused.headers["Retry-After"]) <= WINDOW_SECONDS
    assert (await signed_out.sign_in("anna", PASSWORD)).status == 303


def test_failures_expire_and_success_clears_them() -> None:
    clock = [0.0]
    throttle = LoginThrottle(lambda: clock[0])
    for _ in range(5):
        throttle.record_failure("bob", "192.0.2.1")
    assert throttle.seconds_to_wait("bob", "192.0.2.1") == WINDOW_SECONDS
    assert throttle.seconds_to_wait("bob", "192.0.2.2") == 0
    clock[0] = WINDOW_SECONDS + 1
    assert throttle.seconds_to_wait("bob", "192.0.2.1") == 0
    for _ in range(4):
        throttle.record_failure("bob", "192.0.2.1")
    throttle.record_success("bob", "192.0.2.1")
    throttle.record_failure("bob", "192.0.2.1")
    assert throttle.seconds_to_wait("bob", "192.0.2.1") == 0


def test_login_throttle_limits_one_name_and_its_memory() -> None:
    clock = [0.0]
    throttle = LoginThrottle(lambda: clock[0])
    for number in range(50):
        throttle.record_failure("bob", f"192.0.2.{number}")
    assert throttle.seconds_to_wait("bob", "198.51.100.1") > 0
    for number in range(50_000):
        clock[0] += 0.001
        throttle.record_failure(f"name{number}", "")
    assert len(throttle._failures) < 25_000


PAGES = {
    "anna": {"": 200, "audit": 200, "operations": 403, "api/audit": 200, "api/operations": 403},
    "bob": {"": 200, "audit": 403, "operations": 403, "api/audit": 403, "api/operations": 403},
    "oda": {"": 303, "audit": 403, "operations": 200, "api/audit": 403, "api/conversations": 403},
}


@pytest.mark.parametrize("name", PAGES)
async def test_role_opens_only_its_own_pages(signed_out: RunningWorkspace, name: str) -> None:
    await signed_out.sign_in(name, PASSWORD)
    assert {path: await signed_out.status(path) for path in PAGES[name]} == PAGES[name]


async def test_form_without_accounts_shows_how_to_create_one(tmp_path: Path) -> None:
    async with run_workspace(tmp_path, demo=False, account_command="airlock x <y>") as running:
        async with running.session.get(running.url("sign-in")) as response:
            assert "<code>airlock x &lt;y&gt;</code>" in await response.text()


async def test_demo_signs_in_automatically_only_on_local_hosts(tmp_path: Path) -> None:
    async with run_workspace(tmp_path) as running:
        other = running.new_browser()
        async with other.session:
            for host, status in (("evil.example", 303), ("localhost:8080", 200)):
                address = other.url("")
                async with other.session.get(
                    address, headers={"Host": host}, allow_redirects=False
                ) as response:
                    assert response.status == status
                    assert ("airlock_session" in response.cookies) == (status == 200)


async def test_demo_accounts_do_not_exist_outside_the_demo(signed_out: RunningWorkspace) -> None:
    for name in ("agent", "sam"):
        assert (await signed_out.sign_in(name)).status == 401


async def test_invalid_forms_are_refused(signed_out: RunningWorkspace) -> None:
    url = signed_out.url("sign-in")
    for body, status in (
        (b"\xff\xfe=%ff", 403),
        (b"name=" + b"x" * 20_000, 413),
        (b"&".join(b"a=b" for _ in range(30)), 400),
    ):
        async with signed_out.session.post(url, data=body) as response:
            assert response.status == status


async def test_non_utf8_cookies_and_headers_are_refused(
    signed_out: RunningWorkspace,
) -> None:
    form = b"csrf=%ff&name=a&password=b"
    for cookie in (b"airlock_form=\xff\xfe", b"airlock_session=\xed\xa0\x80"):
        for path in (b"sign-in", b"sign-out"):
            reader, writer = await asyncio.open_connection(
                signed_out.server.host, signed_out.server.port
            )
            writer.write(
                b"POST /workspace/%b HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nCookie: %b\r\n"
                b"X-CSRF-Token: \xff\r\nX-Forwarded-For: \xff\r\nContent-Length: %d\r\n\r\n%b"
                % (path, cookie, len(form), form)
            )
            answer = await reader.read()
            writer.close()
            assert answer.split()[1] in {b"401", b"403"}, (cookie, path, answer[:40])


async def test_client_address_is_trusted_only_from_our_proxies(
    tmp_path: Path,
) -> None:
    async def guess(running: RunningWorkspace, addresses: list[str]) -> list[int]:
        statuses = []
        for address in addresses:
            headers = {"X-Forwarded-For": address}
            async with aiohttp.ClientSession(
                cookie_jar=aiohttp.CookieJar(unsafe=True), headers=headers
            ) as session:
                running.session = session
                statuses.append((await running.sign_in("ann", "wrong password")).status)
        return statuses

    several = [f"198.51.100.{number}" for number in range(8)]
    forged = [f"{address}, 203.0.113.9" for address in several]
    async with run_workspace(tmp_path / "a", demo=False) as running:
        assert (await guess(running, several))[-1] == 429, "without proxies the header is ignored"
    async with run_workspace(tmp_path / "b", demo=False, trusted_proxies=1) as running:
        assert set(await guess(running, several)) == {401}
        assert (await guess(running, forged))[-1] == 429, "only what our proxy added counts"
    async with run_workspace(tmp_path / "c", demo=False, trusted_proxies=2) as running:
        assert set(await guess(running, forged)) == {401}


async def test_a_forwarded_text_is_neither_an_address_nor_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with run_workspace(tmp_path, demo=False, trusted_proxies=1) as running:
        headers = {"X-Forwarded-For": "CANARY"}
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar, headers=headers) as session:
            running.session = session
            await running.sign_in("ann", "CANARY")

    assert "sign_in_failed: 127.0.0.1" in caplog.text
    assert "CANARY" not in caplog.text
