"""Log output: its format, and masking of secrets."""

import io
import json
import logging
import re
import sqlite3
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from pydantic import SecretStr

from gateway.observability.logs import configure
from gateway.observability.redaction import Mask
from tests.gateway.logged import logging_as_before

log = structlog.get_logger(__name__)


class Terminal(io.StringIO):
    """A stream that reports being a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    with logging_as_before():
        yield


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


# format -----------------------------------------------------------------------------------------


def test_log_lines_are_json_objects() -> None:
    out = io.StringIO()
    configure(stream=out)

    log.info("downloaded", connector="sms", bytes=12, note="two\nlines")
    log.debug("too_quiet")

    (line,) = lines(out)
    assert list(line)[:3] == ["time", "level", "event"]
    assert line["time"].endswith("Z")
    del line["time"]
    assert line == {
        "level": "info",
        "event": "downloaded",
        "connector": "sms",
        "bytes": 12,
        "note": "two\nlines",
    }


def test_a_terminal_gets_readable_lines() -> None:
    out = Terminal()
    configure(stream=out)

    log.warning("core_down", refusals=3)

    assert "core_down" in out.getvalue()
    assert "refusals" in out.getvalue()
    assert "{" not in out.getvalue()


def test_no_color_disables_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    out = Terminal()
    configure(stream=out)

    log.warning("core_down", refusals=3)

    assert "\x1b" not in out.getvalue()


def test_outside_text_cannot_control_the_terminal_or_forge_lines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    out = Terminal()
    configure(stream=out)

    log.info("delivery", agent="\x1b[2J\x9b1A\r\n2026-01-01 forged", nested={"a": "\x1b[2J"})

    assert "\x1b" not in out.getvalue()
    assert "\x9b" not in out.getvalue()
    assert len(out.getvalue().splitlines()) == 1


def test_lower_levels_are_not_logged() -> None:
    out = io.StringIO()
    configure(stream=out, level=logging.ERROR)

    log.warning("quiet")
    log.error("loud")

    assert [line["event"] for line in lines(out)] == ["loud"]


def test_context_variables_appear_in_every_line() -> None:
    out = io.StringIO()
    configure(stream=out)

    with structlog.contextvars.bound_contextvars(connector="sms"):
        log.info("delivery")

    assert lines(out)[0]["connector"] == "sms"


def test_an_error_is_logged_with_its_place_and_without_its_words() -> None:
    out = io.StringIO()
    configure(stream=out)

    try:
        try:
            int("my address is Main Street 1")
        except ValueError as exc:
            raise KeyError("Ann Berger") from exc
    except KeyError:
        log.exception("failed")

    (line,) = lines(out)
    first, then = line["exception"].split("which led to")
    assert first.startswith("Traceback")
    assert "test_logging.py" in first
    assert first.rstrip().endswith("\nValueError")
    assert then.endswith("\nKeyError")
    assert not re.search("Main Street|Ann", out.getvalue())


def test_errors_of_the_system_keep_their_words() -> None:
    out = io.StringIO()
    configure(["hunter2-in-clear"], stream=out)

    log.error("disk", exc_info=OSError(28, "No space left", "/data/hunter2-in-clear"))
    log.error("database", exc_info=sqlite3.OperationalError("database is locked"))

    disk, database = lines(out)
    assert disk["exception"].endswith("OSError: [Errno 28] No space left: '/data/***'")
    assert database["exception"].endswith("sqlite3.OperationalError: database is locked")


def test_an_endless_chain_of_errors_is_cut() -> None:
    out = io.StringIO()
    configure(stream=out)
    first, second = ValueError("CANARY"), ExceptionGroup("CANARY", [KeyError("CANARY")])
    first.__context__, second.__context__ = second, first

    log.error("failed", exc_info=first)

    (line,) = lines(out)
    assert line["exception"].count("ExceptionGroup: KeyError") == 4
    assert "CANARY" not in out.getvalue()


def test_library_records_are_formatted_and_masked() -> None:
    out = io.StringIO()
    configure(["hunter2-in-clear"], stream=out)

    logging.getLogger("httpx").info("GET https://example.com/?a=b")
    logging.getLogger("acme").error("refused %s", "Bearer abcdef hunter2-in-clear")

    (line,) = lines(out)
    del line["time"]
    assert line == {"level": "error", "event": "refused Bearer *** ***", "logger": "acme"}


@pytest.mark.parametrize(
    ("name", "text", "values", "shown"),
    [
        ("aiohttp.server", "Error handling request from %s", ("CANARY",), "from %s"),
        ("aiohttp.client", "Can not load response cookies: %s", ("CANARY",), "cookies: %s"),
        ("aiohttp.server", "should return a response, got <Response 'CANARY'>", (), "got …"),
        ("asyncio", "Exception in callback read(b'CANARY')\nhandle: <CANARY>", (), "read…"),
        ("asyncio", "Task exception was never retrieved\nfuture: <CANARY>", (), "retrieved…"),
        ("urllib3.connectionpool", "Retrying %r: %s", ("CANARY", "CANARY"), "Retrying %r: %s"),
    ],
)
def test_network_libraries_are_logged_without_values(
    name: str, text: str, values: tuple[str, ...], shown: str
) -> None:
    out = io.StringIO()
    configure(stream=out)

    logging.getLogger(name).error(text, *values, exc_info=ValueError("CANARY"))

    (line,) = lines(out)
    assert line["event"].endswith(shown)
    assert line["exception"].endswith("ValueError")
    assert "CANARY" not in out.getvalue()


def test_errors_of_threads_and_finalizers_are_logged_without_words() -> None:
    program = """
