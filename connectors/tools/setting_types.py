"""Setting types for credentials and account ids: what a wrong one looks like, said before anything starts."""

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, SecretStr, StringConstraints


def _check_secret(secret: SecretStr) -> SecretStr:
    value = secret.get_secret_value()
    if not value.strip():
        raise ValueError("is empty; an empty secret would prove nothing")
    if value != value.strip():
        raise ValueError("begins or ends with a blank; it was probably pasted along")
    if not (value.isascii() and value.isprintable()):
        raise ValueError("holds a character that is no printable ASCII; was it pasted whole?")
    return secret


def _require_list(value: Any) -> Any:
    if isinstance(value, str | SecretStr):
        raise ValueError('must be a list, even of one: ["…"]')  # noqa: TRY004 - pydantic reports ValueErrors
    return value


def _require_one(secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    if not secrets:
        raise ValueError("needs at least one secret; without it nothing can be proved")
    return secrets


def _reject_number(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        raise ValueError("is a number; put it in quotes")  # noqa: TRY004 - as above
    return value


#: A token, key or password.
Secret = Annotated[SecretStr, AfterValidator(_check_secret)]
#: Secrets of which each counts, so that one can be replaced without losing a delivery. The first is ours to use.
Secrets = Annotated[
    tuple[Secret, ...], BeforeValidator(_require_list), AfterValidator(_require_one)
]
#: An account's id, safe inside a URL.
Identifier = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,128}$"), BeforeValidator(_reject_number)
]
#: Several of them.
Identifiers = Annotated[tuple[Identifier, ...], BeforeValidator(_require_list)]
#: A number or name that texts come from; YAML would read an unquoted +1555 as a number and drop the plus.
Sender = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9+:_. -]{1,64}$"), BeforeValidator(_reject_number)
]


def revealed(secrets: Iterable[SecretStr]) -> list[str]:
    """The secrets themselves, for the moment they are used."""
    return [secret.get_secret_value() for secret in secrets]
