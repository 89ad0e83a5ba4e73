"""Setting types for credentials and account ids. They report typical mistakes at start-up."""

import re
from collections.abc import Iterable
from typing import Annotated, Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from pydantic import AfterValidator, BeforeValidator, HttpUrl, SecretStr, StringConstraints

_BEGIN = "-----BEGIN "
_END = re.compile(r"-----END [A-Z ]+-----\Z")
#: Lines of the shortest key: its head, one of content, its end.
_LEAST_LINES = 3
#: Bits of an RSA key (NIST SP 800-131A).
_LEAST_RSA = 2048
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


def _check_pem(secret: SecretStr) -> SecretStr:
    """Accept one key in PEM, and name the usual mistakes of copying it into YAML or a variable."""
    text = secret.get_secret_value().strip()
    if not text:
        raise ValueError("is empty; set it to the key itself")
    if "\\n" in text and text.startswith(_BEGIN):
        raise ValueError(
            "has \\n in place of line breaks, as in a JSON file; put each line on a line of its own, after `|`"
        )
    if not text.startswith(_BEGIN):
        raise ValueError("is not a key in PEM: it must begin with -----BEGIN … KEY-----")
    if len(text.splitlines()) < _LEAST_LINES:
        raise ValueError(
            "is on one line; write `|` after the colon, and the lines of the file below it, indented"
        )
    if text.count(_BEGIN) > 1:
        raise ValueError("holds more than one key or certificate; leave only the key")
    if not _END.search(text):
        raise ValueError("lacks its last line, -----END … KEY-----; copy the whole key")
    _load_pem(text)
    return SecretStr(text + "\n")


def _load_pem(text: str) -> None:
    """Raise ValueError unless a PEM holds a key that can be used."""
    label, data = text.partition("\n")[0], text.encode()
    if "ENCRYPTED" in text[: len(label) + 80]:
        raise ValueError("is protected by a passphrase; store the key without one")
    if "CERTIFICATE" in label:
        raise ValueError("is a certificate; it needs the key")
    try:
        key = (
            load_pem_public_key(data)
            if "PUBLIC" in label
            else load_pem_private_key(data, password=None)
        )
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("is damaged: its lines do not hold a key; copy it again") from None
    if isinstance(key, RSAPrivateKey | RSAPublicKey) and key.key_size < _LEAST_RSA:
        raise ValueError(f"is an RSA key of {key.key_size} bits; it needs at least {_LEAST_RSA}")


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
#: A private or public key in PEM, which has several lines: in YAML, a block after `|`. It is checked at the start.
Pem = Annotated[SecretStr, AfterValidator(_check_pem)]
#: Several keys in PEM that are all valid.
Pems = Annotated[tuple[Pem, ...], BeforeValidator(_require_list), AfterValidator(_require_one)]
#: An account's id, such as `bot@service` or `urn:biz:1`. It is safe as a part of a URL's path.
Identifier = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9_.:@-]{1,128}$"), BeforeValidator(_reject_number)
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
