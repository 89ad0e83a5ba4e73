"""Who gets in, who stays in, and what nobody can make a browser do."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.workspace import samples
from tests.workspace.house import House
from tests.workspace.house import house as open_house
from workspace import application
from workspace.auth import accounts
from workspace.auth.login_throttle import WINDOW_SECONDS, LoginThrottle

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def staff(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Anna the supervisor, Bob the agent, Oda the operator. Made once: hashing is slow on purpose."""
    database = tmp_path_factory.mktemp("staff") / "workspace.sqlite3"
    for name, role in (("anna", "supervisor"), ("bob", "agent"), ("oda", "operator")):
        accounts.add(database, name, PASSWORD, [role])
    return Path(database)


@pytest.fixture
async def shop(tmp_path: Path, staff: Path) -> AsyncIterator[House]:
    """Nobody is signed in."""
    shutil.copy(staff, tmp_path / "workspace.sqlite3")
    async with open_house(tmp_path, demo=False) as house:
        await house.deliver(samples.received("evt_1", samples.message()))
        yield house


def cookie(house: House) -> str:
    return next((c.value for c in house.session.cookie_jar if c.key == "airlock_session"), "")


async def test_strangers_see_nothing_but_the_form(shop: House) -> None:
    for path in ("api/me", "api/conversations", "api/audit", "updates", "attachments/a/preview"):
        assert await shop.status(path) == 401
    for path in ("", "audit", "operations", "?conversation=conv_mia"):
        assert await shop.status(path) == 303
    assert await shop.status("sign-in") == 200


async def test_the_right_password_opens_and_leads_where_one_wanted_to(shop: House) -> None:
    response = await shop.sign_in("bob", PASSWORD, next="?conversation=conv_mia")
    assert response.status == 303
    assert response.headers["Location"] == "/workspace/?conversation=conv_mia"
    assert (await shop.get("api/me"))["agent"] == "bob"


@pytest.mark.parametrize("onward", ["//evil.example", "https://evil.example", "\\\\evil", "x"])
async def test_nobody_is_led_elsewhere(shop: House, onward: str) -> None:
    response = await shop.sign_in("bob", PASSWORD, next=onward)
    assert response.headers["Location"] == "/workspace/"


async def test_wrong_name_and_wrong_password_look_the_same(shop: House) -> None:
    answers = []
    for name, password in (("bob", "wrong password"), ("nobody", PASSWORD), ("bob", "")):
        response = await shop.sign_in(name, password)
        answers.append(response.status)
    assert answers == [401, 401, 401]
    assert await shop.status("api/me") == 401


async def test_the_cookie_is_for_this_place_and_for_no_script(shop: House) -> None:
    response = await shop.sign_in("bob", PASSWORD)
    (set_cookie,) = [
        value
        for value in response.headers.getall("Set-Cookie")
        if value.startswith("airlock_session=")
    ]
    for part in ("HttpOnly", "SameSite=Lax", "Path=/workspace/"):
        assert part in set_cookie


async def test_cookies_travel_over_tls_only_where_there_is_tls(tmp_path: Path) -> None:
    async with open_house(tmp_path, demo=False, media_origin="https://chat.example.com") as house:
        async with house.session.get(house.url("sign-in")) as response:
            assert "Secure" in response.headers["Set-Cookie"]


async def test_signing_in_makes_a_new_session_and_ends_the_old_one(shop: House) -> None:
    await shop.sign_in("bob", PASSWORD)
    first = cookie(shop)
    shop.session.cookie_jar.clear(lambda morsel: morsel.key == "airlock_session")
    await shop.sign_in("bob", PASSWORD)
    second = cookie(shop)
    assert second not in {first, ""}
    await shop.post("sign-out")
    token = cookie_header = "chosen-by-somebody-else"
    async with shop.session.get(shop.url("sign-in")) as response:
        token = (await response.text()).partition('name="csrf" value="')[2].partition('"')[0]
    fixed = {"Cookie": f"airlock_session={cookie_header}; airlock_form={token}"}
    form = {"name": "bob", "password": PASSWORD, "csrf": token}
    async with shop.session.post(
        shop.url("sign-in"), data=form, headers=fixed, allow_redirects=False
    ) as response:
        assert response.status == 303
        assert response.cookies["airlock_session"].value not in {first, second, cookie_header}


