"""`airlock check` names each typical mistake with its cause and remedy, without a traceback, and fails."""

import socket
import tempfile
from pathlib import Path

import pytest

from gateway.cli import main
from gateway.settings import exposed_files

WHATSAPP = """connectors:
  wa:
    type: whatsapp
    app_secrets: [0123456789abcdef0123456789abcdef]
    verify_token: a-verify-token
    access_token: EAAGm0PX4ZCpsBAKZB
    phone_number_id: "106540352242922"
"""
SMS = """connectors:
  sms:
    type: twilio
    account_sid: AC0123456789abcdef0123456789abcdef
    auth_tokens: [0123456789abcdef0123456789abcdef]
    sender: "+15550002222"
"""

#: A file with a mistake, and words of its message: the name, the cause and the remedy.
MISTAKES = {
    "indented too little": ("gateway:\n  data: a\n listen: x\n", ("yaml:3:", "same column")),
    "indented too much": ("gateway:\n  data: a\n    listen: x\n", ("yaml:3:", "same column")),
    "indented with a tab": ("gateway:\n\tdata: a\n", ("yaml:2:", "indent with spaces")),
    "an open quote": ('gateway:\n  data: "a\n', ("is not YAML", "correct this line")),
    "an unknown key": ("gateway:\n  lisen: x\n", ("gateway.lisen", 'did you mean "listen"')),
    "a key of nothing": ("gateway:\n  zzz: x\n", ("gateway.zzz", "remove it", "airlock schema")),
    "a key in the wrong place": ("listen: x\n", ("listen", 'did you mean "gateway.listen"')),
    "a misspelt type": (WHATSAPP.replace("type: wh", "type: w"), ('"wa', 'mean "whatsapp"')),
    "no type": (WHATSAPP.replace("type: whatsapp", "photos: true"), ("wa.type", "one of apple")),
    "a list of connectors": ("connectors:\n  - {type: twilio}\n", ("must be a section", "named")),
    "an unset variable": (SMS.replace("[0123", "['${NOT_SET}', 0123"), ("NOT_SET", "--env-file")),
    "a reference without a name": (SMS.replace("[0123", "['${}', 0123"), ("without a NAME", "$${")),
    "a missing file": (SMS.replace("[0123", "['${file:no}', 0123"), ('"no" does not', "create it")),
    "a folder as file": (SMS.replace("[0123", "['${file:/}', 0123"), ('"/" is a folder', "give")),
    "a missing secret": (WHATSAPP.replace("app_secrets", "photo"), ("wa.app_secrets", "required")),
    "a secret of a letter": (
        SMS.replace("[0123456789abcdef0123456789abcdef]", "[x]"),
        ("guessed",),
    ),
    "a secret alone": (
        SMS.replace("[0123456789abcdef0123456789abcdef]", "0123456789abcdef"),
        ("sms.auth_tokens", "must be a list"),
    ),
    "a number as id": (WHATSAPP.replace('"106540352242922"', "106540352242922"), ("in quotes",)),
    "a name twice": (
        SMS + "  sms: {type: twilio}\n",
        ("connectors.sms", "duplicate", "remove one"),
    ),
    "a sender without plus": (SMS.replace("+1555", "1555"), ("sms.sender", "+")),
    "token and secret swapped": (
        WHATSAPP.replace("[0123456789abcdef0123456789abcdef]", "[EAAGm0PX4ZCpsBAKZB]"),
        ("wa.app_secrets", "access token"),
    ),
    "an address without port": ("gateway:\n  listen: 127.0.0.1\n", ("listen", "127.0.0.1:8080")),
    "a URL without scheme": ("gateway:\n  public_url: a.example\n", ("public_url", "https://")),
    "a core without secrets": ("core:\n  url: https://a.example\n", ("core.secrets", "required")),
    "a secret of another kind": (
        "core:\n  url: https://a.example\n  secrets: [c2VjcmV0c2VjcmV0]\n",
        ("core.secrets[0]", "whsec_"),
    ),
    "a size of another unit": ("media:\n  photo_max_bytes: 25XB\n", ("photo_max_bytes", "25MB")),
    "no value": ("gateway:\n  data:\n", ("gateway.data", "has no value", "remove the key")),
    "a database without core": (
        "gateway:\n  journal: postgresql://a:secret-of-it@b/c\n",
        ("core: url is required", "gateway.journal"),
    ),
    "originals without scanner": ("media:\n  originals: unshown\n", ("originals", "media.scanner")),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_mistake_in_the_file_has_name_cause_and_remedy(
    mistake: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, words = MISTAKES[mistake]
    file = tmp_path / "connectors.yaml"
    file.write_text(text)

    assert main(["check", "-c", str(file)]) == 2

    shown = capsys.readouterr()
    assert shown.out == ""
    assert "Traceback" not in shown.err
    assert "secret-of-it" not in shown.err
    assert [word for word in words if word not in shown.err] == [], shown.err


def test_files_that_are_not_there_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "connectors.yaml"
    assert main(["check", "-c", str(file)]) == 2
    assert f"{file}: cannot be read: No such file or directory; give" in capsys.readouterr().err
    file.write_text("{}\n")
    assert main(["check", "-c", str(file), "--env-file", str(tmp_path / "no.env")]) == 2
    assert "no.env: does not exist; create it" in capsys.readouterr().err


def test_everything_wrong_around_airlock_is_reported_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").write_text("a file\n")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        (tmp_path / "connectors.yaml").write_text(f"""
gateway:
  listen: 127.0.0.1:{port}
  public_url: http://chat.example.com
  data: taken/data
core:
  url: http://127.0.0.1:1/in
  secrets: [whsec_{"YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4"}]
media:
  scanner: unix:{tmp_path}/no-clamd
{SMS}    api_url: https://127.0.0.1:1
""")
        assert main(["check", "-c", str(tmp_path / "connectors.yaml")]) == 1

    shown = capsys.readouterr()
    found = shown.out + shown.err
    assert "Traceback" not in found
    lines = found.splitlines()
    for words in AROUND:
        assert any(all(word in line for word in words) for line in lines), (words, found)


def test_files_with_secrets_that_everybody_may_read_are_named() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        file, token, variables = (folder / one for one in ("connectors.yaml", "token", "s.env"))
        file.write_text("gateway: {api_tokens: ['${file:token}']}\n")
        for secret in (token, variables):
            secret.write_text("A=0123456789abcdef\n")
            secret.chmod(0o644)
        notes = exposed_files(file, {}, variables)
        assert [note.split(":")[0] for note in notes] == ["gateway.api_tokens[0]", "--env-file"]
        assert f"run chmod o-r {token}" in notes[0]
        variables.chmod(0o640)
        folder.chmod(0o700)
        # Nobody else reaches the file.
        assert exposed_files(file, {}, variables) == ()


#: Words of one line: the name, the cause and the remedy.
AROUND = (
    ("gateway.data", "a part of the path is a file", "set gateway.data"),
    ("gateway.listen", "another program is using the port", "choose another"),
    ("gateway.public_url", "plain http", "set its https address"),
    ("core.url", "connection refused", "start the core"),
    ("media.scanner", "no-clamd", "start clamd"),
    ("sms (Twilio SMS/MMS)", "127.0.0.1", "credentials or settings"),
)
