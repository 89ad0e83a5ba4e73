"""API tokens: bearer tokens of `/v1`, each with the scopes that it has."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic_core import PydanticCustomError

from .credentials import check_token

Scope = Literal["core", "operate", "read"]
#: Every scope. A token without `scopes` has them all.
SCOPES: tuple[Scope, ...] = get_args(Scope)


class ScopedToken(BaseModel):
    """A token with its scopes."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    token: Annotated[SecretStr, AfterValidator(check_token)] = Field(
        description="The bearer token itself"
    )
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1)] = Field(
        default=SCOPES,
        description="core: what the conversation core does; operate: failures, look-ups, people and erasures; "
        "read: every GET. Default: all",
    )

    def get_secret_value(self) -> str:
        """Return the token in clear text."""
        return self.token.get_secret_value()


def _with_scopes(value: Any) -> Any:
    """Give a token that stands alone every scope."""
    if isinstance(value, Mapping | ScopedToken):
        return value
    secret = SecretStr(value) if isinstance(value, str) else value
    if not isinstance(secret, SecretStr):
        raise PydanticCustomError("string_type", "must be text")
    return ScopedToken(token=check_token(secret))


ApiToken = Annotated[
    ScopedToken, BeforeValidator(_with_scopes, json_schema_input_type=SecretStr | ScopedToken)
]
