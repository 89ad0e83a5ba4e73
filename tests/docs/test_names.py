"""Names on the pages exist in the code: commands, HTTP paths, metrics, log events, files."""

import re
import tomllib
from pathlib import Path

from prometheus_client import REGISTRY

import gateway.service  # noqa: F401 - registers the metrics
from gateway.cli.main import _parser
from gateway.http.operations import OPERATIONS
from webchat.http.openapi import OPERATIONS as WEBCHAT

from .pages import PAGES, ROOT, prose, rows, section, text_of

README = ROOT / "README.md"
OPERATING = ROOT / "docs" / "operations.md"
SOURCE = "\n".join(
    path.read_text("utf-8")
    for folder in ("gateway", "normalizer", "workspace", "connectors")
    for path in (ROOT / folder).rglob("*.py")
)


def _commands() -> set[str]:
    (commands,) = (action for action in _parser()._actions if action.dest == "command")
    assert commands.choices is not None
    return set(commands.choices)


def test_the_readme_lists_exactly_the_commands() -> None:
    listed = set(rows(section(README, "## Commands"))) - {"command", "airlock --version"}
    assert listed == {f"airlock {name}" for name in _commands()}


def test_every_command_on_a_page_exists() -> None:
    named = {
        (page.name, word)
        for page in PAGES
        for word in re.findall(r"airlock ([a-z]+)", "\n".join(re.findall(r"`[^`]+`", prose(page))))
    }
    assert {found for found in named if found[1] not in _commands()} == set()


def test_the_readme_begins_with_make_demo_and_make_test() -> None:
    first_screen = "\n".join(text_of(README).splitlines()[:20])
    assert "make demo" in first_screen
    assert "make test" in first_screen


def test_every_make_target_on_a_page_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    named = {
        word
        for page in PAGES
        for word in re.findall(r"^make ([a-z-]+)", text_of(page), re.MULTILINE)
    }
    named |= {word for page in PAGES for word in re.findall(r"`make ([a-z-]+)`", text_of(page))}
    assert named <= targets


def test_every_http_path_on_a_page_exists() -> None:
    paths = [one.path for one in OPERATIONS] + [one.path for one in WEBCHAT]
    known = [re.sub(r"\{[^}]+\}", "[^/`]+", path) for path in paths]
    for page in PAGES:
        for path in re.findall(
            r"`(?:[A-Z]+ )?(/(?:v1|webhooks|media|healthz|readyz|metrics)[^`?]*)`", prose(page)
        ):
            whole = path.endswith(("/", "/…")) or path == "/v1"
            fits = any(re.fullmatch(pattern, path) for pattern in known)
            assert whole or fits, f"{page.name} names {path}"


def test_every_metric_is_explained() -> None:
    ours = {
        f"{found.name}_total" if found.type == "counter" else found.name
        for found in REGISTRY.collect()
    }
    ours = {name for name in ours if name.startswith("airlock_")}
    listed = set(rows(section(OPERATING, "## Metrics")))
    assert ours == {name for name in listed if name.startswith("airlock_")}


def test_every_explained_log_event_exists() -> None:
    cells = set(rows(section(OPERATING, "## Logs"))) - {"event"}
    lines = {line for cell in cells for line in re.findall(r"\w+", cell)}
    assert {line for line in lines if f'"{line}"' not in SOURCE} == set()


#: How pages speak of events in the log.
_LOG_EVENTS = (
    r"`([a-z_ ]+)`(?:, `[a-z_ ]+`)* in the log\b",
    r"\blogs? (?:event )?`([a-z_ ]+)`",
    r"\bthe log has (?:the line )?`([a-z_ ]+)`",
)


def test_every_log_event_named_on_a_page_exists() -> None:
    named = {
        (page.name, name)
        for page in PAGES
        if page.name != "CHANGELOG.md"  # it also names those that are gone
        for pattern in _LOG_EVENTS
        for name in re.findall(pattern, prose(page))
    }
    assert len(named) > 10
    assert {found for found in named if not re.search(rf'"{found[1]}[":]', SOURCE)} == set()


def test_the_named_limits_match_the_code() -> None:
    from connectors import Connector
    from gateway.fetching import Deadlines
    from gateway.inbound.capacity import BACKLOG_LIMIT, DISK_RESERVE

    table = rows(section(OPERATING, "## Timeouts and limits"))
    patience = Deadlines()
    assert table["webhook delivery"][0].startswith(f"{Connector.max_body // 1024**2} MiB")
    assert table["connecting to a platform"][0].startswith(f"{patience.connect:g} s")
    assert table["first byte of a platform's response"] == (f"{patience.first_byte:g} s",)
    assert table["pause during a download"] == (f"{patience.idle:g} s",)
    assert table["complete download"][0].startswith(f"{patience.download:g} s")
    refusals = section(OPERATING, "## What 503 means")
    assert f"{DISK_RESERVE // 1024**2} MiB" in refusals
    assert BACKLOG_LIMIT == 1_000_000
    assert "a million" in refusals


def test_the_named_retry_pauses_match_the_code() -> None:
    from gateway.media.retry_policy import _FEW

    cells = section(OPERATING, "## Failures and retries")
    for reason, pauses in _FEW.items():
        if pauses:
            *first, last = (f"{pause:g}" for pause in pauses)
            seconds = f"{', '.join(first)} and {last} seconds" if first else f"{last} second"
            assert re.search(rf"\| `{reason}` \| [^|]*after {re.escape(seconds)}\b", cells), reason


def test_the_named_media_patience_matches_the_connectors() -> None:
    from gateway.settings.plugins import classes

    page = section(OPERATING, "## Failures and retries")
    names = {900.0: "15 minutes", 3600.0: "an hour", 86_400.0: "a day"}
    for connector in classes():
        if connector.__module__.startswith("connectors."):
            assert names[connector.media_patience] in page


def test_every_listed_file_of_the_data_folder_exists_in_code(tmp_path: Path) -> None:
    listed = " ".join(rows(section(OPERATING, "## The data folder")))
    for name in ("journal.db", "media/", "scratch/", "quarantine/", "airlock.lock", "workspace.db"):
        assert name in listed
        assert f'"{name.strip("/")}"' in SOURCE


def test_the_changelog_has_a_section_for_this_version() -> None:
    version = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]["version"]
    assert re.search(rf"^## \[{re.escape(version)}\]", text_of(ROOT / "CHANGELOG.md"), re.MULTILINE)


def test_every_named_benchmark_exists() -> None:
    for name in re.findall(r"-m (bench\.\w+)", text_of(ROOT / "docs" / "benchmarks.md")):
        assert (ROOT / f"{name.replace('.', '/')}.py").is_file()