import threading
from gateway.observability.logs import configure
configure()
class Stubborn:
    def __del__(self): int("CAN" + "ARY")
Stubborn()
thread = threading.Thread(target=int, args=["CAN" + "ARY"], name="writer")
thread.start()
thread.join()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    ignored, crashed = (json.loads(line) for line in done.stderr.splitlines())
    assert (ignored["event"], crashed["event"]) == ("error_ignored", "thread_crashed")
    assert crashed["thread"] == "writer"
    assert "CANARY" not in done.stderr


def test_python_warnings_are_logged() -> None:
    out = io.StringIO()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        configure(stream=out)
        warnings.warn("token=abcdef", stacklevel=1)
        logging.captureWarnings(capture=False)

    (line,) = lines(out)
    assert line["level"] == "warning"
    assert "abcdef" not in line["event"]


def test_a_crash_is_logged_and_masked() -> None:
    program = """
from gateway.observability.logs import configure
configure(["hunter2-in-clear"])
raise RuntimeError("whsec_abcdef " + "-".join(["hunter2", "in", "clear"]))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    line = json.loads(done.stderr)
    assert done.returncode == 1
    assert line["event"] == "crashed"
    assert line["exception"].endswith("RuntimeError: whsec_*** ***")


# masking ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Bearer abc.def-ghi", "Authorization: ***"),
        ("authorization=Basic QUM6c2VjcmV0", "authorization=***"),
        ("{'Authorization': 'Basic QUM6c2VjcmV0'}", "{'Authorization': '***'}"),
        ('{"authorization":"Digest x", "a":1}', '{"authorization":"***", "a":1}'),
        ("Cookie: session=1; other=2", "Cookie: ***"),
        ("X-Hub-Signature-256: sha256=0a1b", "X-Hub-Signature-256: ***"),
        ("sent Bearer eyJhbGci.x.y, refused", "sent Bearer ***, refused"),
        ("with basic QUM6c2VjcmV0==.", "with basic ***"),
        ("key whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw== is old", "key whsec_*** is old"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln is not a token", "*** is not a token"),
        ("postgresql://ann:pw@db.example.com/airlock", "postgresql://***@db.example.com/airlock"),
        ("GET https://a.example/b?c=d&e=f 200", "GET https://a.example/b?*** 200"),
        ("<https://a.example/b?c=d>", "<https://a.example/b?***>"),
        ("POST /media/att_1/preview?expires=1&sig=2 403", "POST /media/att_1/preview?*** 403"),
        ("body access_token=EAAB123&x=1", "body access_token=***&x=1"),
        ("hub.verify_token=word", "hub.verify_token=***"),
        ("signature=abc&sig=def", "signature=***&sig=***"),
        ("{'access_token': 'abc', 'n': 1}", "{'access_token': '***', 'n': 1}"),
        ('{"app_secret" : "a b c"}', '{"app_secret" : "***"}'),
        ("api_key='abc'", "api_key='***'"),
        ("password = abc", "password = ***"),
    ],
)
def test_text_that_looks_like_a_secret_is_masked(text: str, shown: str) -> None:
    assert Mask().text(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "the signature does not match",
        "X-Hub-Signature-256 is missing",
        "https://api.example.com/v1/messages/msg_1",
        "why? because",
        "3 tokens are configured",
        "/webhooks/support-whatsapp",
        "conv_1 sequence=17 status=sent",
        "core.secrets: is required",
        "what about 5/7? yes",
    ],
)
def test_ordinary_text_is_not_masked(text: str) -> None:
    assert Mask().text(text) == text


def test_secrets_of_the_settings_are_masked_anywhere() -> None:
    mask = Mask(["hunter2", "hunter2-longer", "a"])

    assert mask.text("ahunter2b hunter2-longer a") == "a***b *** a"


def test_values_under_sensitive_keys_are_masked() -> None:
    event = {
        "access_token": "abc",
        "app-secrets": ["abc"],
        "X-Hub-Signature-256": "abc",
        "api_key": b"abc",
        "nested": {"Authorization": {"deeper": "abc"}},
        "tokens": 3,
        "secret": None,
        "key": "msg_1",
        "secretary": "Ann",
    }

    assert Mask()(None, "info", event) == {
        "access_token": "***",
        "app-secrets": "***",
        "X-Hub-Signature-256": "***",
        "api_key": "***",
        "nested": {"Authorization": "***"},
        "tokens": 3,
        "secret": None,
        "key": "msg_1",
        "secretary": "Ann",
    }


def test_nested_values_are_masked() -> None:
    event = {
        "list": ["Bearer abc", ("whsec_abc",), {"Bearer abc"}],
        "bytes": b"Bearer abc",
        "error": ValueError("Bearer abc"),
        "secret_text": SecretStr("abcabc"),
        "other": type("Other", (), {"__repr__": lambda _: "Bearer abc"})(),
        "Bearer abc": 1,
    }

    shown = Mask()(None, "info", event)

    assert "abc" not in json.dumps(shown)


def test_no_value_can_make_logging_fail() -> None:
    out = io.StringIO()
    configure(stream=out)
    endless: list[Any] = []
    endless.append(endless)
    stubborn = type("Stubborn", (), {"__str__": lambda _: 1 // 0})()

    log.info("odd", endless=endless, stubborn=stubborn, half="\ud800", big=10**40, keys={1: {2}})

    (line,) = lines(out)
    assert line["stubborn"] == "<Stubborn that cannot be shown: ZeroDivisionError>"
    assert line["big"] == 10**40


@pytest.mark.parametrize(
    "part",
    ["a", "a.", "://", "http://", "token", "Bearer ", "/", "?", "'", "eyJ", "token=", "\x1b", "a@"],
)
def test_a_long_hostile_text_is_cut_quickly(part: str) -> None:
    begun = time.process_time()
    shown = Mask(["hunter2-in-clear"]).text(part * 1_000_000)

    assert len(shown) <= 16_100
    # A pattern with catastrophic backtracking takes minutes here; a linear one takes hundredths of a second.
    assert time.process_time() - begun < 5
