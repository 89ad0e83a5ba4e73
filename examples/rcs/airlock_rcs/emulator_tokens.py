"""Google's server of tokens and its errors, emulated.

https://developers.google.com/identity/protocols/oauth2/service-account#httprest
https://google.aip.dev/193
"""

import secrets
from functools import cached_property

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_SCOPE = "https://www.googleapis.com/auth/rcsbusinessmessaging"
#: The longest life of an assertion (seconds).
_LONGEST = 3600


class TokenServer:
    """Issues tokens to one service account that signs its assertions."""

    def __init__(self) -> None:
        self.account = "airlock@example-project.iam.gserviceaccount.com"
        #: The tokens that are valid.
        self.valid: set[str] = set()
        #: How many tokens were issued.
        self.issued = 0

    @cached_property
    def private_key(self) -> str:
        key = rsa.generate_private_key(65537, 2048)
        return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    async def issue(self, request: web.Request) -> web.StreamResponse:
        """Exchange an assertion (RFC 7523) for a token."""
        form = await request.post()
        try:
            claims = jwt.decode(
                str(form.get("assertion")),
                self._public_key(),
                algorithms=["RS256"],
                audience=str(request.url),
                options={"require": ["exp", "iat", "iss"]},
            )
        except jwt.PyJWTError as exc:
            return _error("invalid_grant", f"Invalid JWT: {exc}")
        if form.get("grant_type") != _GRANT or claims["iss"] != self.account:
            return _error("invalid_grant", "Invalid grant: account not found")
        if claims.get("scope") != _SCOPE or claims["exp"] - claims["iat"] > _LONGEST:
            return _error("invalid_scope", "Invalid OAuth scope or lifetime.")
        self.issued += 1
        token = f"ya29.{secrets.token_urlsafe(24)}"
        self.valid.add(token)
        issued = {"access_token": token, "expires_in": 3599, "token_type": "Bearer"}
        return web.json_response(issued)

    def _public_key(self) -> bytes:
        key = load_pem_private_key(self.private_key.encode(), password=None)
        return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _error(code: str, message: str) -> web.Response:
    return web.json_response({"error": code, "error_description": message}, status=400)


def rpc_error(status: int, code: str, message: str) -> web.Response:
    error = {"code": status, "message": message, "status": code}
    return web.json_response({"error": error}, status=status)