async def test_who_signs_in_over_a_session_ends_it(shop: House) -> None:
    await shop.sign_in("bob", PASSWORD)
    first = cookie(shop)
    url = shop.url("sign-in")
    token = {"Cookie": f"airlock_session={first}; airlock_form=known"}
    form = {"name": "anna", "password": PASSWORD, "csrf": "known"}
    async with shop.session.post(url, data=form, headers=token, allow_redirects=False) as response:
        assert response.status == 303
    assert await reuse(shop, first) == 401


async def reuse(house: House, session: str) -> int:
    """What somebody gets who kept the cookie of a session."""
    other = house.browser()
    headers = {"Cookie": f"airlock_session={session}"}
    async with other.session, other.session.get(house.url("api/me"), headers=headers) as response:
        return response.status


async def test_signing_out_ends_the_session_itself(shop: House) -> None:
    await shop.sign_in("bob", PASSWORD)
    kept = cookie(shop)
    assert await reuse(shop, kept) == 200
    await shop.post("sign-out")
    assert await reuse(shop, kept) == 401


async def test_a_new_password_or_a_removed_account_signs_out_at_once(shop: House) -> None:
    await shop.sign_in("bob", PASSWORD)
    accounts.set_password(shop.database, "bob", "another password")
    assert await shop.status("api/me") == 401
    await shop.sign_in("bob", "another password")
    accounts.remove(shop.database, "bob")
    assert await shop.status("api/me") == 401


async def test_a_taken_away_role_counts_at_once(shop: House) -> None:
    await shop.sign_in("anna", PASSWORD)
    assert await shop.status("audit") == 200
    accounts.set_roles(shop.database, "anna", ["agent"])
    assert await shop.status("audit") == 403


CHANGES: dict[str, dict[str, object]] = {
    "sign-out": {},
    "api/conversations/conv_mia/opened": {},
    "api/conversations/conv_mia/read": {"sequence": 1},
    "api/conversations/conv_mia/agents": {"do": "take"},
    "api/conversations/conv_mia/messages": {"text": "hi", "key": "0123456789abcdef"},
    "attachments/att_photo/retry": {},
}


@pytest.mark.parametrize("path", CHANGES)
async def test_nothing_changes_without_the_sessions_own_token(shop: House, path: str) -> None:
    await shop.sign_in("bob", PASSWORD)
    own = shop.csrf
    for token in ("", "wrong", own[:-1], own + "x"):
        shop.csrf = token
        status, answer = await shop.try_post(path, CHANGES[path])
        assert (status, answer["error"]) == (403, "This page is out of date. Please reload it.")
    headers = {"X-CSRF-Token": own, "Sec-Fetch-Site": "cross-site"}
    async with shop.session.post(shop.url(path), json={}, headers=headers) as response:
        assert response.status == 403
    assert await shop.status("api/me") == 200


#: What is open to somebody without a session: the form, and the gateway's deliveries, which are signed.
OPEN = {("POST", "/events"), ("POST", "/sign-in"), ("GET", "/sign-in"), ("GET", "")}


async def test_whatever_there_is_wants_a_session_and_whatever_changes_something_its_token(
    shop: House,
) -> None:
    """Every route, also those that are added later."""
    await shop.sign_in("anna", PASSWORD)
    stranger = shop.browser()
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
            async with shop.session.post(shop.url(path), json={}) as response:
                assert response.status == 403, path
    assert looked_at > 20


async def test_another_browsers_token_does_not_help(shop: House) -> None:
    await shop.sign_in("bob", PASSWORD)
    other = shop.browser()
    async with other.session:
        await other.sign_in("anna", PASSWORD)
        other.csrf = shop.csrf
        assert (await other.try_post("sign-out"))[0] == 403


async def test_nobody_can_be_signed_in_by_another_sites_form(shop: House) -> None:
    content = {"name": "bob", "password": PASSWORD, "csrf": "guessed"}
    url = shop.url("sign-in")
    for cookies in ({}, {"Cookie": "airlock_form=of-the-victim"}):
        async with shop.session.post(url, data=content, headers=cookies) as response:
            assert response.status == 403
    assert await shop.status("api/me") == 401


