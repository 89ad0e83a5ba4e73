"""`gateway.media` is `file` or a bucket whose address holds no credentials."""

import os
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from gateway.cli.main import settings
from gateway.settings import advice
from gateway.settings.media_store import Bucket, bucket_of
from gateway.settings.s3_credentials import (
    endpoint_of_environment,
    s3_secrets,
    static_credentials,
)

from .settings_files import SettingsFile


@pytest.fixture
def file(tmp_path: Path) -> SettingsFile:
    return SettingsFile(tmp_path)


@pytest.mark.parametrize(
    ("setting", "found"),
    [
        ("file", None),
        ("s3://photos", Bucket("photos", "", None, None)),
        ("s3://photos/", Bucket("photos", "", None, None)),
        ("s3://photos/a/b", Bucket("photos", "a/b/", None, None)),
        ("s3://photos//a//", Bucket("photos", "a/", None, None)),
        (
            "s3://my.photos/x?endpoint=https://s3.example.com:9000/&region=eu-central-1",
            Bucket("my.photos", "x/", "https://s3.example.com:9000", "eu-central-1"),
        ),
        (
            "s3://photos?endpoint=https%3A%2F%2Fs3.example.com",
            Bucket("photos", "", "https://s3.example.com", None),
        ),
    ],
)
def test_the_address_of_a_bucket_is_read(setting: str, found: Bucket | None) -> None:
    assert bucket_of(setting) == found


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("files", "must be file, or a bucket such as s3://bucket/prefix"),
        ("http://bucket", "must be file, or a bucket"),
        ("s3://", "must name a bucket"),
        ("s3://Photos", "must name a bucket"),
        ("s3://a", "must name a bucket"),
        ("s3://photos/#x", "must name a bucket"),
        ("s3://key:hunter2@photos", "must not contain credentials"),
        ("s3://photos/../x", "has a prefix with characters"),
        ("s3://photos/ä", "has a prefix with characters"),
        ("s3://photos?endpont=https://a", "did you mean endpoint?"),
        ("s3://photos?secret=hunter2", "endpoint and region are known"),
        ("s3://photos?region=a&region=b", "has the same option twice"),
        ("s3://photos?region", "has a query that cannot be read"),
        ("s3://photos?region=", "has a region that is not a name"),
        ("s3://photos?endpoint=s3.example.com", "has an endpoint that must be a URL"),
        ("s3://photos?endpoint=https://a:hunter2@b", "has an endpoint that must not contain"),
    ],
)
def test_a_wrong_address_is_refused_in_a_sentence(
    file: SettingsFile, setting: str, sentence: str
) -> None:
    (mistake,) = file.mistakes(f"gateway: {{media: '{setting}'}}\n")

    assert (mistake.line, mistake.key) == (1, "gateway.media")
    assert sentence in mistake.message
    assert "hunter2" not in str(mistake)


def test_a_bucket_without_the_package_for_it_is_refused(
    file: SettingsFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.settings.media_store.find_spec", lambda _name: None)
    (mistake,) = file.mistakes("gateway: {media: s3://photos}\n")

    assert "install airlock-messaging[s3], or write file" in mistake.message


def test_credentials_come_from_the_environment_or_the_shared_file(tmp_path: Path) -> None:
    shared = tmp_path / "credentials"
    shared.write_text(
        "[default]\naws_access_key_id = A\naws_secret_access_key = B%b\n"
        "[other]\naws_access_key_id = C\naws_secret_access_key = D\naws_session_token = E\n"
    )
    environ = {"AWS_SHARED_CREDENTIALS_FILE": str(shared)}

    assert static_credentials(environ) == {"access_key_id": "A", "secret_access_key": "B%b"}
    other = {**environ, "AWS_PROFILE": "other"}
    assert static_credentials(other)["session_token"] == "E"
    assert set(s3_secrets(other)) == {"D", "E"}
    assert static_credentials({**environ, "AWS_PROFILE": "none"}) == {}
    own = {**environ, "AWS_ACCESS_KEY_ID": "X", "AWS_SECRET_ACCESS_KEY": "Y"}
    assert static_credentials(own) == {}
    assert s3_secrets(own) == ("Y",)


def test_the_endpoint_of_the_environment_counts_where_none_is_set() -> None:
    both = {"AWS_ENDPOINT_URL": "https://a", "AWS_ENDPOINT_URL_S3": "https://b"}

    assert endpoint_of_environment({}) is None
    assert endpoint_of_environment({"AWS_ENDPOINT_URL": "https://a"}) == "https://a"
    assert endpoint_of_environment(both) == "https://b"


def test_an_endpoint_without_tls_is_warned_of(file: SettingsFile) -> None:
    warnings = [
        advice(file.load(f"gateway: {{media: 's3://photos?endpoint=http://{host}:9000'}}\n"))
        for host in ("s3.internal", "127.0.0.1")
    ]

    plain = (
        "gateway.media: plain http, so anyone on the network path can read the traffic; use https"
    )
    assert [plain in found for found in warnings] == [True, False]


def test_credentials_of_the_environment_file_reach_the_client(
    file: SettingsFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of the shell")
    monkeypatch.delenv("OTHER", raising=False)
    variables = tmp_path / "env"
    variables.write_text("AWS_SECRET_ACCESS_KEY=hunter2\nOTHER=x\n")
    file.load("gateway: {media: s3://photos}\n")
    loaded = settings(Namespace(config=file.path, env_file=variables))

    assert os.environ["AWS_SECRET_ACCESS_KEY"] == "hunter2"
    assert "OTHER" not in os.environ
    assert "hunter2" in loaded.secrets()


def test_the_client_is_imported_only_where_it_is_used() -> None:
    modules = "gateway.cli.serve, gateway.cli.check, gateway.cli.demo, sys"
    found = subprocess.run(
        [sys.executable, "-c", f"import {modules}; print('obstore' in sys.modules)"],
        check=True,
        capture_output=True,
        text=True,
    )

    assert found.stdout == "False\n"
