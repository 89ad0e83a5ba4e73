"""Credentials for S3, where every S3 client looks for them.

The client itself reads AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION and web identity tokens
from the environment, and asks the container's or the machine's own service. Here the file of shared credentials is
added (docs.aws.amazon.com, shared config and credentials files).
"""

import configparser
import os
from collections.abc import Mapping
from pathlib import Path

_FILE = "AWS_SHARED_CREDENTIALS_FILE"
_DEFAULT_FILE = "~/.aws/credentials"
_PROFILE = "AWS_PROFILE"
#: Names in the file, and the same as the client calls them.
_NAMES = {
    "aws_access_key_id": "access_key_id",
    "aws_secret_access_key": "secret_access_key",
    "aws_session_token": "session_token",
}
#: Variables that come before the file.
_OTHERS = ("AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE")
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
_SECRETS = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_TOKEN")


def static_credentials(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the credentials of the shared file; empty if the environment has others or there is no such file."""
    if any(environ.get(name) for name in _OTHERS):
        return {}
    parser = configparser.RawConfigParser()
    try:
        parser.read(Path(environ.get(_FILE) or _DEFAULT_FILE).expanduser(), encoding="utf-8")
        profile = parser[environ.get(_PROFILE) or "default"]
    except (KeyError, OSError, ValueError, RuntimeError, configparser.Error):
        return {}
    return {ours: profile[name] for name, ours in _NAMES.items() if profile.get(name)}


def endpoint_of_environment(environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the endpoint for all buckets whose setting names none; None for Amazon's."""
    return next((environ[name] for name in _ENDPOINTS if environ.get(name)), None)


def s3_secrets(environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Return the secrets, so that logging can mask them."""
    file = static_credentials(environ)
    known = [environ.get(name) for name in _SECRETS]
    known += [file.get("secret_access_key"), file.get("session_token")]
    return tuple(secret for secret in known if secret)
