"""Tests of a connector's declarations: its attributes, capabilities and settings."""

import re
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from connectors.capabilities import FEATURES, Feature, Limit
from connectors.contract import API, Connector

from .features import shown as shown_features
from .promises import MAY_BE_EXEMPT
from .subject import Subject, secrets_of

#: Features, the method that each one needs, and whether a connector with the method must offer the feature.
METHODS: tuple[tuple[Feature, str, bool], ...] = (
    ("photo", "media", False),
    ("video", "media", False),
    ("send_text", "send_text", True),
    ("send_typing", "send_typing", True),
    ("mark_read", "mark_read", True),
    ("outcome", "tell_outcome", True),
    ("forget", "forget", True),
    ("send_close", "tell_closed", True),
)

_HOST = re.compile(r"(?=.{1,253}\Z)([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*")
#: Names of settings that are credentials.
_SECRET = re.compile(
    r"(^|_)(secret|token|password|passwd|passphrase|pin|credential|(private|api|access|auth|signing|signature)_?key)"
    r"s?(_|$)"
)


class DeclarationChecks(Subject):
    """Tests that the declarations are complete, valid, and consistent with the code."""

    def test_api_name_label_and_docs_are_valid(self) -> None:
        connector = self.connector
        assert connector.api == API, f"api is {connector.api}; this kit tests version {API}"
        assert connector.name == connector.name.lower().strip() != "", (
            f"name is {connector.name!r}; it is the type in connectors.yaml, in lower case"
        )
        assert connector.label, "label is empty; it is the platform's name as shown to people"
        assert connector.docs.startswith("https://"), (
            "docs must be the https address of the documentation"
        )

    def test_body_covers_max_body_and_keeps_are_valid(self) -> None:
        connector = self.connector
        assert connector.body in {"json", "form", "gzip-json"}, (
            f"body is {connector.body!r}; use json, form or gzip-json"
        )
        assert connector.covers, "covers is empty; name what the proof covers: body, url or caller"
        unknown = connector.covers - {"body", "url", "caller", "part"}
        assert not unknown, f"covers names {', '.join(unknown)}; use body, url, caller or part"
        largest = max((len(self.genuine(one).body) for one in self.recorded), default=0)
        assert largest <= connector.max_body <= 64 * 1024 * 1024, (
            f"max_body is {connector.max_body}; it must hold the largest recording ({largest}), at most 64 MiB"
        )
        assert all(header == header.lower() for header in connector.keeps), (
            "keeps names headers in lower case"
        )
        assert self.signature_header not in connector.keeps, (
            "the signature must not be stored; remove it from keeps"
        )

    def test_hosts_patience_and_reply_window_are_valid(self) -> None:
        connector = self.connector
        assert all(_HOST.fullmatch(host) for host in connector.hosts), "hosts must be exact names"
        for host in connector.media_hosts:
            bare = host.removeprefix(".")
            assert _HOST.fullmatch(bare), (
                f"{host} is neither a host name nor a suffix such as .example.com"
            )
        assert connector.media_patience > 0, (
            "media_patience must be the seconds that files are kept"
        )
        assert connector.reply_window is None or connector.reply_window > 0, (
            "reply_window must be a positive number of seconds, or None for no limit"
        )

    def test_capabilities_match_the_implemented_methods(self) -> None:
        can, connector = self.connector.capabilities, type(self.connector)
        unknown = (set(can.features) | set(can.notes) | set(can.limits)) - set(FEATURES)
        assert not unknown, (
            f"capabilities name {', '.join(sorted(unknown))}, but these are not features of the chart"
        )
        for feature, method, offers in METHODS:
            own = getattr(connector, method) is not getattr(Connector, method)
            offered = can.support(feature) != "no"
            assert own or not offered, (
                f"capabilities offer {feature}, but {method}() is not implemented"
            )
            assert offered or not (own and offers), (
                f"{method}() is implemented, but capabilities do not offer {feature}"
            )
        assert (can.max_text > 0) == (can.support("send_text") != "no"), (
            "max_text must be positive if capabilities offer send_text, and 0 if not"
        )

    def test_numbers_in_notes_match_the_declared_limits(self) -> None:
        can = self.connector.capabilities
        for number in re.findall(r"([0-9,]+) hours", can.notes.get("send_text", "")):
            hours = float(number.replace(",", ""))
            assert can.reply_window == hours * 3600, "reply_window and the note on send_text differ"
        for number in re.findall(r"at most ([0-9,]+)", can.notes.get("several_photos", "")):
            limit = can.limits.get("several_photos", Limit())
            assert limit.max_count in {None, int(number.replace(",", ""))}, (
                "the limit and the note on several_photos differ"
            )

    def test_limits_belong_to_offered_features(self) -> None:
        can = self.connector.capabilities
        for feature, limit in can.limits.items():
            assert can.support(feature) != "no", (
                f"there is a limit for {feature}, which is not offered"
            )
            given = [one for one in (limit.max_bytes, limit.max_count) if one is not None]
            assert given, f"the limit for {feature} is empty"
            assert min(given) > 0, f"the limit for {feature} is not positive"

    def test_capabilities_include_every_feature_the_recordings_show(self) -> None:
        can = self.connector.capabilities
        for recording in self.recorded:
            for feature in shown_features(self.parsed(recording)):
                offered = can.support(feature) != "no" or feature in can.notes
                assert offered, (
                    f"{recording.name} shows {feature}, but capabilities do not offer it and no note says why"
                )

    def test_the_payloads_folder_holds_recordings(self) -> None:
        assert self.recorded, f"{self.payloads} has no *.json"

    def test_an_exemption_is_possible_and_has_a_reason(self) -> None:
        for name, reason in self.exempt.items():
            assert name in MAY_BE_EXEMPT, (
                f"{name} cannot be exempt; only {' and '.join(sorted(MAY_BE_EXEMPT))} can"
            )
            assert " " in reason.strip(), (
                f"the exemption of {name} has no reason; say why in a sentence"
            )
        for path, reason in self.unread.items():
            assert " " in reason.strip(), (
                f"`unread` gives no reason for {path}; say why in a sentence"
            )

    def test_the_rule_for_credentials_is_airlocks(self) -> None:
        assert type(self.connector).trusts is Connector.trusts, (
            "the class overrides trusts, but Airlock adds credentials by its own rule; declare hosts"
        )
        default = self.connector.Config.model_fields["api_url"].default
        assert not str(default).startswith("http://"), (
            f"api_url is {default} by default, where anybody on the way reads our credentials; use https"
        )

    def test_an_unknown_setting_is_rejected(self) -> None:
        known = self.connector.config.model_dump()
        with pytest.raises(ValidationError, match="an_unknown_setting"):
            self.connector.Config.model_validate({**known, "an_unknown_setting": 1})

    def test_settings_are_immutable(self) -> None:
        config = self.connector.config
        with pytest.raises(ValidationError):
            config.photos = not config.photos

    def test_credentials_are_typed_as_secrets(self) -> None:
        config = self.connector.config
        for name, value in _settings(config):
            plain = isinstance(value, str) or (
                isinstance(value, tuple) and any(isinstance(one, str) for one in value)
            )
            assert not (plain and _SECRET.search(name)), (
                f"{name} is a credential; use Secret or Secrets"
            )

    def test_settings_never_show_a_secret(self) -> None:
        connector, config = self.connector, self.connector.config
        shown = (repr(connector), str(connector), repr(config), str(config))
        dumped = (config.model_dump_json(), str(config.model_dump()))
        assert not self.leaks(*shown, *dumped), (
            "the repr or the dump of the settings shows a secret; type it as Secret or Secrets"
        )

    def test_a_validation_error_never_shows_a_secret(self) -> None:
        known = self.connector.config.model_dump()
        mistakes: list[dict[str, Any]] = [
            {"photos": "not a word of truth"},
            *({name: {"wrongly": list(secrets_of(one))}} for name, one in self._secret_settings()),
        ]
        for mistaken in mistakes:
            with pytest.raises(ValidationError) as mistake:
                self.connector.Config.model_validate({**known, **mistaken})
            message = str(mistake.value)
            assert not any(secret in message for secret in secrets_of(self.connector.config)), (
                f"the error about {', '.join(mistaken)} shows a secret; do not put values into a ValueError"
            )

    def test_an_empty_secret_is_rejected(self) -> None:
        known = self.connector.config.model_dump()
        for name, value in self._secret_settings():
            required = self.connector.Config.model_fields[name].is_required()
            several = isinstance(value, tuple)
            for empty in (*("", "  "), *(([""], *([[]] if required else [])) if several else ())):
                with pytest.raises(ValidationError):
                    self.connector.Config.model_validate({**known, name: empty})

    def _secret_settings(self) -> list[tuple[str, Any]]:
        return [one for one in _settings(self.connector.config) if list(secrets_of(one[1]))]

    def test_an_instance_holds_only_its_settings(self) -> None:
        for recording in self.recorded:
            self.connector.verify(self.genuine(recording))
            self.parsed(recording)
        others = set(vars(self.connector)) - {"config"}
        assert not others, (
            f"the instance also holds {', '.join(sorted(others))}; compute it from self.config where it is used"
        )


def _settings(config: BaseModel) -> list[tuple[str, Any]]:
    return [(name, getattr(config, name)) for name in type(config).model_fields]
