"""The settings in memory: one frozen model for each section of connectors.yaml."""

import socket
from collections.abc import Mapping
from importlib.util import find_spec
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

from .addresses import Address, BaseUrl, Host, Listen, Origin, Scanner, Url
from .api_tokens import ApiToken
from .credentials import WebhookSecret, secret_values
from .databases import DatabaseUrl, JournalPlace
from .log_section import LogSettings
from .media_store import check_media_store
from .s3_credentials import s3_secrets
from .units import Count, Duration, Flag, Size
from .webchat import WebchatSection

_DAY = 86_400.0
_WEEK = 7 * _DAY


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _require_opentelemetry(url: str) -> str:
    try:
        found = find_spec("opentelemetry.exporter.otlp.proto.http")
    except ModuleNotFoundError:
        found = None
    if found is None:
        raise ValueError(
            "needs a package that is not installed; run pip install 'airlock-messaging[traces]', or omit the key"
        )
    return url


class GatewaySettings(_Section):
    """The gateway's addresses, tokens and storage."""

    listen: Listen = Field(
        default=Address("127.0.0.1", 8080),
        json_schema_extra={"default": "127.0.0.1:8080"},
        description="host:port to listen on; IPv6 as [::1]:8080. A proxy in front of it terminates TLS.",
    )
    public_url: BaseUrl = Field(
        default_factory=lambda known: f"http://{known['listen']}",
        description=(
            "URL by which the platforms and the agents' browsers reach the gateway. Some platforms sign it and media"
            " links start with it, so it must be exactly the URL configured at the platforms. Default: http://<listen>"
        ),
    )
    data: Path = Field(
        default=Path("airlock-data"),
        validate_default=True,
        description="Folder for all stored data; a relative path starts at this file's folder",
    )
    journal: JournalPlace = Field(
        default="sqlite",
        description=(
            "Where deliveries and events are stored: sqlite, in the data folder, or"
            " postgresql://user:password@host/database, which requires core.url"
        ),
    )
    media: Annotated[
        str,
        AfterValidator(check_media_store),
        WithJsonSchema({"type": "string", "pattern": "^(file$|s3://)"}),
    ] = Field(
        default="file",
        description=(
            "Where clean media are stored: file, or s3://bucket/prefix?endpoint=https://…&region=… with credentials as"
            " every S3 client reads them"
        ),
    )
    node: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")] = Field(
        default_factory=socket.gethostname,
        description="This node's name in the database, with postgresql://. Default: the machine's name",
    )
    trusted_proxies: Annotated[int, Field(ge=0, le=10)] = Field(
        default=0,
        description=(
            "Number of your own reverse proxies in front of Airlock. The built-in workspace limits sign-ins by client"
            " address; behind proxies it reads the address from X-Forwarded-For, to which each proxy must append."
        ),
    )
    text_retention: Annotated[Duration, Field(gt=0)] = Field(
        default=30 * _DAY,
        json_schema_extra={"default": "30d"},
        description="How long texts are kept, also by the built-in workspace; any other core keeps its own copy",
    )
    api_tokens: tuple[ApiToken, ...] = Field(
        default=(),
        description=(
            "Bearer tokens of the API; list two while you replace one. A token alone may do everything;"
            " {token: …, scopes: [core, operate, read]} limits what it may do"
        ),
    )

    @property
    def journal_url(self) -> str:
        """`journal` in clear text."""
        place = self.journal
        return place if isinstance(place, str) else place.url.get_secret_value()

    @field_validator("data")
    @classmethod
    def _resolve_data_folder(cls, data: Path, info: ValidationInfo) -> Path:
        folder: Path = (info.context or {}).get("folder", Path())
        return folder / data.expanduser()


