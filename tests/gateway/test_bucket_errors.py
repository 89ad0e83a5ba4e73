"""A bucket that cannot be used is explained by cause and remedy, and nothing secret is quoted."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.cli.check import check
from gateway.media.storage.interface import StoreUnavailable
from gateway.media.storage.proof import prove
from gateway.media.storage.s3 import S3Bucket
from gateway.media.storage.s3_errors import DELETE, GET, LIST, PUT, explain
from gateway.settings import Settings
from gateway.settings.media_store import Bucket
from tests.bucket import LIMITED_KEY, LIMITED_SECRET


class PermissionDeniedError(Exception):
    """As the client's error is called."""


async def test_a_usable_bucket_passes_and_stays_empty(bucket: Bucket, opened: S3Bucket) -> None:
    assert await prove(bucket) == []
    assert await opened.list(bucket.prefix) == []


def test_check_says_that_the_store_works(
    bucket_setting: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def done(*_: Any) -> bool:
        return True

    monkeypatch.setattr("gateway.cli.check._decoders", done)
    settings = Settings.model_validate({"gateway": {"media": bucket_setting}})
    assert check(settings) == 0
    assert "media store: ok, s3://airlock-tests/" in capsys.readouterr().out

    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2-is-wrong")
    assert check(settings) == 1
    printed = capsys.readouterr().out
    assert "gateway.media: the media store s3://airlock-tests/" in printed
    assert "the secret key does not belong to the access key" in printed
    assert "hunter2" not in printed


async def test_a_policy_without_rights_names_each(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", LIMITED_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", LIMITED_SECRET)
    said = " ".join(await prove(bucket))

    assert "the policy forbids storing an object; allow s3:PutObject" in said
    assert "the policy forbids listing the bucket; allow s3:ListBucket" in said


async def test_wrong_addresses_and_keys_are_distinguished(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = await reason(replace(bucket, name="airlock-missing"))
    assert "the bucket does not exist; create it, or correct gateway.media" in missing
    nowhere = await reason(replace(bucket, endpoint="http://127.0.0.1:9"))
    assert "it cannot be reached; check gateway.media and the network" in nowhere
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "hunter2-unknown")
    unknown = await reason(bucket)
    assert "the access key is unknown there; correct AWS_ACCESS_KEY_ID" in unknown
    assert "hunter2" not in unknown


async def reason(bucket: Bucket) -> str:
    with pytest.raises(StoreUnavailable) as caught:
        await S3Bucket(bucket).probe(f"{bucket.prefix}airlock-probe")
    return str(caught.value)


@pytest.mark.parametrize(
    ("error", "operation", "sentence"),
    [
        (PermissionDeniedError("HEAD"), GET, "allow s3:GetObject, and s3:ListBucket without which"),
        (Exception("<Code>AccessDenied</Code>"), DELETE, "allow s3:DeleteObject"),
        (Exception("status code: 403 Forbidden"), LIST, "allow s3:ListBucket"),
        (Exception("<Code>PermanentRedirect</Code>"), PUT, "the bucket is in another region"),
        (Exception("<Code>ExpiredToken</Code>"), PUT, "renew AWS_SESSION_TOKEN"),
        (Exception("<Code>RequestTimeTooSkewed</Code>"), PUT, "this machine's clock is wrong"),
        (
            Exception("PUT http://169.254.169.254/latest/api/token status code: 403"),
            PUT,
            "no credentials were found; set AWS_ACCESS_KEY_ID",
        ),
        (Exception("status code: 507: <Code>Full</Code>"), PUT, "failed with HTTP 507 Full"),
        (TimeoutError(), PUT, "it cannot be reached"),
    ],
)
def test_an_answer_is_worded_for_operators(error: Exception, operation: Any, sentence: str) -> None:
    assert sentence in explain(error, operation)
