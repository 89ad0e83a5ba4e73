"""Keys in PEM as settings: whole keys are accepted, and the usual mistakes are named."""

from typing import Any

import pytest
import yaml
from pydantic import BaseModel, SecretStr, ValidationError

from connectors import Pem, Pems
from gateway.settings.credentials import find_secret_errors

from .keys import ec_key, ed_key, private_pem, public_pem, rsa_key, traditional_pem

RSA = private_pem(rsa_key())
BODY = RSA.splitlines()[1]


class Settings(BaseModel):
    key: Pem
    keys: Pems = ()


@pytest.mark.parametrize(
    "text",
    [
        RSA,
        RSA.strip(),
        f"\n{RSA}\n\n",
        RSA.replace("\n", "\r\n"),
        traditional_pem(rsa_key()),
        private_pem(ec_key()),
        traditional_pem(ec_key()),
        private_pem(ed_key()),
        public_pem(rsa_key()),
        public_pem(ec_key()),
    ],
    ids=range(10),
)
def test_a_whole_key_is_accepted(text: str) -> None:
    settings = Settings.model_validate({"key": text, "keys": [text]})
    assert settings.key.get_secret_value().startswith("-----BEGIN ")
    assert BODY not in repr(settings)
    assert list(find_secret_errors(Settings, {"key": text, "keys": [text]}, ())) == []


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (RSA.replace("\n", " ").strip(), "is on one line; write `|`"),
        (RSA.replace("\n", "").strip(), "is on one line; write `|`"),
        (RSA.replace("\n", "\\n"), "in place of line breaks"),
        ("", "is empty"),
        ("  \n", "is empty"),
        ("sesame", "is not a key in PEM"),
        (BODY, "is not a key in PEM"),
        (RSA.rpartition("-----END")[0], "lacks its last line"),
        (RSA.replace(BODY + "\n", ""), "is damaged"),
        (RSA.replace(BODY, "A" * len(BODY)), "is damaged"),
        (RSA + RSA, "more than one"),
        (private_pem(rsa_key(), b"sesame"), "protected by a passphrase"),
        (private_pem(rsa_key(1024)), "1024 bits"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "is a certificate"),
    ],
    ids=range(14),
)
def test_a_mistake_in_a_key_is_named(text: str, named: str) -> None:
    with pytest.raises(ValidationError) as mistake:
        Settings.model_validate({"key": text})
    (error,) = mistake.value.errors()
    assert named in error["msg"]
    assert BODY not in error["msg"]


def test_a_key_in_a_yaml_block_is_read() -> None:

    lines = "".join(f"  {line}\n" for line in RSA.splitlines())
    for style in ("|", "|-", "|+"):
        read: Any = yaml.safe_load(f"key: {style}\n{lines}")
        assert Settings.model_validate(read).key == SecretStr(RSA)
        assert list(find_secret_errors(Settings, read, ())) == []
