"""Flaws in attributes, capabilities and settings."""

from collections.abc import Generator
from dataclasses import replace
from typing import Any

from pydantic import Field, SecretStr

from connectors import (
    AnyEvent,
    Call,
    Capabilities,
    Connector,
    Delivery,
    Download,
    Limit,
    Reply,
    Sent,
    offers,
    revealed,
)
from tests.connectors.sound import Acme, Settings

from .registry import fails

Flow = Generator[Call, Reply, Download]
SendFlow = Generator[Call, Reply, Sent]

CAPABILITIES = "capabilities_match_the_implemented_methods"
HOSTS = "hosts_patience_and_reply_window_are_valid"


@fails("api_name_label_and_docs_are_valid")
class DeclaresAnotherContractVersion(Acme):
    api = 2


@fails("api_name_label_and_docs_are_valid")
class HasACapitalInItsName(Acme):
    name = "Acme"


@fails("body_covers_max_body_and_keeps_are_valid")
class StoresTheSignature(Acme):
    keeps = frozenset({"x-acme"})


@fails("body_covers_max_body_and_keeps_are_valid")
class AcceptsBodiesOfAnySize(Acme):
    max_body = 10**12


@fails(HOSTS)
class SendsCredentialsToAWholeDomain(Acme):
    hosts = frozenset({".acme.example"})


@fails(HOSTS)
class FetchesFromAnyComHost(Acme):
    media_hosts = frozenset({".com"})


@fails(CAPABILITIES)
class OffersWhatItLacks(Acme):
    media = Connector.media  # type: ignore[assignment]  # as if it had none
    mark_read = Connector.mark_read  # type: ignore[assignment]  # as if it had none


@fails("numbers_in_notes_match_the_declared_limits")
class OmitsItsReplyWindow(Acme):
    capabilities = replace(Acme.capabilities, notes={"send_text": "within 24 hours"})


@fails("an_empty_secret_is_rejected")
class AcceptsAnEmptyToken(Acme):
    class Config(Settings):
        token: SecretStr = Field(description="Calls the API")


@fails("limits_belong_to_offered_features")
class LimitsAFeatureItLacks(Acme):
    capabilities = replace(Acme.capabilities, limits={"video": Limit(max_bytes=1)})


@fails(CAPABILITIES)
class OmitsAFeature(Acme):
    capabilities = Capabilities(offers(yes=("text", "photo", "photo_caption", "read", "mark_read")))


@fails(CAPABILITIES)
class OmitsTheMaximumLength(Acme):
    capabilities = Capabilities(
        offers(yes=("text", "photo", "photo_caption", "read", "send_text", "mark_read"))
    )


@fails("capabilities_include_every_feature_the_recordings_show")
class OmitsPhotos(Acme):
    capabilities = Capabilities(offers(yes=("text", "read", "send_text", "mark_read")), max_text=9)


@fails("the_connector_reaches_the_grade_it_claims")
class OffersVideosWithoutARecording(Acme):
    capabilities = Capabilities(
        offers(yes=("text", "photo", "photo_caption", "video", "read", "send_text", "mark_read")),
        max_text=100,
    )


@fails("settings_never_show_a_secret")
class ShowsASecretInTheSettings(Acme):
    class Config(Settings):
        def __repr__(self) -> str:
            return f"Settings({revealed(self.secrets)})"


@fails("settings_never_show_a_secret")
class ShowsASecretInItsRepr(Acme):
    def __repr__(self) -> str:
        return f"Acme({revealed(self.config.secrets)})"


@fails("credentials_are_typed_as_secrets")
class TypesATokenAsText(Acme):
    class Config(Settings):
        refresh_token: str = Field(default="refresh-token-1", description="Refreshes")


@fails("credentials_are_typed_as_secrets")
class TypesAKeyAsText(Acme):
    class Config(Settings):
        api_key: str = Field(default="api-key-1", description="Calls the API")


@fails("the_rule_for_credentials_is_airlocks")
class TrustsEverybody(Acme):
    def trusts(self, url: str) -> bool:
        return url.startswith("https://")


@fails("an_unknown_setting_is_rejected")
class AcceptsAnySetting(Acme):
    class Config(Settings, extra="allow"):
        pass


@fails("settings_are_immutable")
class HasMutableSettings(Acme):
    class Config(Settings, frozen=False):
        pass


@fails("a_validation_error_never_shows_a_secret")
class QuotesSettingsInErrors(Acme):
    class Config(Settings, hide_input_in_errors=False):
        def __init__(self, **given: Any) -> None:
            if given.get("photos") not in {None, True, False}:
                given["photos"] = given.get("secrets")[1].get_secret_value()  # type: ignore[index]  # always there
            super().__init__(**given)

        @classmethod
        def model_validate(cls, given: Any, **_: Any) -> Any:  # type: ignore[override]  # enough for the kit
            return cls(**given)


@fails("an_instance_holds_only_its_settings")
class CountsDeliveries(Acme):
    count = 0

    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        self.count += 1
        return super().parse(delivery)