async def test_guessing_is_stopped_even_when_the_last_guess_is_right(shop: House) -> None:
    for _ in range(5):
        assert (await shop.sign_in("bob", "wrong password")).status == 401
    refused = await shop.sign_in("bob", PASSWORD)
    assert refused.status == 429
    assert 0 < int(refused.headers["Retry-After"]) <= WINDOW_SECONDS
    assert (await shop.sign_in("anna", PASSWORD)).status == 303


def test_failures_are_forgotten_in_time_and_by_success() -> None:
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


def test_many_addresses_cannot_guess_one_name_for_ever_nor_fill_the_memory() -> None:
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
async def test_a_role_opens_its_own_pages_only(shop: House, name: str) -> None:
    await shop.sign_in(name, PASSWORD)
    assert {path: await shop.status(path) for path in PAGES[name]} == PAGES[name]


async def test_without_accounts_the_form_says_how_to_make_one(tmp_path: Path) -> None:
    async with open_house(tmp_path, demo=False, account_command="airlock x <y>") as house:
        async with house.session.get(house.url("sign-in")) as response:
            assert "<code>airlock x &lt;y&gt;</code>" in await response.text()


async def test_the_demo_opens_by_itself_only_under_names_of_this_machine(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        other = house.browser()
        async with other.session:
            for host, status in (("evil.example", 303), ("localhost:8080", 200)):
                address = other.url("")
                async with other.session.get(
                    address, headers={"Host": host}, allow_redirects=False
                ) as response:
                    assert response.status == status
                    assert ("airlock_session" in response.cookies) == (status == 200)


async def test_without_the_demo_its_people_have_no_way_in(shop: House) -> None:
    for name in ("agent", "sam"):
        assert (await shop.sign_in(name)).status == 401


async def test_hostile_forms_are_refused_quietly(shop: House) -> None:
    url = shop.url("sign-in")
    for body, status in (
        (b"\xff\xfe=%ff", 403),
        (b"name=" + b"x" * 20_000, 413),
        (b"&".join(b"a=b" for _ in range(30)), 400),
    ):
        async with shop.session.post(url, data=body) as response:
            assert response.status == status


async def test_bytes_that_are_no_text_in_cookies_and_headers_are_refused_quietly(
    shop: House,
) -> None:
    form = b"csrf=%ff&name=a&password=b"
    for cookie in (b"airlock_form=\xff\xfe", b"airlock_session=\xed\xa0\x80"):
        for path in (b"sign-in", b"sign-out"):
            reader, writer = await asyncio.open_connection(shop.server.host, shop.server.port)
            writer.write(
                b"POST /workspace/%b HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nCookie: %b\r\n"
                b"X-CSRF-Token: \xff\r\nX-Forwarded-For: \xff\r\nContent-Length: %d\r\n\r\n%b"
                % (path, cookie, len(form), form)
            )
            answer = await reader.read()
            writer.close()
            assert answer.split()[1] in {b"401", b"403"}, (cookie, path, answer[:40])


async def test_the_address_of_who_signs_in_is_believed_of_our_own_proxies_alone(
    tmp_path: Path,
) -> None:
    async def guesses(house: House, addresses: list[str]) -> list[int]:
        statuses = []
        for address in addresses:
            headers = {"X-Forwarded-For": address}
            async with aiohttp.ClientSession(
                cookie_jar=aiohttp.CookieJar(unsafe=True), headers=headers
            ) as session:
                house.session = session
                statuses.append((await house.sign_in("ann", "wrong password")).status)
        return statuses

    several = [f"198.51.100.{number}" for number in range(8)]
    forged = [f"{address}, 203.0.113.9" for address in several]
    async with open_house(tmp_path / "a", demo=False) as house:
        assert (await guesses(house, several))[-1] == 429, "without proxies the header is nobody's"
    async with open_house(tmp_path / "b", demo=False, trusted_proxies=1) as house:
        assert set(await guesses(house, several)) == {401}
        assert (await guesses(house, forged))[-1] == 429, "only what our proxy added counts"
    async with open_house(tmp_path / "c", demo=False, trusted_proxies=2) as house:
        assert set(await guesses(house, forged)) == {401}
