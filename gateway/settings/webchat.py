"""The section `webchat` of connectors.yaml: the web channel's own server."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    field_serializer,
)

from .addresses import Address, BaseUrl, Listen, Origin, Url
from .credentials import Token, WebhookSecret
from .units import Count, Duration, Flag, Size

if TYPE_CHECKING:
    from webchat import Limits, Site, WebchatSettings
    from webchat.theme import Theme

_DAY = 86_400.0


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class AllowanceSection(_Section):
    """How much one consumer may upload."""

    at_once: Count = Field(description="Uploads at the same time")
    per_hour: Count = Field(description="Uploads within an hour")
    bytes_per_day: Size = Field(description="Bytes of uploads within a day")


class LimitsSection(_Section):
    """Limits of a site."""

    text: Count = Field(default=4000, description="Code points of a text")
    messages_per_minute: Count = Field(default=30, description="Messages of one consumer")
    file_max_bytes: Size = Field(default=25_000_000, description="Bytes of one file")
    files: Annotated[Count, Field(le=100)] = Field(default=10, description="Files of one message")
    anonymous: AllowanceSection = Field(
        default=AllowanceSection(at_once=1, per_hour=10, bytes_per_day=100_000_000),
        description="What an anonymous consumer may upload",
    )
    signed_in: AllowanceSection = Field(
        default=AllowanceSection(at_once=3, per_hour=60, bytes_per_day=1_000_000_000),
        description="What a consumer may upload who signed in",
    )
    sessions_per_hour: Annotated[Count, Field(ge=2)] = Field(
        default=20, description="New sessions of one network: a /24 of IPv4, a /56 of IPv6"
    )
    network_bytes_per_day: Size = Field(
        default=500_000_000, description="Bytes of uploads of one network within a day"
    )

    def values(self) -> "Limits":
        from webchat.settings import Allowance, Limits

        def allowance(section: AllowanceSection) -> Allowance:
            return Allowance(
                at_once=section.at_once,
                an_hour=section.per_hour,
                bytes_a_day=section.bytes_per_day,
            )

        return Limits(
            text=self.text,
            messages_a_minute=self.messages_per_minute,
            file_bytes=self.file_max_bytes,
            files=self.files,
            anonymous=allowance(self.anonymous),
            signed_in=allowance(self.signed_in),
            sessions_an_hour_for_address=self.sessions_per_hour,
            bytes_a_day_for_address=self.network_bytes_per_day,
        )


Colour = Annotated[str, Field(pattern=r"^#[0-9A-Fa-f]{6}$")]


class ThemeSection(_Section):
    """The colours of a site's chat, as #rrggbb."""

    brand: Colour = Field(default="#1b6456", description="Consumers' messages and buttons")
    on_brand: Colour = Field(default="#ffffff", description="Text on `brand`")
    canvas: Colour = Field(default="#ffffff", description="Background, in light")
    surface: Colour = Field(default="#f1f2f0", description="Agents' messages, in light")
    ink: Colour = Field(default="#1c1f21", description="Text, in light")
    ink_soft: Colour = Field(default="#565c61", description="Times and notes, in light")
    bad: Colour = Field(default="#a32a24", description="What has failed, in light")
    radius: Annotated[int, Field(ge=0, le=24)] = Field(
        default=20, description="Pixels by which messages are rounded"
    )

    def values(self) -> "Theme":
        from webchat.theme import Theme

        return Theme(**self.model_dump())