class CoreSettings(_Section):
    """The conversation core that receives the events."""

    url: Url | None = Field(
        default=None,
        description="URL to which events are posted. Omit it to use the built-in workspace.",
    )
    secrets: tuple[WebhookSecret, ...] = Field(
        default=(),
        validate_default=True,
        description=(
            "Standard Webhooks secrets (whsec_…) that sign the events; list two while you replace one:"
            " every event carries a signature for each secret"
        ),
    )
    hold_seconds: Annotated[Duration, Field(le=600)] = Field(
        default=2.0,
        json_schema_extra={"default": 2},
        description="How long a message may wait for its media before it is sent with the media still pending",
    )
    batch: Annotated[Count, Field(le=1000)] = Field(
        default=1,
        description=(
            "Largest number of events in one POST; more than 1 only if the core takes"
            " application/cloudevents-batch+json"
        ),
    )
    replay_window: Annotated[Duration, Field(ge=0)] = Field(
        default=7 * _DAY,
        json_schema_extra={"default": "7d"},
        description=(
            "How long events are kept after the core took them, to be looked up and sent again; at most as long as"
            " gateway.text_retention"
        ),
    )

    @field_validator("secrets")
    @classmethod
    def _require_secrets(
        cls, secrets: tuple[SecretStr, ...], info: ValidationInfo
    ) -> tuple[SecretStr, ...]:
        if info.data.get("url") and not secrets:
            raise ValueError("is required with core.url, because every event is signed")
        return secrets


class DeskSettings(_Section):
    """The built-in workspace, where agents work if there is no other conversation core."""

    reading: Literal["all", "own"] = Field(
        default="all",
        description=(
            "all lets agents read every conversation; own only their own and those that nobody has taken."
            " Supervisors read all of them"
        ),
    )
    language: Literal["browser", "en", "de", "ar"] = Field(
        default="browser",
        description=(
            "The language of those who chose none: en, de or ar; browser is the one that the browser asks for"
        ),
    )


class MediaSettings(_Section):
    """Limits for photos, videos, sound and documents, and how they are processed and kept."""

    photo_max_bytes: Size = Field(
        default=25_000_000, description="A larger photo is rejected as too_large"
    )
    photo_max_pixels: Count = Field(
        default=64_000_000,
        description="A photo with more pixels is rejected as too_many_pixels",
    )
    preview_max_side: Annotated[Count, Field(ge=320)] = Field(
        default=4096, description="Longest side of a photo's preview, in pixels"
    )
    preview_max_bytes: Annotated[Size, Field(ge=100_000)] = Field(
        default=3_000_000, description="Maximum size of a photo's preview"
    )
    thumbnail_max_bytes: Annotated[Size, Field(ge=5_000)] = Field(
        default=30_000, description="Maximum size of a thumbnail"
    )
    thumbnail_side: Annotated[Count, Field(ge=32, le=1024)] = Field(
        default=320, description="Side of the square thumbnail, in pixels"
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
        description="auto re-encodes videos that browsers cannot play; transcode re-encodes every video",
    )
    audio_max_bytes: Size = Field(
        default=25_000_000, description="A larger sound is rejected as too_large"
    )
    audio_max_seconds: Annotated[Duration, Field(gt=0, le=2 * 3600)] = Field(
        default=7200.0,
        json_schema_extra={"default": 7200},
        description="A longer sound is rejected as too_long: at most 7200, which is two hours",
    )
    document_max_bytes: Size = Field(
        default=25_000_000,
        description="A larger PDF, office document, text or contact card is rejected as too_large",
    )
    document_max_pages: Annotated[Count, Field(le=1000)] = Field(
        default=50, description="More pages of a PDF are not shown"
    )
    text_max_bytes: Annotated[Size, Field(ge=1_000, le=5_000_000)] = Field(
        default=200_000, description="More text of a document or contact card is not shown"
    )
    scanner: Scanner | None = Field(
        default=None,
        description="ClamAV: unix:/run/clamav/clamd.ctl or tcp://127.0.0.1:3310; omit it to run without a scanner",
    )
    originals: Literal["never", "unshown"] = Field(
        default="never",
        validate_default=True,
        description=(
            "unshown offers agents the scanned original of files of which neither pages nor sound can be shown,"
            " for download; requires media.scanner"
        ),
    )
    isolation: Literal["full", "reduced"] = Field(
        default="full",
        description=(
            "full requires every isolation layer around the decoders; reduced also starts where the kernel lacks one"
        ),
    )
    quarantine_max_bytes: Size = Field(
        default=1_000_000_000,
        description="Maximum total size of originals that wait until they can be scanned and sanitized",
    )
    retention: Annotated[Duration, Field(gt=0)] = Field(
        default=30 * _DAY,
        json_schema_extra={"default": "30d"},
        description="How long photos, videos, sound and documents are kept",
    )
    link_lifetime: Annotated[Duration, Field(gt=0, le=_DAY)] = Field(
        default=300.0,
        json_schema_extra={"default": "5m"},
        description="How long a link to a file works",
    )
    max_photos_per_conversation: Count | None = Field(
        default=None,
        description="Each photo beyond this number removes the oldest, which is announced; omit it for no limit",
    )
    duplicate_window: Annotated[Duration, Field(ge=_WEEK)] = Field(
        default=_WEEK,
        json_schema_extra={"default": "7d"},
        description="How long a delivery is remembered, to detect duplicates: at least 7d",
    )

    @field_validator("originals")
    @classmethod
    def _require_scanner(cls, originals: str, info: ValidationInfo) -> str:
        # A scanner that is written wrongly is a mistake of its own.
        if originals != "never" and info.data.get("scanner", ...) is None:
            raise ValueError(
                "unshown requires media.scanner, because only files that a scanner found clean are offered; "
                "set media.scanner, or write never"
            )
        return originals

    def limits(self) -> Limits:
        """Return the limits in the sanitizer's form."""
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
            audio_max_bytes=self.audio_max_bytes,
            audio_max_seconds=self.audio_max_seconds,
            document_max_bytes=self.document_max_bytes,
            document_max_pages=self.document_max_pages,
            text_max_bytes=self.text_max_bytes,
            originals=self.originals,
        )


