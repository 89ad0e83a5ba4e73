"""A small connector for tests of the settings, which install it as a plugin and do not import it from here."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, SecretStr, field_validator

from connectors import (
    AnyEvent,
    Capabilities,
    Connector,
    ConnectorConfig,
    Delivery,
    Forbidden,
    Request,
)


class Window(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    opens: str = Field(description="When it opens")
    closes: str = Field(default="18:00", description="When it closes")


class AcmeConfig(ConnectorConfig):
    api_url: HttpUrl = Field(default=HttpUrl("https://api.acme.example"), description="Acme's API")
    app_secrets: tuple[SecretStr, ...] = Field(description="Secrets that sign deliveries")
    access_token: SecretStr = Field(description="Calls the API")
    account: str = Field(description="Our account")
    colour: str = Field(default="red", description="Anything but green")
    window: Window | None = Field(default=None, description="Office hours")

    @field_validator("colour")
    @classmethod
    def _not_green(cls, colour: str) -> str:
        if colour.startswith("green"):
            raise ValueError(f"{colour} is not to be had")
        if colour == "broken":
            raise KeyError(colour)
        return colour


class Acme(Connector[AcmeConfig]):
    name = "acme"
    label = "Acme Chat"
    docs = "https://acme.example/docs"
    capabilities = Capabilities(features={"text": "yes"})
    Config: ClassVar[type[ConnectorConfig]] = AcmeConfig

    def verify(self, request: Request) -> None:
        del request
        raise Forbidden("nobody is trusted")

    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        del delivery
        return []
