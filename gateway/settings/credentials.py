"""Secrets in the settings: validating them, finding them, and keeping them out of messages."""

import base64
import binascii
import typing
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, SecretBytes, SecretStr

from connectors.tools.setting_types import MIN_SECRET, require_length

from .errors import Path

#: A shorter text is more likely a word of the message than a secret, and masking it would garble the message.
_MIN_LENGTH = 6
#: Bytes of a key that signs events. Standard Webhooks asks for 24: shorter ones are warned of.
_MIN_KEY = 8


def check_webhook_secret(secret: SecretStr) -> SecretStr:
    """Accept a Standard Webhooks secret: `whsec_` followed by the key in base64."""
    text = secret.get_secret_value()
    key = signing_key(secret)
    if not text.startswith("whsec_") or not key:
        raise ValueError("must be whsec_ followed by a key in base64, as in Standard Webhooks")
    if len(key) < _MIN_KEY:
        raise ValueError(
            f"has a key of {len(key)} bytes, which can be guessed; create one with at least {_MIN_KEY}"
        )
    return secret


def signing_key(secret: SecretStr) -> bytes:
    """Return the key of a Standard Webhooks secret, or b"" if it is not valid base64."""
    try:
        return base64.b64decode(secret.get_secret_value().removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        return b""


def check_token(token: SecretStr) -> SecretStr:
    """Accept a token that cannot be guessed."""
    return require_length(token, MIN_SECRET)


Token = Annotated[SecretStr, AfterValidator(check_token)]
WebhookSecret = Annotated[SecretStr, AfterValidator(check_webhook_secret)]


def find_secret_errors(
    model: type[BaseModel], section: Any, at: Path
) -> Iterator[tuple[Path, str]]:
    """Find secrets that are blank, padded with white space or missing, in a section that is not yet validated."""
    for name, value in _secret_fields(model, section):
        field = model.model_fields[name]
        if value == [] and field.is_required():
            yield (*at, name), "needs at least one secret"
        for path, text in _texts(value, (*at, name)):
            if not text.strip():
                yield path, "is empty; a secret is required here"
            elif text != text.strip() and not text.lstrip().startswith("-----BEGIN "):
                yield path, "begins or ends with white space, which is never part of a secret"


def find_short_secrets(config: BaseModel, at: Path) -> Iterator[tuple[Path, str]]:
    """Find secrets that can be guessed, in a section that is valid otherwise."""
    for name in type(config).model_fields:
        for secret in secret_values(getattr(config, name)):
            try:
                require_length(SecretStr(secret), MIN_SECRET)
            except ValueError as exc:
                yield (*at, name), str(exc)


def secret_texts(model: type[BaseModel], section: Any) -> Iterator[str]:
    """Yield the texts of all secrets in a section that is not yet validated."""
    for _, value in _secret_fields(model, section):
        yield from (text for _, text in _texts(value, ()))


def secret_values(value: Any) -> Iterator[str]:
    """Yield every secret inside the settings in clear text, so that it can be masked."""
    match value:
        case SecretStr():
            yield value.get_secret_value()
        case BaseModel():
            for name in type(value).model_fields:
                yield from secret_values(getattr(value, name))
        case Mapping():
            for part in value.values():
                yield from secret_values(part)
        case tuple() | list():
            for part in value:
                yield from secret_values(part)


def mask(message: str, secrets: Iterable[str]) -> str:
    """Return the message with every secret masked, the longest first, because one may contain another."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _MIN_LENGTH:
            message = message.replace(secret, "***")
    return message


def _secret_fields(model: type[BaseModel], section: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(section, Mapping):
        return
    for name, field in model.model_fields.items():
        if name in section and _is_secret(field.annotation):
            yield name, section[name]


def _is_secret(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return any(_is_secret(field.annotation) for field in annotation.model_fields.values())
    return annotation in {SecretStr, SecretBytes} or any(
        _is_secret(part) for part in typing.get_args(annotation)
    )


def _texts(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    match value:
        case str():
            yield path, value
        case list():
            for at, part in enumerate(value):
                yield from _texts(part, (*path, at))
        case Mapping():
            for name, part in value.items():
                yield from _texts(part, (*path, name))
