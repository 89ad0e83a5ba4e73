"""docs/capabilities.md shows the capabilities that the connectors declare."""

import runpy

from connectors import FEATURES

from .pages import ROOT, marked, rows, text_of

PAGE = ROOT / "docs" / "capabilities.md"


def test_the_chart_is_up_to_date() -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "capabilities_chart.py"))
    made = script["page"](text_of(PAGE))
    assert text_of(PAGE) == made, "run scripts/capabilities_chart.py"


def test_the_chart_has_every_feature_and_all_platforms() -> None:
    chart = rows(marked(PAGE, "chart"))
    assert chart["feature"] == (
        "Apple Messages for Business",
        "Instagram",
        "Facebook Messenger",
        "Twilio SMS/MMS",
        "Web chat",
        "WhatsApp",
    )
    assert set(chart) - {"feature"} == {feature.replace("_", " ") for feature in FEATURES}
