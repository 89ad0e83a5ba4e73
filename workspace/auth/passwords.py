"""Password hashing with scrypt. Each hash carries its own salt and cost."""

import base64
import hashlib
import hmac
import secrets

#: From OWASP's password storage guide. N=2^15, r=8, p=3 is as strong as its first choice, and needs 32 MB, not 128.
_N, _R, _P = 15, 8, 3
_MEMORY = 64 * 1024 * 1024
_SALT, _LENGTH = 16, 32


def hash_password(password: str) -> str:
    salt = secrets.token_bytes(_SALT)
    return f"scrypt${_N}${_R}${_P}${_base64(salt)}${_base64(_derive(password, salt, _N, _R, _P))}"


def verify_password(password: str, stored: str) -> bool:
    """Whether the password matches the hash. A wrong password takes as long as the right one."""
    _, n, r, p, salt, expected = stored.split("$")
    derived = _derive(password, base64.b64decode(salt), int(n), int(r), int(p))
    return hmac.compare_digest(derived, base64.b64decode(expected))


def _derive(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(
        password.encode("utf-8", "surrogatepass"),
        salt=salt,
        n=1 << n,
        r=r,
        p=p,
        maxmem=_MEMORY,
        dklen=_LENGTH,
    )


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


#: The hash to verify against when the account does not exist, so that both cases take the same time. No password
#: matches it.
DUMMY_HASH = f"scrypt${_N}${_R}${_P}${_base64(bytes(_SALT))}${_base64(bytes(_LENGTH))}"