class SiteSection(_Section):
    """A website or app. Its name becomes `account` in events."""

    origins: tuple[Origin, ...] = Field(
        default=(), description="Origins of the pages that may show the chat in a frame"
    )
    identity_keys: tuple[Token, ...] = Field(
        default=(),
        description=(
            "Verify the JWTs by which your back-end says who somebody is: secrets for HS256, or public keys in PEM"
            " for EdDSA. Omit them, and everybody is anonymous."
        ),
    )
    anonymous: Flag = Field(
        default=True, description="false accepts only consumers whom your back-end signed in"
    )
    uploads: Literal["always", "after_reply", "signed_in", "never"] = Field(
        default="always", description="Who may send files; after_reply: once an agent has written"
    )
    accept: tuple[Literal["photo", "video", "audio", "document"], ...] = Field(
        default=("photo", "video"), description="Kinds of files that are taken"
    )
    remember: Literal["chat", "page"] = Field(
        default="chat",
        description=(
            "page: where browsers keep nothing for a frame on another site, your page keeps what continues the"
            " conversation after a reload. Every script of your page can read it."
        ),
    )
    limits: LimitsSection = Field(
        default_factory=LimitsSection, description="How much consumers may send"
    )
    theme: ThemeSection = Field(
        default_factory=ThemeSection, description="Colours of the chat, as #rrggbb"
    )

    def values(self) -> "Site":
        from webchat.settings import Site

        return Site(
            origins=self.origins,
            identity_keys=tuple(key.get_secret_value() for key in self.identity_keys),
            anonymous=self.anonymous,
            uploads=self.uploads,
            accept=self.accept,
            limits=self.limits.values(),
            theme=self.theme.values(),
            remember=self.remember,
        )


SiteName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$")]


class WebchatSection(_Section):
    """The web channel's own server, on an origin of its own."""

    listen: Listen = Field(
        default=Address("127.0.0.1", 8090),
        json_schema_extra={"default": "127.0.0.1:8090"},
        description="host:port to listen on; a proxy in front of it terminates TLS",
    )
    public_url: BaseUrl = Field(
        description="URL by which browsers and apps reach the chat, without a path"
    )
    deliver_to: Url = Field(
        description="The gateway's webhook of the connector of type web: …/webhooks/<name>"
    )
    secrets: tuple[WebhookSecret, ...] = Field(
        description="Standard Webhooks secrets (whsec_…): each signs every delivery; list two while you replace one",
    )
    access_tokens: tuple[Token, ...] = Field(description="Bearer tokens accepted from the gateway")
    uploads_max_bytes: Size = Field(
        default=2_000_000_000, description="Maximum total size of uploads on disk"
    )
    media: Literal["redirect", "proxy"] = Field(
        default="redirect",
        description="redirect sends browsers to the gateway for sanitized files; proxy passes them through",
    )
    media_origin: Origin | None = Field(
        default=None,
        description="Origin of the gateway as browsers reach it. Default: the origin of deliver_to",
    )
    retention: Annotated[Duration, Field(gt=0)] = Field(
        default=30 * _DAY,
        json_schema_extra={"default": "30d"},
        description="How long a conversation is kept after its last message",
    )
    trusted_proxies: Annotated[int, Field(ge=0, le=10)] = Field(
        default=0,
        description="Number of your own reverse proxies in front of the chat; each must append to X-Forwarded-For",
    )
    sites: Annotated[Mapping[SiteName, SiteSection], AfterValidator(MappingProxyType)] = Field(
        min_length=1, description="One section for each website or app; its name becomes `account`"
    )

    @field_serializer("sites")
    def _serialize_sites(self, sites: Mapping[str, SiteSection]) -> dict[str, Any]:
        return {name: site.model_dump(mode="json") for name, site in sites.items()}

    def settings(self, gateway_data: Path) -> "WebchatSettings":
        """Return the server's own settings; its data are in a folder of the gateway's."""
        from webchat.settings import WebchatSettings

        def revealed(secrets: tuple[SecretStr, ...]) -> tuple[str, ...]:
            return tuple(secret.get_secret_value() for secret in secrets)

        return WebchatSettings(
            data=gateway_data / "webchat",
            public_url=self.public_url,
            deliver_to=self.deliver_to,
            secrets=revealed(self.secrets),
            access_tokens=revealed(self.access_tokens),
            sites={name: site.values() for name, site in self.sites.items()},
            uploads_max_bytes=self.uploads_max_bytes,
            media=self.media,
            media_origin=self.media_origin or "",
            retention=self.retention,
            trusted_proxies=self.trusted_proxies,
        )
