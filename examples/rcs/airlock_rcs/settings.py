"""What the section of connectors.yaml may hold."""

from typing import Annotated, Any, Literal

from connectors import ConnectorConfig, Identifier, Origin, Pem, Secrets
from pydantic import BeforeValidator, Field, HttpUrl

from .envelope import without_domain


def _bare_agent(value: Any) -> Any:
    return without_domain(value) if isinstance(value, str) else value


class Settings(ConnectorConfig):
    api_url: Origin = Field(
        default=HttpUrl("https://rcsbusinessmessaging.googleapis.com"),
        description="Google's API in the agent's region, such as "
        "https://europe-rcsbusinessmessaging.googleapis.com",
    )
    token_url: HttpUrl = Field(
        default=HttpUrl("https://oauth2.googleapis.com/token"),
        description="Where Google issues tokens: token_uri in the service account's key",
    )
    agent_id: Annotated[Identifier, BeforeValidator(_bare_agent)] = Field(
        description="The agent's id, with or without @rbm.goog"
    )
    client_tokens: Secrets = Field(
        description="The webhook's client token, which signs deliveries; two during a rotation"
    )
    service_account: str = Field(
        pattern=r"^[^@\s]+@[^@\s]+$", description="client_email in the service account's key"
    )
    private_key: Pem = Field(description="private_key in the service account's key, as PEM")
    key_id: Identifier | None = Field(
        default=None, description="private_key_id in the service account's key"
    )
    traffic_type: (
        Literal["ACKNOWLEDGEMENT", "PROMOTION", "SERVICEREQUEST", "TRANSACTION"] | None
    ) = Field(default=None, description="The type of our texts, if the agent needs one")
