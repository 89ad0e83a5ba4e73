"""Tests that each setting matters: one that changes nothing was forgotten where it is needed."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from pydantic import HttpUrl, SecretStr

from connectors.contract import Connector, ConnectorConfig
from connectors.recordings import RECEIVED_AT

from .exchanges import PURPOSES, exchanges
from .replies import answering
from .run_flow import drive, first_call
from .subject import Subject, headers_at
from .trials import fresh_value, parse
from .verification import refused

#: Recordings that are tried. Further ones show nothing new of the settings.
_TRIED = 40


class SettingChecks(Subject):
    """Tests of the settings of a connector's own."""

    def test_every_setting_is_used(self) -> None:
        own = type(self.connector.config).model_fields.keys() - ConnectorConfig.model_fields.keys()
        before = self._behaviour(self.connector)
        for name in sorted(own):
            others = [self._with(name, value) for value in _others(self.connector.config, name)]
            assert not others or any(self._behaviour(one) != before for one in others), (
                f"nothing changes with the setting {name}: no delivery, call or header; use it, or remove it"
            )

    def test_common_settings_are_left_to_airlock(self) -> None:
        genuine = self.genuine(self.recorded[0])
        proof = genuine.headers[self.signature_header]
        forged = replace(genuine, headers={**genuine.headers, self.signature_header: proof[1:]})
        reason = refused(self._with("signature", "report"), forged)
        assert reason is not None, (
            "with signature: report, verify accepts a forged request; raise Forbidden all the same: Airlock logs and"
            " counts it"
        )
        for name in ("photos", "videos", "audio", "documents", "contacts"):
            other = self._with(name, False)
            for recording in self.recorded[:_TRIED]:
                assert parse(other, recording) == parse(self.connector, recording), (
                    f"{recording.name}: with {name}: false, parse returns other events; leave it to Airlock, which says"
                    " why a file is not shown"
                )

    # helpers ----------------------------------------------------------------------------------------

    def _with(self, name: str, value: Any) -> Connector[Any]:
        config = self.connector.config.model_copy(update={name: value})
        return type(self.connector)(config)

    def _behaviour(self, connector: Connector[Any]) -> list[Any]:
        """What deliveries, calls and headers a connector accepts and makes."""
        found: list[Any] = []
        for recording in self.recorded[:_TRIED]:
            found.append(refused(connector, self.genuine(recording)) is None)
            found.append(_tried(partial(parse, connector, recording)))
        found += [_tried(partial(connector.limits, one)) for one in sorted(self._known_accounts())]
        found.append(_tried(partial(first_call, partial(connector.token, RECEIVED_AT))))
        found.append(_tried(partial(headers_at, connector, RECEIVED_AT)))
        found += [_tried(partial(first_call, start)) for start in self._starts(connector)]
        for exchange in exchanges(self.payloads):
            start = exchange.start(connector)
            if exchange.flow == "handshake" and exchange.content is not None:
                start = partial(connector.handshake, self.sign(exchange.request(connector)))
            work = partial(drive, connector, start, PURPOSES[exchange.flow], answering(exchange))
            found.append(repr(_tried(work)))
        return found

    def _known_accounts(self) -> set[str]:
        events = [event for one in self.recorded[:_TRIED] for event in self.parsed(one)]
        return {event.account for event in events if event.account} | {""}

    def _starts(self, connector: Connector[Any]) -> Iterator[Any]:
        other = type("Other", (type(self),), {"connector": connector})()
        yield from (start for _, start in other.other_flows())
        for recording in self.recorded[:_TRIED]:
            yield from other.media_flows(other.parsed(recording))


def _tried(work: Any) -> Any:
    """What a function returns, or that it fails."""
    try:
        return work()
    except Exception as exc:  # noqa: BLE001 - with a made-up setting, anything may fail
        return type(exc).__name__


def _others(config: Any, name: str) -> Iterator[Any]:
    """Other values of a setting; none for one that is not set, or whose values the kit cannot invent."""
    value = getattr(config, name)
    match value:
        case bool():
            yield not value
        case SecretStr() if not _is_key(value):
            yield _changed(value)
        case (SecretStr() as first, *_) if not _is_key(first):
            yield tuple(map(_changed, value))
        case str() if value:
            yield fresh_value(value)
        case (str(), *_):
            yield tuple(fresh_value(one) for one in value)
        case HttpUrl():
            yield HttpUrl("https://elsewhere.example.net/other")


def _is_key(secret: SecretStr) -> bool:
    """Whether a secret is a key in PEM, in whose place the kit cannot invent another one."""
    return secret.get_secret_value().startswith("-----BEGIN")


def _changed(secret: SecretStr) -> SecretStr:
    plain = secret.get_secret_value()
    return SecretStr(plain[:-1] + ("b" if plain[-1] != "b" else "c"))
