"""The listings of docs/connectors.md and docs/connectors/ form a connector that works."""

import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from connectors import API, Connector, Request
from gateway.settings import load

from .installed import Installed
from .pages import GUIDE, files, listings, rows, section, text_of

START, PACKAGE, RECEIVING, _, TESTING, _ = GUIDE
LISTINGS = [one for page in GUIDE for one in listings(page)]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installed:
    return Installed(tmp_path, files(*GUIDE), monkeypatch)


def test_every_python_listing_belongs_to_the_package() -> None:
    assert all(one.word == "file" for one in LISTINGS if one.language == "python")


def test_the_package_of_the_guide_passes_the_conformance_kit(package: Installed) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    ran = subprocess.run(command, cwd=package.folder, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-3000:]
    assert " passed" in ran.stdout


def test_the_entry_points_name_connector_and_emulator(package: Installed) -> None:
    entries = {(entry.group, entry.name) for entry in package.entries()}
    assert entries == {("airlock.connectors", "acme"), ("airlock.emulators", "acme")}
    connector = _acme(package)
    assert connector.name == "acme"
    assert connector.api == API


def test_the_connector_sends_and_refuses_as_the_guide_says(package: Installed) -> None:
    from connectors import Rejected, Reply, Text

    acme = _acme(package)
    flow: Any = acme.send_text(
        Text("msg_1", "shop-1", "c-77", "Hello", "https://x.example/?m=msg_1")
    )
    call = next(flow)
    assert (call.method, call.url) == ("POST", "https://api.acme.example/v1/messages")
    assert call.json == {"to": "c-77", "text": "Hello", "key": "msg_1"}
    with pytest.raises(StopIteration) as end:
        flow.send(Reply(200, {}, {"id": "m-9"}))
    assert end.value.value.id == "m-9"
    seen: Any = acme.mark_read("shop-1", "c-77", "m-1")
    assert next(seen).url == "https://api.acme.example/v1/messages/m-1/seen"
    over = acme.refusal(Reply(400, {}, {"code": "window_over"}, purpose="send"))
    assert isinstance(over, Rejected)
    assert over.reason == "window_closed"
    assert acme.refusal(Reply(200, {}, {"code": "too_many"}, purpose="send")).retry


def test_the_first_commands_of_the_guide_work(tmp_path: Path) -> None:
    """tests/plugins installs and runs the generated package with the same commands."""
    (shown,) = (one.code for one in listings(START) if one.language == "sh")
    first, second, *others = shown.splitlines()
    assert others == ["pip install -e . pytest", "pytest"]
    command = [str(Path(sys.executable).with_name("airlock")), *first.split()[1:]]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert (tmp_path / second.removeprefix("cd ") / "pyproject.toml").is_file()
    for line in ("pip install -e . pytest", "  pytest"):
        assert line in ran.stdout
    assert "# Change" in next((tmp_path / "airlock-acme-chat").glob("*/__init__.py")).read_text()


def test_the_tables_of_the_kit_match_its_code() -> None:
    from connectors.conformance import GRADES, Conformance

    listed = set(rows(text_of(TESTING)))
    names = ("forgeries", "variants", "grade", "readme", "token_in_address", "live")
    for name in (*names, "unread", "unrecorded", "exempt"):
        assert name in listed
        assert hasattr(Conformance, name)
    folders = {name for name in listed if name.startswith("payloads/")}
    assert folders == {f"payloads/{name}" for name in ("", "not_ours/", "exchanges/", "refusals/")}
    assert set(rows(section(TESTING, "## Grades"))) - {"grade"} == set(GRADES)


def test_the_guides_connector_gets_the_grade_that_is_shown(package: Installed) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    ran = subprocess.run(command, cwd=package.folder, capture_output=True, text=True, check=False)
    (shown,) = (one for one in LISTINGS if one.code.startswith("acme (Acme Chat)"))
    for line in shown.code.splitlines():
        assert line in ran.stdout, ran.stdout[-2000:]


