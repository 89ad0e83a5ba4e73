"""Alert rules and the dashboard: every metric in them exists, and each alert fires for its cause alone."""

import json
import re
import subprocess
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

from gateway.observability import metrics

from .pages import ROOT
from .test_proxies import program

MONITORING = ROOT / "packaging" / "monitoring"
METRIC = re.compile(r"\b(?:airlock|process)_[a-z_]+")

#: What Prometheus adds to a histogram and a counter.
_TAILS = ("_bucket", "_sum", "_count", "_total")


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"]
    return list(group["rules"])


def panels() -> list[dict[str, Any]]:
    return list(json.loads((MONITORING / "dashboard.json").read_text())["panels"])


def known_metrics() -> set[str]:
    names = {family.name for family in REGISTRY.collect()}
    return names | {name + tail for name in names for tail in _TAILS}


def test_every_metric_of_the_alerts_and_the_dashboard_exists() -> None:
    expressions = [rule["expr"] for rule in rules()]
    expressions += [target["expr"] for panel in panels() for target in panel["targets"]]

    assert {name for e in expressions for name in METRIC.findall(e)} - known_metrics() == set()


def test_the_dashboard_shows_every_metric() -> None:
    shown = " ".join(target["expr"] for panel in panels() for target in panel["targets"])
    ours = {m._name for m in vars(metrics).values() if hasattr(m, "_name")}

    assert {name for name in ours if name not in shown} == set()


def test_panels_have_places_of_their_own() -> None:
    taken = [
        (x, y)
        for panel in panels()
        for place in [panel["gridPos"]]
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(taken) == len(set(taken))


def test_every_alert_has_its_runbook() -> None:
    headings = set(
        re.findall(r"^## (Airlock\w+)", (ROOT / "docs/runbooks.md").read_text(), re.MULTILINE)
    )

    assert {rule["alert"] for rule in rules()} == headings


def test_every_metric_has_its_row_on_the_page() -> None:
    page = (ROOT / "docs/operations.md").read_text()
    names = {
        m._name + ("_total" if m._type == "counter" else "")
        for m in vars(metrics).values()
        if hasattr(m, "_name")
    }

    assert {name for name in names if f"`{name}`" not in page} == set()


@pytest.mark.parametrize(
    "command", [("check", "rules", "alerts.yaml"), ("test", "rules", "alerts_test.yaml")]
)
def test_promtool_accepts_the_rules_and_their_tests(command: tuple[str, ...]) -> None:
    subprocess.run([program("promtool"), *command], cwd=MONITORING, check=True, capture_output=True)
