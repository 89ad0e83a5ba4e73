"""`gateway.journal`: sqlite, or a PostgreSQL database whose password is shown nowhere."""

from pathlib import Path

import pytest

from gateway.settings import DatabaseUrl, advice
from tests.gateway.settings_files import SettingsFile

CORE = (
    "core: {url: 'https://core.example.com/a', secrets: [whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw]}\n"
)


@pytest.fixture
def file(tmp_path: Path) -> SettingsFile:
    return SettingsFile(tmp_path)


def test_the_journal_is_in_sqlite_by_default(file: SettingsFile) -> None:
    assert file.load("").gateway.journal_url == "sqlite"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ann:hunter2@db/airlock",
        "postgres://db.example.com:5433/airlock",
        "postgresql://ann:a%40b%25@one,two:5433/airlock?sslmode=verify-full",
        "postgresql:///airlock?host=/run/postgresql",
        "postgresql://ann@[::1]:5432/airlock",
    ],
)
def test_a_url_as_libpq_reads_it_is_accepted(file: SettingsFile, url: str) -> None:
    settings = file.load(f"gateway: {{journal: '{url}'}}\n{CORE}")
    assert settings.gateway.journal_url == url


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("mysql://ann:hunter2@db/airlock", "must be sqlite, or postgresql://"),
        ("SQLite", "must be sqlite"),
        ("postgresql://ann:hunter2@db", "must name a database"),
        ("postgresql://ann:hunter2@db/", "must name a database"),
        ("postgresql://ann:hun@ter2@db/airlock", "write @ and % of a password as %40"),
        ("postgresql://ann:hun%ter2@db/airlock", "write @ and % of a password as %40"),
        ("postgresql://ann:hun#ter2@db/airlock", "without spaces, #"),
        ("postgresql://ann:hun ter2@db/airlock", "without spaces, #"),
    ],
)
def test_a_url_that_libpq_would_misread_is_refused(
    file: SettingsFile, url: str, cause: str
) -> None:
    (mistake,) = file.mistakes(f"gateway: {{journal: '{url}'}}\n{CORE}")
    assert cause in mistake.message
    assert "ter2" not in str(mistake)


def test_a_password_from_the_environment_is_shown_nowhere(file: SettingsFile) -> None:
    settings = file.load(
        f"gateway: {{journal: 'postgresql://ann:${{WORD}}@db/airlock?password=other-word'}}\n{CORE}",
        {"WORD": "hunter%402"},
    )
    assert settings.gateway.journal_url.startswith("postgresql://ann:hunter%402@db")
    assert {"hunter%402", "hunter@2", "other-word"} <= settings.secrets()
    shown = f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    assert not any(word in shown for word in ("hunter", "other-word"))
    assert "postgresql://db/airlock" in shown


def test_a_database_requires_a_core(file: SettingsFile) -> None:
    (mistake,) = file.mistakes("gateway: {journal: 'postgresql://db/airlock'}\n")
    assert mistake.key == "core"
    assert "url is required with gateway.journal" in mistake.message


def test_the_check_says_what_stays_on_this_machine(file: SettingsFile) -> None:
    settings = file.load(f"gateway: {{journal: 'postgresql://db/airlock'}}\n{CORE}")
    assert isinstance(settings.gateway.journal, DatabaseUrl)
    assert any("files are in gateway.data" in sentence for sentence in advice(settings))
    bucket = "gateway: {journal: 'postgresql://db/airlock', media: 's3://files/airlock'}"
    settings = file.load(f"{bucket}\n{CORE}")
    assert not any("files are in gateway.data" in sentence for sentence in advice(settings))


@pytest.mark.parametrize("name", ["", "-a", "a b", "a/b", "ä", "a" * 64])
def test_a_node_name_with_other_characters_is_refused(file: SettingsFile, name: str) -> None:
    (mistake,) = file.mistakes(f"gateway: {{node: '{name}'}}\n")
    assert mistake.key == "gateway.node"