class FetchSettings(_Section):
    """Hosts from which media may be fetched."""

    allow_private_hosts: Flag = Field(
        default=False,
        description=(
            "true only for simulators and tests: accepts loopback over http in place of any platform's host"
        ),
    )
    extra_hosts: tuple[Host, ...] = Field(
        default=(),
        description=(
            "Additional hosts from which platforms may serve media; .example.com means all hosts below example.com"
        ),
    )
    own_origins: tuple[Origin, ...] = Field(
        default=(),
        description=(
            "Exact origins of ours that may be plain http or on a private address, such as http://127.0.0.1:8090;"
            " only the connector whose api_url has this origin may contact it"
        ),
    )


class TraceSettings(_Section):
    """Traces for OpenTelemetry."""

    url: Annotated[Url, AfterValidator(_require_opentelemetry)] | None = Field(
        default=None,
        description=(
            "Where to send traces with OTLP over HTTP, such as http://127.0.0.1:4318/v1/traces; omit it for none."
            " Needs the extra: pip install 'airlock-messaging[traces]'"
        ),
    )
    sample: Annotated[float, Field(ge=0, le=1)] = Field(
        default=1.0, description="Share of the messages that are traced, from 0 to 1"
    )


class Settings(_Section):
    """connectors.yaml, validated. `connectors` holds the connector instances by name."""

    gateway: GatewaySettings = Field(default_factory=GatewaySettings)
    core: CoreSettings = Field(default_factory=CoreSettings)
    workspace: DeskSettings = Field(default_factory=DeskSettings)
    media: MediaSettings = Field(default_factory=MediaSettings)
    fetch: FetchSettings = Field(default_factory=FetchSettings)
    webchat: WebchatSection | None = Field(default=None)
    traces: TraceSettings = Field(default_factory=TraceSettings)
    log: LogSettings = Field(default_factory=LogSettings)
    connectors: Annotated[
        Mapping[str, InstanceOf[Connector[Any]]], AfterValidator(MappingProxyType)
    ] = Field(
        default={},
        validate_default=True,
        description="One section for each channel. Its name is the end of its webhook URL: /webhooks/<name>",
    )

    def secrets(self) -> frozenset[str]:
        """Return every secret in clear text, so that logging can mask it."""
        configs = (connector.config for connector in self.connectors.values())
        place = self.gateway.journal
        passwords = place.passwords() if isinstance(place, DatabaseUrl) else ()
        of_bucket = () if self.gateway.media == "file" else s3_secrets()
        known = secret_values([self.gateway, self.core, self.webchat, *configs])
        return frozenset((*known, *passwords, *of_bucket))

    @field_validator("core")
    @classmethod
    def _require_core(cls, core: CoreSettings, info: ValidationInfo) -> CoreSettings:
        gateway: GatewaySettings | None = info.data.get("gateway")
        if gateway is not None and gateway.journal != "sqlite" and core.url is None:
            raise ValueError(
                "url is required with gateway.journal: postgresql://, because the built-in workspace keeps its own "
                "file on one machine"
            )
        return core

    @field_serializer("connectors")
    def _serialize_connectors(self, connectors: Mapping[str, Connector[Any]]) -> dict[str, Any]:
        return {
            name: connector.config.model_dump(mode="json") for name, connector in connectors.items()
        }
