"""`airlock schema` prints JSON."""

import json

import pytest

from gateway import settings
from gateway.cli import main
from gateway.events import schemas


def test_the_schema_of_the_settings_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0

    assert json.loads(capsys.readouterr().out) == settings.schema()


def test_the_schema_of_the_events_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "events"]) == 0

    assert json.loads(capsys.readouterr().out) == schemas.schema()
