"""Passwords are kept as scrypt hashes, each with its own salt and its cost beside it."""

import base64
import hashlib
import hmac
import secrets

#: OWASP's password storage guide: N=2^15, r=8, p=3 is as strong as its first choice and takes 32 MB, not 128.
_N, _R, _P = 15, 8, 3
_MEMORY = 64 * 1024 * 1024
_SALT, _LENGTH = 16, 32


def hashed(password: str) -> str:
    salt = secrets.token_bytes(_SALT)
    return f"scrypt${_N}${_R}${_P}${_text(salt)}${_text(_derive(password, salt, _N, _R, _P))}"


def fits(password: str, kept: str) -> bool:
    """Whether the password is the one behind the hash; takes as long for a wrong one."""
    _, n, r, p, salt, wanted = kept.split("$")
    derived = _derive(password, base64.b64decode(salt), int(n), int(r), int(p))
    return hmac.compare_digest(derived, base64.b64decode(wanted))


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


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()


#: What a password is compared with when there is no such account, so that both take the same time. No
#: password leads to it.
NOBODY = f"scrypt${_N}${_R}${_P}${_text(bytes(_SALT))}${_text(bytes(_LENGTH))}"
