"""Invalid settings: all mistakes are reported at once, with line, key and the nearest known key."""

import contextlib
import random
from pathlib import Path

import pytest

from gateway.settings import ConfigError, Mistake, load

from .plugin_installs import Plugins
from .settings_files import SettingsFile

SET = "set it in the shell, or in a file that you give with --env-file"
ACME = """
connectors:
  chat:
    type: acme
    app_secrets: [first-secret]
    access_token: some-token
    account: ours
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SettingsFile:
    plugins = Plugins(tmp_path, monkeypatch)
    plugins.install("acme-airlock")
    return SettingsFile(tmp_path, plugins.entries())


def test_all_mistakes_are_reported_together_in_file_order(file: SettingsFile) -> None:
    lines = file.lines(
        """\
        gateway:
          lisen: 127.0.0.1:8080
          api_tokens: ["${NOT_SET}"]
          api_tokens: [other]
        cor:
          url: https://core.example.com
        core:
          url: https://core.example.com
        media:
          photo_max_bytes: 25XB
          video: transcod
        connectors:
          chat:
            type: acme
            app_secret: [x]
            access_token: 12345
            photos: perhaps
            account: ours
          other:
            type: acne
          "with space":
            type: acme
            app_secrets: []
            access_token: "  "
            account: ours
        """
    )

    assert lines == [
        'connectors.yaml:2: gateway.lisen: unknown key; did you mean "listen"?',
        f"connectors.yaml:3: gateway.api_tokens[0]: environment variable not set: NOT_SET; {SET}",
        "connectors.yaml:4: gateway.api_tokens: duplicate key, first on line 3; remove one",
        'connectors.yaml:5: cor: unknown key; did you mean "core"?',
        "connectors.yaml:7: core.secrets: is required with core.url, because every event is signed",
        (
            "connectors.yaml:10: media.photo_max_bytes: must be a size such as 25MB, 30kB or 4GiB,"
            " or a number of bytes"
        ),
        (
            "connectors.yaml:11: media.video: must be 'auto' or 'transcode';"
            ' did you mean "transcode"?'
        ),
        "connectors.yaml:13: connectors.chat.app_secrets: is required",
        'connectors.yaml:15: connectors.chat.app_secret: unknown key; did you mean "app_secrets"?',
        "connectors.yaml:16: connectors.chat.access_token: must be text; put it in quotes",
        "connectors.yaml:17: connectors.chat.photos: must be true or false",
        (
            'connectors.yaml:20: connectors.other.type: unknown connector type "acne";'
            ' did you mean "acme"?'
        ),
        (
            "connectors.yaml:21: connectors.with space: cannot be used in a URL;"
            " use letters and digits, with - or _ between them"
        ),
        "connectors.yaml:23: connectors.with space.app_secrets: needs at least one secret",
        "connectors.yaml:24: connectors.with space.access_token: is empty; a secret is required here",
    ]


def test_a_mistake_has_file_line_key_and_suggestion(file: SettingsFile) -> None:
    (mistake,) = file.mistakes("gateway:\n  lisen: x\n")

    assert mistake == Mistake(str(file.path), 2, "gateway.lisen", "unknown key", "listen")


# keys -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "nearest"),
    [
        ("photo_max_byte", "photo_max_bytes"),
        ("Photo-Max-Bytes", "photo_max_bytes"),
        ("thumnail_max_bytes", "thumbnail_max_bytes"),
        ("scaner", "scanner"),
        ("hold_seconds", "core.hold_seconds"),
        ("connectors", "connectors"),
        ("zzz", None),
    ],
)
def test_an_unknown_key_suggests_the_nearest(
    file: SettingsFile, key: str, nearest: str | None
) -> None:
    (mistake,) = file.mistakes(f"media:\n  {key}: 1\n")

    assert (mistake.key, mistake.line, mistake.nearest) == (f"media.{key}", 2, nearest)


def test_an_unknown_nested_connector_key_suggests_the_nearest(
    file: SettingsFile,
) -> None:
    lines = file.lines(ACME + "    window:\n      open: '8:00'\n      closes: '9:00'\n")

    assert lines == [
        "connectors.yaml:8: connectors.chat.window.opens: is required",
        'connectors.yaml:9: connectors.chat.window.open: unknown key; did you mean "opens"?',
    ]


def test_a_key_in_the_wrong_section_suggests_the_right_section(file: SettingsFile) -> None:
    (mistake,) = file.mistakes("listen: 127.0.0.1:1\n")

    assert mistake.nearest == "gateway.listen"


def test_a_duplicate_connector_is_refused(file: SettingsFile) -> None:
    lines = file.lines(ACME + "  chat:\n    type: acme\n")

    assert lines == [
        "connectors.yaml:8: connectors.chat: duplicate key, first on line 3; remove one"
    ]


@pytest.mark.parametrize("key", ["yes", "123", "1.5", "null", "[a]", "? {a: b}\n  "])
def test_a_key_that_is_not_text_is_refused(file: SettingsFile, key: str) -> None:
    (mistake,) = file.mistakes(f"connectors:\n  {key}: {{}}\n")

    assert mistake.line == 2
    assert "is not text in YAML; put it in quotes" in mistake.message


def test_a_merged_key_may_be_overridden(
    file: SettingsFile,
) -> None:
    settings = file.load(ACME.replace("chat:", "chat: &a") + "  b: {<<: [*a, *a], account: b}\n")

    assert settings.connectors["b"].config.account == "b"


def test_a_mistake_in_a_merged_section_has_its_original_line(file: SettingsFile) -> None:
    text = ACME.replace("chat:", "chat: &a") + "    colr: x\n  b: {<<: *a, account: b}\n"

    lines = file.lines(text)

    assert lines == [
        'connectors.yaml:8: connectors.chat.colr: unknown key; did you mean "colour"?',
        'connectors.yaml:8: connectors.b.colr: unknown key; did you mean "colour"?',
    ]


# values -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("section", "key", "value", "sentence"),
    [
        ("gateway", "listen", "8080", "host:port"),
        ("gateway", "listen", "127.0.0.1", "host:port"),
        ("gateway", "listen", "'127.0.0.1:99999'", "host:port"),
        ("gateway", "listen", "':8080'", "host:port"),
        ("gateway", "listen", "'[1.2.3.4]:8080'", "host:port"),
        ("gateway", "listen", "'::1:8080'", "host:port"),
        ("gateway", "listen", "", "has no value"),
        ("gateway", "public_url", "chat.example.com", "must be a URL"),
        ("gateway", "public_url", "ftp://chat.example.com", "must be a URL"),
        ("gateway", "public_url", "'https://chat.example.com:port'", "must be a URL"),
        ("gateway", "public_url", "https://chat.example.com/a b", "must be a URL"),
        ("gateway", "public_url", "https://chat.example.com?x=1", "query"),
        ("gateway", "public_url", "'https://chat.example.com#x'", "#fragment"),
        ("gateway", "public_url", "https://me:pw@chat.example.com", "password"),
        ("gateway", "public_url", "''", "must be a URL"),
        ("gateway", "data", "[a]", "must be text, not a list"),
        ("gateway", "api_tokens", "token", "must be a list"),
        ("gateway", "api_tokens", "[[a]]", "must be text, not a list"),
        ("gateway", "api_tokens", "[true]", "put it in quotes"),
        ("gateway", "api_tokens", "['']", "is empty"),
        ("gateway", "api_tokens", '["token\\n"]', "white space"),
        ("gateway", "api_tokens", "[x]", "has one character, which can be guessed"),
        ("gateway", "api_tokens", "[abc]", "needs at least 4"),
        ("gateway", "journal", "mysql", "must be sqlite"),
        ("gateway", "media", "ftp://x", "must be file"),
        ("core", "url", "localhost", "must be a URL"),
        ("core", "secrets", "[c2VjcmV0]", "whsec_"),
        ("core", "secrets", "['whsec_']", "whsec_"),
        ("core", "secrets", "['whsec_eA==']", "a key of 1 bytes, which can be guessed"),
        ("core", "secrets", "['whsec_n*t base64']", "whsec_"),
        ("core", "secrets", "{a: b}", "must be a list"),
        ("core", "hold_seconds", "soon", "duration"),
        ("core", "hold_seconds", "-1", "duration"),
        ("core", "hold_seconds", ".inf", "duration"),
        ("core", "hold_seconds", ".nan", "duration"),
        ("core", "hold_seconds", "1d", "at most 600"),
        ("core", "hold_seconds", "true", "duration"),
        ("media", "photo_max_bytes", "0", "size"),
        ("media", "photo_max_bytes", "-1", "size"),
        ("media", "photo_max_bytes", "25 apples", "size"),
        ("media", "photo_max_bytes", "5m", "size"),
        ("media", "photo_max_bytes", "true", "size"),
        ("media", "photo_max_bytes", "[1]", "size"),
        ("media", "photo_max_bytes", "9" * 5000, "number"),
        ("media", "thumbnail_max_bytes", "1kB", "at least 5000"),
        ("media", "photo_max_pixels", "many", "whole number"),
        ("media", "photo_max_pixels", "1.5", "whole number"),
        ("media", "photo_max_pixels", "true", "whole number"),
        ("media", "photo_max_pixels", "0", "whole number"),
        ("media", "max_photos_per_conversation", "0", "whole number"),
        ("media", "video", "sometimes", "must be 'auto' or 'transcode'"),
        ("media", "video", "true", "must be 'auto' or 'transcode'"),
        ("media", "scanner", "clamd", "unix:"),
        ("media", "scanner", "unix:relative", "unix:"),
        ("media", "scanner", "tcp://127.0.0.1", "tcp://"),
        ("media", "isolation", "none", "must be 'full' or 'reduced'"),
        ("media", "retention", "0", "more than 0"),
        ("media", "retention", "30MB", "duration"),
        ("media", "link_lifetime", "2d", "at most 86400"),
        ("media", "duplicate_window", "6d", "at least 604800"),
        ("fetch", "allow_private_hosts", "1", "true or false"),
        ("fetch", "allow_private_hosts", "maybe", "true or false"),
        ("fetch", "extra_hosts", "media.example.com", "must be a list"),
        ("fetch", "extra_hosts", "[https://media.example.com]", "host name"),
        ("fetch", "extra_hosts", "['media.example.com:443']", "host name"),
        ("fetch", "extra_hosts", "[.com]", "too broad"),
        ("fetch", "extra_hosts", "['*.example.com']", "host name"),
    ],
)
def test_an_invalid_value_is_refused_with_a_helpful_message(
    file: SettingsFile, section: str, key: str, value: str, sentence: str
) -> None:
    (mistake,) = file.mistakes(f"{section}:\n\n  {key}: {value}\n")

    assert mistake.line == 3
    assert mistake.key.removesuffix("[0]") == f"{section}.{key}"
    assert sentence in mistake.message


@pytest.mark.parametrize("section", ["gateway", "core", "media", "fetch", "connectors"])
@pytest.mark.parametrize("value", ["text", "[a, b]", "5", "[]", "''", "false"])
def test_a_section_that_is_not_a_mapping_is_refused(
    file: SettingsFile, section: str, value: str
) -> None:
    (mistake,) = file.mistakes(f"{section}: {value}\n")

    assert (mistake.line, mistake.key) == (1, section)
    assert "must be a section" in mistake.message


@pytest.mark.parametrize("value", ["", "text", "[]"])
def test_a_connector_that_is_not_a_mapping_is_refused(file: SettingsFile, value: str) -> None:
    lines = file.lines(f"connectors:\n  chat: {value}\n")

    assert lines == ["connectors.yaml:2: connectors.chat: must be a section with a `type`"]


@pytest.mark.parametrize("type", ["", "type: 5", "type: ''", "type: [acme]"])
def test_a_connector_without_a_type_lists_the_known_types(file: SettingsFile, type: str) -> None:
    (mistake,) = file.mistakes(f"connectors:\n  chat:\n    photos: true\n    {type}\n")

    assert mistake.key == "connectors.chat.type"
    assert mistake.message == "is required; one of acme"


@pytest.mark.parametrize("name", ["a/b", "a.b", "-a", "a-", "ä", "a%20b", "a" * 65, "a?b", ""])
def test_a_connector_name_unfit_for_a_url_is_refused(file: SettingsFile, name: str) -> None:
    (mistake,) = file.mistakes(ACME.replace("chat:", f"'{name}':"))

    assert "cannot be used in a URL" in mistake.message


@pytest.mark.parametrize("name", ["a", "7", "support-whatsapp", "Sms_2", "a" * 64])
def test_a_connector_name_fit_for_a_url_is_accepted(file: SettingsFile, name: str) -> None:
    assert list(file.load(ACME.replace("chat:", f"'{name}':")).connectors) == [name]


def test_an_api_url_with_credentials_is_refused(file: SettingsFile) -> None:
    (mistake,) = file.mistakes(ACME + "    api_url: https://me:hunter2@api.example.com\n")

    assert (mistake.line, mistake.key) == (8, "connectors.chat.api_url")
    assert "hunter2" not in str(mistake)


# the environment --------------------------------------------------------------------------------


def test_an_unset_variable_is_the_only_mistake_for_its_value(
    file: SettingsFile,
) -> None:
    lines = file.lines("""
        gateway:
          listen: ${HOST}:${PORT}
          public_url: ${URL}
        core:
          secrets: ["${CORE_SECRET}"]
        media:
          photo_max_bytes: ${LIMIT}
        connectors:
          chat: {type: "${TYPE}"}
    """)

    assert lines == [
        f"connectors.yaml:3: gateway.listen: environment variables not set: HOST, PORT; {SET}",
        f"connectors.yaml:4: gateway.public_url: environment variable not set: URL; {SET}",
        f"connectors.yaml:6: core.secrets[0]: environment variable not set: CORE_SECRET; {SET}",
        f"connectors.yaml:8: media.photo_max_bytes: environment variable not set: LIMIT; {SET}",
        f"connectors.yaml:10: connectors.chat.type: environment variable not set: TYPE; {SET}",
    ]


@pytest.mark.parametrize("reference", ["${}", "${1A}", "${A:-b}", "${A", "${a b}"])
def test_a_reference_without_a_name_is_refused(file: SettingsFile, reference: str) -> None:
    (mistake,) = file.mistakes(f"gateway:\n  api_tokens: ['{reference}']\n", {"A": "x", "a": "x"})

    assert mistake.key == "gateway.api_tokens[0]"
    assert "write $${" in mistake.message


def test_a_secret_that_is_set_but_empty_is_refused(file: SettingsFile) -> None:
    lines = file.lines("gateway:\n  api_tokens: ['${TOKEN}']\n", {"TOKEN": ""})

    assert lines == [
        "connectors.yaml:2: gateway.api_tokens[0]: is empty; a secret is required here"
    ]


# the file itself --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        ("gateway:\n  listen: [a\n", 3, "is not YAML"),
        ("gateway:\n\tlisten: a\n", 2, "indent with spaces"),
        ("gateway:\n  listen: a: b\n", 2, "needs quotes"),
        ("gateway:\n  api_tokens: [${A}]\n", 2, 'write "${NAME}" with quotes'),
        ("gateway:\n  api_tokens: [@a]\n", 2, "needs quotes"),
        ("gateway:\n  data: *nowhere\n", 2, "begins with * needs quotes"),
        ("gateway: &a\ncore: &a\n", 2, "begins with & needs quotes"),
        ("gateway:\n---\ncore:\n", 2, "remove the line ---"),
        ("- gateway\n", 1, "must consist of sections with keys"),
        ("gateway\n", 1, "must consist of sections with keys"),
        ("gateway:\n  data: !secret x\n", 2, "tags"),
        ("gateway: !!python/object/apply:os.getcwd []\n", 1, "tags"),
        ("gateway: !!set {a, b}\n", 1, "tags"),
        ("gateway:\n  data: !!binary aGk=\n", 2, "tags"),
        ("gateway:\n  <<: 5\n", 2, "<<: *name"),
        ("gateway:\n  data: \x07\n", 2, "control character"),
    ],
)
def test_invalid_yaml_is_refused_with_its_line_and_a_remedy(
    file: SettingsFile, text: str, line: int, sentence: str
) -> None:
    (mistake,) = file.mistakes(text)

    assert mistake.line == line
    assert sentence in mistake.message


def test_a_missing_file_is_reported_without_a_line(tmp_path: Path) -> None:
    path = tmp_path / "nowhere.yaml"

    with pytest.raises(ConfigError) as caught:
        load(path, {}, ())

    assert str(caught.value) == (
        f"{path}: cannot be read: No such file or directory; give the file with -c"
    )


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "connectors.yaml"
    path.write_bytes(b"gateway:\n  data: caf\xe9\n")

    with pytest.raises(ConfigError, match=r"connectors\.yaml:2: is not UTF-8"):
        load(path, {}, ())


def test_a_byte_order_mark_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "connectors.yaml"
    path.write_bytes(b"\xef\xbb\xbfgateway:\n  listen: 127.0.0.1:1\n")

    assert load(path, {}, ()).gateway.listen.port == 1


def test_a_file_that_is_too_large_is_not_read(file: SettingsFile) -> None:
    (mistake,) = file.mistakes("#" * (256 * 1024 + 1))

    assert mistake.message == "is larger than 256 KiB; is this the right file?"


def test_exponentially_nested_aliases_are_refused(file: SettingsFile) -> None:
    levels = [
        f"l{level}: &l{level} [{', '.join([f'*l{level - 1}'] * 9)}]" for level in range(1, 10)
    ]

    (mistake,) = file.mistakes("\n".join(["l0: &l0 [a, b]", *levels]))

    assert "too many values" in mistake.message


def test_exponentially_nested_merges_are_refused(file: SettingsFile) -> None:
    merges = [
        f"m{level}: &m{level} {{<<: [{', '.join([f'*m{level - 1}'] * 9)}]}}"
        for level in range(1, 10)
    ]

    (mistake,) = file.mistakes("\n".join(["m0: &m0 {a: b}", *merges]))

    assert "too many values" in mistake.message


@pytest.mark.parametrize(
    "text", ["a: &a [*a]", "a: &a {b: *a}", "a: &a {<<: *a}", "a: &a {<<: [*a]}"]
)
def test_an_alias_that_contains_itself_is_refused(file: SettingsFile, text: str) -> None:
    (mistake,) = file.mistakes(text)

    assert "nested too deeply" in mistake.message


@pytest.mark.parametrize("text", ["[" * 10_000, "a: " + "{a: " * 10_000, "- " * 10_000])
def test_endless_nesting_is_refused(file: SettingsFile, text: str) -> None:
    (mistake,) = file.mistakes(text)

    assert "nested too deeply" in mistake.message


@pytest.mark.parametrize("seed", range(20))
def test_a_damaged_file_never_causes_a_crash(file: SettingsFile, seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(20):
        text = list(ACME + "gateway: {listen: 127.0.0.1:1}\nmedia: {video: auto, retention: 5m}\n")
        for _ in range(dice.randint(1, 6)):
            at = dice.randrange(len(text))
            text[at : at + dice.randint(0, 4)] = dice.choice("\t\n:{}[]*&!|>'\"%@`#,- \x00é0~?${<")
        file.path.write_text("".join(text))
        with contextlib.suppress(ConfigError):
            load(file.path, {}, file.entries)
