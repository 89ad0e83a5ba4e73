"""The accounts of one section: a single one with its token, or several, each with a token of its own."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Self

from pydantic import Field, SecretStr, model_validator

from connectors.errors import Rejected
from connectors.meta import AccessToken, MetaConfig
from connectors.tools.setting_types import Identifier

#: Accounts of one section. `airlock check` makes a call for each, and a flow of the gateway has at most 60.
MOST_ACCOUNTS = 50

Tokens = Annotated[dict[Identifier, AccessToken], Field(max_length=MOST_ACCOUNTS)]


class AccountsConfig(MetaConfig):
    """The settings of a section with one or several accounts, and what Messenger and Instagram also share."""

    #: The settings that hold the id of the single account, and the tokens of several by their ids.
    single: ClassVar[str]
    several: ClassVar[str]
    #: Meta's word for an account.
    noun: ClassVar[str]

    access_token: AccessToken | None = Field(
        default=None, description="The access token of the single account"
    )
    human_agent: bool = Field(
        default=False,
        description="Whether Meta has granted the app Human Agent, to reply within 7 days instead of 24 hours",
    )

    @model_validator(mode="after")
    def _check_accounts(self) -> Self:
        single, several = getattr(self, self.single), getattr(self, self.several)
        one = f"{self.single} with access_token"
        if several and (single or self.access_token):
            raise ValueError(f"set either {one} or {self.several}, but not both")
        if not several and not (single and self.access_token):
            raise ValueError(f"set {one}, or {self.several} for more than one {self.noun}")
        return self

    @property
    def tokens(self) -> Mapping[str, SecretStr]:
        """The token of each account by its id, in the order of the settings."""
        several: Mapping[str, SecretStr] | None = getattr(self, self.several)
        if several:
            return several
        assert self.access_token is not None  # _check_accounts
        return {str(getattr(self, self.single)): self.access_token}

    def account(self, named: str) -> str:
        """The account from which to answer: the one that was written to.

        Without a name, the first. Raises Rejected if the consumer wrote to an account of which there is no token.
        """
        if not self.has_token_of(named):
            detail = (
                f"the consumer wrote to the {self.noun} {named}; add it to {self.several} to answer"
            )
            raise Rejected("misconfigured", detail=detail, operator=True)
        return named or next(iter(self.tokens))

    def has_token_of(self, named: str) -> bool:
        """Whether the settings have a token for calls of an account; without a name, for those of the first."""
        # A single token may belong to a system user, for whom Meta accepts further accounts.
        return not (named and getattr(self, self.several)) or named in self.tokens

    def token(self, account: str) -> SecretStr:
        """The token for the calls of an account."""
        tokens = self.tokens
        return tokens.get(account) or next(iter(tokens.values()))
