"""Valid settings: values, defaults, environment variables and warnings."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from gateway.settings import Address, Settings, UnixSocket, advice
from normalizer.media import Limits

from .plugin_installs import Plugins
from .settings_files import SettingsFile


@pytest.fixture
def file(tmp_path: Path) -> SettingsFile:
    return SettingsFile(tmp_path)


def test_an_empty_file_loads_with_the_documented_defaults(file: SettingsFile) -> None:
    settings = file.load("")

    assert str(settings.gateway.listen) == "127.0.0.1:8080"
    assert settings.gateway.public_url == "http://127.0.0.1:8080"
    assert settings.gateway.api_tokens == ()
    assert (settings.gateway.journal, settings.gateway.media) == ("sqlite", "file")
    assert settings.gateway.text_retention == 30 * 86400
    assert settings.core.url is None
    assert settings.core.hold_seconds == 2.0
    assert settings.media.scanner is None
    assert settings.media.isolation == "full"
    assert settings.media.retention == 30 * 86400
    assert settings.media.link_lifetime == 300
    assert settings.media.duplicate_window == 7 * 86400
    assert settings.media.max_photos_per_conversation is None
    assert settings.fetch.allow_private_hosts is False
    assert settings.fetch.extra_hosts == ()
    assert settings.connectors == {}


def test_default_limits_match_the_sanitizers(file: SettingsFile) -> None:
    assert file.load("").media.limits() == Limits()


def test_every_limit_in_the_file_reaches_the_sanitizer(file: SettingsFile) -> None:
    settings = file.load("""
        media:
          photo_max_bytes: 1MB
          photo_max_pixels: 2000000
          preview_max_side: 1024
          preview_max_bytes: 500kB
          thumbnail_max_bytes: 20kB
          thumbnail_side: 200
          video_max_bytes: 4MiB
          video_max_length: 10m
          video: transcode
    """)

    assert settings.media.limits() == Limits(
        photo_max_bytes=1_000_000,
        photo_max_pixels=2_000_000,
        preview_max_side=1024,
        preview_max_bytes=500_000,
        thumbnail_max_bytes=20_000,
        thumbnail_side=200,
        video_max_bytes=4 * 1024 * 1024,
        video_max_seconds=600.0,
        transcode="always",
    )


def test_sections_whose_keys_are_all_commented_out_have_defaults(file: SettingsFile) -> None:
    settings = file.load("""
        gateway:
        core:
        media:
        fetch:
        connectors:
          # sms:
    """)

    assert settings.gateway.listen == Address("127.0.0.1", 8080)
    assert settings.connectors == {}


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("25MB", 25_000_000),
        ("30kB", 30_000),
        ("30KB", 30_000),
        ("4GiB", 4 * 1024**3),
        ("512KiB", 512 * 1024),
        ("1.5 MB", 1_500_000),
        ("1GB", 10**9),
        ("70000", 70_000),
        ("70000B", 70_000),
        ('"70000"', 70_000),
    ],
)
def test_sizes_are_parsed(file: SettingsFile, text: str, size: int) -> None:
    settings = file.load(f"media: {{photo_max_bytes: {text}}}")

    assert settings.media.photo_max_bytes == size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2s", 2),
        ("500ms", 0.5),
        ("5m", 300),
        ("12h", 43_200),
        ("30d", 2_592_000),
        ("2w", 1_209_600),
        ("1.5h", 5400),
        ("90", 90),
        ("0.25", 0.25),
        ('"90"', 90),
    ],
)
def test_durations_are_parsed(file: SettingsFile, text: str, seconds: float) -> None:
    settings = file.load(f"media: {{retention: {text}}}")

    assert settings.media.retention == seconds


@pytest.mark.parametrize(
    ("text", "host", "port", "url"),
    [
        ("0.0.0.0:80", "0.0.0.0", 80, "http://0.0.0.0:80"),
        ('"[::1]:8080"', "::1", 8080, "http://[::1]:8080"),
        ("localhost:0", "localhost", 0, "http://localhost:0"),
        ("gateway.internal:65535", "gateway.internal", 65535, "http://gateway.internal:65535"),
    ],
)
def test_listen_is_parsed_and_is_the_default_public_url(
    file: SettingsFile, text: str, host: str, port: int, url: str
) -> None:
    gateway = file.load(f"gateway: {{listen: {text}}}").gateway

    assert gateway.listen == Address(host, port)
    assert gateway.public_url == url


def test_public_url_keeps_its_path_without_a_trailing_slash(
    file: SettingsFile,
) -> None:
    settings = file.load("gateway: {public_url: 'https://Chat.example.com:8443/airlock/'}")

    assert settings.gateway.public_url == "https://Chat.example.com:8443/airlock"


def test_a_relative_data_folder_is_next_to_the_file(file: SettingsFile) -> None:
    assert file.load("").gateway.data == file.path.parent / "airlock-data"
    assert file.load("gateway: {data: ./kept}").gateway.data == file.path.parent / "kept"
    assert file.load("gateway: {data: /srv/kept}").gateway.data == Path("/srv/kept")


def test_a_scanner_is_a_unix_socket_or_an_address(file: SettingsFile) -> None:
    unix = file.load("media: {scanner: 'unix:/run/clamav/clamd.ctl'}").media.scanner
    tcp = file.load("media: {scanner: 'tcp://127.0.0.1:3310'}").media.scanner

    assert unix == UnixSocket(Path("/run/clamav/clamd.ctl"))
    assert str(unix) == "unix:/run/clamav/clamd.ctl"
    assert tcp == Address("127.0.0.1", 3310)


def test_extra_hosts_are_host_names_or_domain_suffixes(file: SettingsFile) -> None:
    settings = file.load("fetch: {extra_hosts: [Media.example.com, .cdn.example.com]}")

    assert settings.fetch.extra_hosts == ("media.example.com", ".cdn.example.com")


# the environment --------------------------------------------------------------------------------


def test_environment_references_are_replaced_anywhere_in_a_value(file: SettingsFile) -> None:
    settings = file.load(
        """
        gateway:
          listen: ${HOST}:${PORT}
          api_tokens: ["${TOKEN}"]
        core:
          hold_seconds: ${HOLD}
        media:
          photo_max_bytes: ${LIMIT}
          photo_max_pixels: ${PIXELS}
        fetch:
          allow_private_hosts: ${PRIVATE}
        """,
        {
            "HOST": "127.0.0.2",
            "PORT": "81",
            "TOKEN": "12345678",
            "HOLD": "5",
            "LIMIT": "1MB",
            "PIXELS": "1000",
            "PRIVATE": "true",
        },
    )

    assert settings.gateway.listen == Address("127.0.0.2", 81)
    assert settings.gateway.api_tokens[0].get_secret_value() == "12345678"
    assert settings.core.hold_seconds == 5
    assert settings.media.photo_max_bytes == 1_000_000
    assert settings.media.photo_max_pixels == 1000
    assert settings.fetch.allow_private_hosts is True


def test_two_dollars_escape_a_reference(file: SettingsFile) -> None:
    settings = file.load('gateway: {api_tokens: ["a$${NAME}b$c"]}', {"NAME": "no"})

    assert settings.gateway.api_tokens[0].get_secret_value() == "a${NAME}b$c"


def test_environment_values_are_not_expanded_again(file: SettingsFile) -> None:
    settings = file.load(
        'gateway: {api_tokens: ["${A}"]}', {"A": "${BOTH_NAMES}", "BOTH_NAMES": "no"}
    )

    assert settings.gateway.api_tokens[0].get_secret_value() == "${BOTH_NAMES}"


def test_two_connectors_share_settings_through_an_anchor(
    file: SettingsFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugins = Plugins(tmp_path, monkeypatch)
    plugins.install("acme-airlock")
    file.entries = plugins.entries()

    settings = file.load("""
        connectors:
          one: &shared
            type: acme
            app_secrets: [first-secret]
            access_token: shared-token
            account: one
          two:
            <<: *shared
            account: two
    """)

    one, two = settings.connectors["one"].config, settings.connectors["two"].config
    assert (one.account, two.account) == ("one", "two")
    assert one.access_token == two.access_token


# immutability and defaults ----------------------------------------------------------------------


def test_settings_are_immutable(file: SettingsFile) -> None:
    settings = file.load("")

    with pytest.raises(ValidationError):
        settings.core.hold_seconds = 5  # type: ignore[misc] # must fail at run time too
    with pytest.raises(TypeError):
        settings.connectors["x"] = None  # type: ignore[index] # must fail at run time too


def test_settings_without_a_file_have_the_same_defaults() -> None:
    assert Settings().gateway.public_url == "http://127.0.0.1:8080"
    assert Settings().media.limits() == Limits()


# advice -----------------------------------------------------------------------------------------


def test_a_gateway_without_connectors_loads_with_a_warning(file: SettingsFile) -> None:
    sentences = advice(file.load(""))

    assert [sentence.split(":")[0] for sentence in sentences] == ["connectors", "media.scanner"]


def test_advice_covers_every_risky_setting(file: SettingsFile) -> None:
    sentences = advice(
        file.load("""
        gateway: {public_url: http://chat.example.com}
        core: {url: http://core.example.com, secrets: [whsec_YSAxNi1ieXRlIHNlY3JldA==]}
        media: {isolation: reduced, scanner: unix:/run/clamd}
        fetch: {allow_private_hosts: true}
        """)
    )

    assert [sentence.split(": ")[0] for sentence in sentences] == [
        "connectors",
        "gateway.api_tokens",
        "core.secrets",
        "media.isolation",
        "fetch.allow_private_hosts",
        "gateway.public_url",
        "core.url",
    ]
