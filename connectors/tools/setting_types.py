"""Setting types for credentials and account ids. They report typical mistakes at start-up."""

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, HttpUrl, SecretStr, StringConstraints

#: Characters of any secret at least: what is shorter was cut when it was copied, or is a placeholder.
MIN_SECRET = 4


def _check_secret(secret: SecretStr) -> SecretStr:
    value = secret.get_secret_value()
    if not value.strip():
        raise ValueError("is empty; set it to the secret itself")
    if value != value.strip():
        raise ValueError("begins or ends with a blank, probably from copying; remove the blank")
    if not (value.isascii() and value.isprintable()):
        raise ValueError("contains a character that is not printable ASCII; copy the secret again")
    return require_length(secret, MIN_SECRET)


def require_length(secret: SecretStr, least: int) -> SecretStr:
    """Raise ValueError if a secret has fewer characters than `least`, so that it can be guessed."""
    length = len(secret.get_secret_value())
    if length < least:
        size = "one character" if length == 1 else f"{length} characters"
        raise ValueError(
            f"has {size}, which can be guessed; it needs at least {least}: copy all of it"
        )
    return secret


def _require_list(value: Any) -> Any:
    if isinstance(value, str | SecretStr):
        raise ValueError('must be a list, even for a single value: ["…"]')  # noqa: TRY004 - pydantic reports ValueErrors
    return value


def _require_one(secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    if not secrets:
        raise ValueError("needs at least one secret; without one, no delivery can be verified")
    return secrets


def _reject_number(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        raise ValueError("is a number; put it in quotes")  # noqa: TRY004 - as above
    return value


def _check_origin(url: HttpUrl) -> HttpUrl:
    require_bare(url)
    path = (url.path or "").rstrip("/")
    if path:
        raise ValueError(f"must not have a path: remove {path}, which Airlock adds to its calls")
    return url


def require_bare(url: HttpUrl) -> None:
    """Raise ValueError if a URL has a query or a fragment, to which no path can be added."""
    if url.query is not None or url.fragment is not None:
        raise ValueError("must not have a query or a fragment: remove what follows ? or #")


#: The address of an API whose paths the connector adds itself. A final slash changes nothing.
Origin = Annotated[HttpUrl, AfterValidator(_check_origin)]
#: A token, key or password.
Secret = Annotated[SecretStr, AfterValidator(_check_secret)]
#: Secrets that are all valid, so that one can be replaced without losing deliveries. The first signs our own calls.
Secrets = Annotated[
    tuple[Secret, ...], BeforeValidator(_require_list), AfterValidator(_require_one)
]
#: An account's id. It is safe inside a URL.
Identifier = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,128}$"), BeforeValidator(_reject_number)
]
#: Several account ids.
Identifiers = Annotated[tuple[Identifier, ...], BeforeValidator(_require_list)]
#: The number or name that sends our texts. YAML reads an unquoted +1555 as a number and drops the plus.
Sender = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9+:_. -]{1,64}$"), BeforeValidator(_reject_number)
]


def revealed(secrets: Iterable[SecretStr]) -> list[str]:
    """The plain text of secrets. Call it only where the secrets are used."""
    return [secret.get_secret_value() for secret in secrets]
