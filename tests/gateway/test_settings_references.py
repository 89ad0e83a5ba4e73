"""References in connectors.yaml to environment variables and to files, and `--env-file`."""

import os
from pathlib import Path

import pytest

from gateway.cli import main
from gateway.settings import ConfigError, read_environment

from .settings_files import SettingsFile

TOKEN = "a-token-of-ours"


@pytest.fixture
def file(tmp_path: Path) -> SettingsFile:
    return SettingsFile(tmp_path)


def token(file: SettingsFile, reference: str) -> str:
    settings = file.load(f"gateway: {{api_tokens: ['{reference}']}}", {"PART": "of"})
    return settings.gateway.api_tokens[0].get_secret_value()


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_file_gives_its_text_without_the_final_line_break(
    file: SettingsFile, tmp_path: Path, ending: str
) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(f"{TOKEN}{ending}".encode())

    assert token(file, f"${{file:{secret}}}") == TOKEN


def test_one_line_break_is_dropped_and_no_more(file: SettingsFile, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{TOKEN}\n\n")

    (line,) = file.lines("gateway: {api_tokens: ['${file:secret}']}")

    assert "begins or ends with white space" in line


def test_a_relative_path_starts_at_the_settings_folder(
    file: SettingsFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "token").write_text(TOKEN)
    monkeypatch.chdir("/")

    assert token(file, "${file:secrets/token}") == TOKEN


def test_files_and_variables_are_inserted_into_longer_texts(
    file: SettingsFile, tmp_path: Path
) -> None:
    (tmp_path / "first").write_text("a-token\n")
    (tmp_path / "last").write_text("ours")

    assert token(file, "${file:first}-${PART}-${file:last}$${x}") == f"{TOKEN}${{x}}"


def test_references_inside_a_file_are_not_replaced(file: SettingsFile, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("${PART}-${file:x}")

    assert token(file, "${file:secret}") == "${PART}-${file:x}"


def _unreadable(path: Path) -> None:
    # Mode 000 does not stop root, under whom containers run tests; a link to itself stops everybody.
    path.symlink_to(path)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "does not exist; create it, or correct the path"),
        (lambda path: path.mkdir(), "is a folder; give the path of a file"),
        (os.mkfifo, "is not a regular file"),
        (lambda path: path.symlink_to("/dev/zero"), "is not a regular file"),
        (_unreadable, "cannot be read: Too many levels of symbolic links"),
        (lambda path: path.write_bytes(b"in-clear\xff\xfe"), "is not UTF-8 text"),
        (lambda path: path.write_bytes(b"in-clear\0more"), "contains a NUL character"),
        (lambda path: path.write_bytes(b"in-clear" * 9000), "is larger than 64 KiB"),
    ],
)
def test_an_unusable_file_is_a_mistake_with_a_remedy(
    file: SettingsFile, tmp_path: Path, make: object, message: str
) -> None:
    assert callable(make)
    make(tmp_path / "secret")

    (line,) = file.lines("gateway:\n  api_tokens:\n  - ${file:secret}\n")

    assert line.startswith('connectors.yaml:3: gateway.api_tokens[0]: the file "secret" ')
    assert message in line
    assert "in-clear" not in line


def test_a_secret_that_may_not_be_read_is_a_mistake(
    file: SettingsFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("gateway.settings.small_files.os.open", refuse)
    try:
        (line,) = file.lines("gateway: {api_tokens: ['${file:/run/secrets/token}']}")
    finally:
        monkeypatch.undo()

    assert "permission denied; let the user that runs Airlock read it" in line


@pytest.mark.parametrize("path", ["", " /run/x", "/run/x ", "${HOME", "a\\0b"])
def test_a_reference_without_a_plain_path_is_a_mistake(file: SettingsFile, path: str) -> None:
    (line,) = file.lines(f'gateway: {{api_tokens: ["${{file:{path}}}"]}}')

    assert "gateway.api_tokens[0]: ${file:…} " in line


def test_every_wrong_reference_in_a_text_is_reported(file: SettingsFile) -> None:
    lines = file.lines("gateway: {api_tokens: ['${A} ${file:b} ${B} ${file:c} ${']}")

    assert len(lines) == 4
    assert "environment variables not set: A, B" in lines[0]


@pytest.mark.parametrize(
    "text",
    [
        "core: {url: '${file:secret}'}",
        "gateway: {listen: '${file:secret}'}",
        "gateway: {journal: '${file:secret}'}",
        "media: {isolation: '${file:secret}'}",
        "connectors: {chat: {type: '${file:secret}'}}",
        "connectors: {chat: '${file:secret}'}",
    ],
)
def test_no_mistake_quotes_a_files_text(file: SettingsFile, tmp_path: Path, text: str) -> None:
    (tmp_path / "secret").write_text("hunter2-in-clear")

    assert "in-clear" not in "".join(file.lines(text))


def test_an_environment_file_is_read_as_systemd_does(tmp_path: Path) -> None:
    path = tmp_path / "secrets.env"
    path.write_text(
        '# a comment\n; another\n\nA=plain value \nexport B=\'single \\" #\'\nC="double \\" \\$ \\n"\nD=\nE=a=b\n'
    )

    assert read_environment(path) == {
        "A": "plain value",
        "B": 'single \\" #',
        "C": 'double " $ \\n',
        "D": "",
        "E": "a=b",
    }


def test_wrong_lines_of_an_environment_file_are_reported_unquoted(tmp_path: Path) -> None:
    path = tmp_path / "secrets.env"
    path.write_text("A=fine\nin-clear\nB='in-clear\n1C=in-clear\n")

    with pytest.raises(ConfigError) as caught:
        read_environment(path)

    assert [mistake.line for mistake in caught.value.mistakes] == [2, 3, 4]
    assert "in-clear" not in str(caught.value)


def test_commands_take_variables_from_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOKEN", "x")  # too short, and overruled by the file
    (tmp_path / "connectors.yaml").write_text(
        "gateway: {listen: '127.0.0.1:1', api_tokens: ['${TOKEN}']}\n"
    )
    (tmp_path / "secrets.env").write_text(f"TOKEN={TOKEN}\n")
    settings = ["-c", str(tmp_path / "connectors.yaml")]

    assert main(["failures", *settings]) == 2
    assert main(["failures", *settings, "--env-file", str(tmp_path / "secrets.env")]) == 1
    assert "127.0.0.1:1" in capsys.readouterr().err


def test_a_missing_environment_file_ends_with_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--env-file", str(tmp_path / "none.env")]) == 2
    assert "none.env: does not exist" in capsys.readouterr().err