def test_the_variants_of_the_guide_work(package: Installed) -> None:
    import importlib

    from connectors import Download, MediaRef

    variants = importlib.import_module("acme_variants")
    config = _acme(package).config
    found = variants.AcmeWithAddresses(config).media(
        MediaRef({"url": "https://cdn.acme.example/1"})
    )
    assert isinstance(found, Download)
    assert not found.call.auth
    asked = {"token": "shop-1", "challenge": "echo"}
    with_handshake = variants.AcmeWithHandshake(config)
    assert with_handshake.handshake(_get(asked)).body == b"echo"
    assert with_handshake.handshake(_get({**asked, "token": "x"})).status == 403
    assert with_handshake.acknowledge().body == b"<Response/>"


def test_the_handshake_by_post_of_the_guide_works(package: Installed) -> None:
    import importlib

    asking = importlib.import_module("acme_variants").AcmeThatAsksByPost(_acme(package).config)
    right = b'{"clientToken": "token-7", "secret": "echo"}'
    assert asking.handshake(_post(right)).body == b'{"secret":"echo"}'
    for wrong in (right.replace(b"token-7", b"x"), b"", b"not json", b"[]", b"{}"):
        assert asking.handshake(_post(wrong)) is None


def test_the_tokens_of_the_guide_work(package: Installed) -> None:
    import importlib

    from connectors import Call, Reply, Token, jwt

    tokens = importlib.import_module("acme_tokens")
    now, config = datetime.now(UTC), _acme(package).config
    fetching = tokens.AcmeWithClientCredentials(config)
    flow: Any = fetching.token(now)
    assert next(flow).form == {"grant_type": "client_credentials", "client_secret": "token-7"}
    with pytest.raises(StopIteration) as end:
        flow.send(Reply(200, {}, {"access_token": "t-1", "expires_in": 60}))
    assert fetching.authorize(now, end.value.value, Call("GET", "https://x.example")) == {
        "authorization": "Bearer t-1"
    }
    by_sms = tokens.AcmeWithChannels(config).limits("sms:+1")
    assert (by_sms.max_text, by_sms.texts_per_second) == (1000, 1.0)
    signing = tokens.AcmeWithSignedTokens(config)
    made: Token = signing.token(now)
    url = "https://files.acme.example/v1/1"
    bearer = signing.authorize(now, made, Call("GET", url))["authorization"].partition(" ")[2]
    audience = "https://files.acme.example"
    assert jwt.check(
        bearer, ["token-7"], algorithm="HS256", audience=audience, issuer="shop-1", now=now
    )


def test_the_table_of_attributes_matches_the_contract() -> None:
    listed = rows(section(PACKAGE, "## Declarations"))
    declared = set(Connector.__annotations__) - {"config"}
    assert set(listed) - {"attribute"} == declared


def test_the_table_of_events_has_every_event_and_its_fields() -> None:
    from dataclasses import fields
    from typing import get_args

    from connectors import AnyEvent

    table = rows(section(RECEIVING, "## Parse deliveries: `parse`"))
    shared = {"id", "account", "party", "sent_at", "route", "type"}
    for event in get_args(AnyEvent):
        (cells,) = (
            cells for names, cells in table.items() if f"`{event.__name__}`" in f"`{names}`"
        )
        for field in fields(event):
            if field.name not in shared:
                assert f"`{field.name}`" in cells[1], f"{event.__name__}.{field.name}"


def _acme(package: Installed) -> Any:
    settings = package.folder / "connectors.yaml"
    (yaml,) = (one.code for one in LISTINGS if one.language == "yaml")
    settings.write_text(yaml)
    environ = {"ACME_SECRET": "secret-one", "ACME_TOKEN": "token-7"}
    return load(settings, environ, connectors_of(package)).connectors["shop-chat"]


def connectors_of(package: Installed) -> list[EntryPoint]:
    return [entry for entry in package.entries() if entry.group == "airlock.connectors"]


def _post(body: bytes) -> Request:
    return Request("POST", "https://chat.example.com/", {}, body, datetime.now(UTC), {})


def _get(query: dict[str, str]) -> Request:
    return Request("GET", "https://chat.example.com/", {}, b"", datetime.now(UTC), query)
