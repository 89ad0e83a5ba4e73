"""The settings as the program sees them: one frozen model for each section of connectors.yaml."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    InstanceOf,
    SecretStr,
    ValidationInfo,
    WithJsonSchema,
    field_serializer,
    field_validator,
)

from connectors import Connector
from normalizer.media import Limits

from .addresses import Address, BaseUrl, Host, Listen, Scanner, Url
from .credentials import WebhookSecret, secret_values
from .units import Count, Duration, Flag, Size

_DAY = 86_400.0
_WEEK = 7 * _DAY


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _check_journal(value: str) -> str:
    if value.startswith(("postgresql://", "postgres://")):
        raise ValueError(
            "this version stores the journal in SQLite; write sqlite, or leave the key out"
        )
    if value != "sqlite":
        raise ValueError("must be sqlite")
    return value


def _check_media(value: str) -> str:
    if value.startswith("s3://"):
        raise ValueError("this version stores media in files; write file, or leave the key out")
    if value != "file":
        raise ValueError("must be file")
    return value


class GatewaySettings(_Section):
    """How the gateway is reached and where it keeps things."""

    listen: Listen = Field(
        default=Address("127.0.0.1", 8080),
        json_schema_extra={"default": "127.0.0.1:8080"},
        description="host:port to listen on; IPv6 as [::1]:8080. A proxy in front terminates TLS.",
    )
    public_url: BaseUrl = Field(
        default_factory=lambda known: f"http://{known['listen']}",
        description=(
            "How the platforms and the agents' browsers reach the gateway. Some platforms sign this URL and"
            " links are built on it, so it must be exactly what the platforms are given. Default: http://<listen>"
        ),
    )
    data: Path = Field(
        default=Path("airlock-data"),
        validate_default=True,
        description="Folder for everything that is stored; a relative one is beside this file",
    )
    journal: Annotated[
        str,
        AfterValidator(_check_journal),
        WithJsonSchema({"type": "string", "pattern": "^(sqlite$|postgres(ql)?://)"}),
    ] = Field(
        default="sqlite",
        description="Where deliveries and events are kept: sqlite (this version takes no postgresql:// yet)",
    )
    media: Annotated[
        str,
        AfterValidator(_check_media),
        WithJsonSchema({"type": "string", "pattern": "^(file$|s3://)"}),
    ] = Field(
        default="file",
        description="Where clean photos and videos are kept: file (this version takes no s3:// yet)",
    )
    trusted_proxies: Annotated[int, Field(ge=0, le=10)] = Field(
        default=0,
        description=(
            "How many proxies of your own stand before Airlock. The built-in workspace limits sign-ins by address,"
            " and with proxies takes it from X-Forwarded-For, to which each of them must add."
        ),
    )
    text_retention: Annotated[Duration, Field(gt=0)] = Field(
        default=30 * _DAY,
        json_schema_extra={"default": "30d"},
        description="How long texts are kept, by the built-in workspace too; another core has its own copy",
    )
    api_tokens: tuple[SecretStr, ...] = Field(
        default=(),
        description="Bearer tokens the conversation core may use; several while one is replaced",
    )

    @field_validator("data")
    @classmethod
    def _resolve_data_folder(cls, data: Path, info: ValidationInfo) -> Path:
        folder: Path = (info.context or {}).get("folder", Path())
        return folder / data.expanduser()


class CoreSettings(_Section):
    """The conversation core that gets the events."""

    url: Url | None = Field(
        default=None,
        description="Where events are posted to. Leave out to use the built-in workspace.",
    )
    secrets: tuple[WebhookSecret, ...] = Field(
        default=(),
        validate_default=True,
        description=(
            "Standard Webhooks secrets (whsec_…) that sign the events; several while one is replaced:"
            " each event carries a signature for each"
        ),
    )
    hold_seconds: Annotated[Duration, Field(le=600)] = Field(
        default=2.0,
        json_schema_extra={"default": 2},
        description="How long a message may wait for its media before it goes out with them pending",
    )

    @field_validator("secrets")
    @classmethod
    def _require_secrets(
        cls, secrets: tuple[SecretStr, ...], info: ValidationInfo
    ) -> tuple[SecretStr, ...]:
        if info.data.get("url") and not secrets:
            raise ValueError("is required with core.url: every event is signed")
        return secrets


class MediaSettings(_Section):
    """What a photo and a video may be, and what becomes of them."""

    photo_max_bytes: Size = Field(
        default=25_000_000, description="A larger photo is rejected as too_large"
    )
    photo_max_pixels: Count = Field(
        default=64_000_000,
        description="A photo with more pixels is rejected as too_many_pixels",
    )
    preview_max_side: Annotated[Count, Field(ge=320)] = Field(
        default=4096, description="Longest side of a photo's preview in pixels"
    )
    preview_max_bytes: Annotated[Size, Field(ge=100_000)] = Field(
        default=3_000_000, description="Largest preview of a photo"
    )
    thumbnail_max_bytes: Annotated[Size, Field(ge=5_000)] = Field(
        default=30_000, description="Largest thumbnail"
    )
    thumbnail_side: Annotated[Count, Field(ge=32, le=1024)] = Field(
        default=320, description="Side of the square thumbnail in pixels"
    )
    video_max_bytes: Size = Field(
        default=25_000_000, description="A larger video is rejected as too_large"
    )
    video_max_length: Annotated[Duration, Field(gt=0)] = Field(
        default=3600.0,
        json_schema_extra={"default": "1h"},
        description="A longer video is rejected as too_long",
    )
    video: Literal["auto", "transcode"] = Field(
        default="auto",
        description="auto re-encodes what browsers do not play; transcode re-encodes every video",
    )
    scanner: Scanner | None = Field(
        default=None,
        description="ClamAV: unix:/run/clamav/clamd.ctl or tcp://127.0.0.1:3310; leave out for none",
    )
    isolation: Literal["full", "reduced"] = Field(
        default="full",
        description="reduced decodes behind fewer walls, where the kernel lacks one",
    )
    quarantine_max_bytes: Size = Field(
        default=1_000_000_000,
        description="Largest sum of originals kept until they can be scanned and made safe",
    )
    retention: Annotated[Duration, Field(gt=0)] = Field(
        default=30 * _DAY,
        json_schema_extra={"default": "30d"},
        description="How long photos and videos are kept",
    )
    link_lifetime: Annotated[Duration, Field(gt=0, le=_DAY)] = Field(
        default=300.0,
        json_schema_extra={"default": "5m"},
        description="How long a link to a photo or a video works",
    )
    max_photos_per_conversation: Count | None = Field(
        default=None,
        description="With one more photo the oldest is removed and announced; leave out for no limit",
    )
    duplicate_window: Annotated[Duration, Field(ge=_WEEK)] = Field(
        default=_WEEK,
        json_schema_extra={"default": "7d"},
        description="How long a delivery is remembered to recognise its repeats: at least 7d",
    )

    def limits(self) -> Limits:
        """The numbers the sanitizer works with."""
        return Limits(
            photo_max_bytes=self.photo_max_bytes,
            photo_max_pixels=self.photo_max_pixels,
            preview_max_side=self.preview_max_side,
            preview_max_bytes=self.preview_max_bytes,
            thumbnail_max_bytes=self.thumbnail_max_bytes,
            thumbnail_side=self.thumbnail_side,
            video_max_bytes=self.video_max_bytes,
            video_max_seconds=self.video_max_length,
            transcode="always" if self.video == "transcode" else "auto",
        )


class FetchSettings(_Section):
    """Where media may be fetched from."""

    allow_private_hosts: Flag = Field(
        default=False,
        description=(
            "true only for simulators and tests: loopback over http stands in for any platform host"
        ),
    )
    extra_hosts: tuple[Host, ...] = Field(
        default=(),
        description=(
            "More hosts a platform may serve media from; .example.com means all hosts below example.com"
        ),
    )


class Settings(_Section):
    """connectors.yaml, checked. `connectors` holds the connectors themselves, by their name in the URL."""

    gateway: GatewaySettings = Field(default_factory=GatewaySettings)
    core: CoreSettings = Field(default_factory=CoreSettings)
    media: MediaSettings = Field(default_factory=MediaSettings)
    fetch: FetchSettings = Field(default_factory=FetchSettings)
    connectors: Annotated[
        Mapping[str, InstanceOf[Connector[Any]]], AfterValidator(MappingProxyType)
    ] = Field(
        default={},
        validate_default=True,
        description="The channels. Each name is the end of its URL: /webhooks/<name>",
    )

    def secrets(self) -> frozenset[str]:
        """Every secret in clear, so that logging can mask them."""
        configs = (connector.config for connector in self.connectors.values())
        return frozenset(secret_values([self.gateway, self.core, *configs]))

    @field_serializer("connectors")
    def _serialize_connectors(self, connectors: Mapping[str, Connector[Any]]) -> dict[str, Any]:
        return {
            name: connector.config.model_dump(mode="json") for name, connector in connectors.items()
        }
