"""The colours of a site: what the page gets, and what operators learn about contrast."""

import re
from dataclasses import fields, replace
from pathlib import Path

import pytest

import webchat
from tests.webchat.running import Server
from webchat.theme import LEAST_CONTRAST, Theme, contrast, nearest_readable

STYLES = (Path(webchat.__file__).parent / "static" / "chat.css").read_text()


def test_usual_theme_is_the_one_of_the_page_and_readable() -> None:
    light, _, rest = STYLES.partition("@media (prefers-color-scheme: dark)")
    declared = dict(re.findall(r"--([\w-]+): ([^;]+);", light))
    for field in fields(Theme):
        value = f"{field.default}px" if field.name == "radius" else field.default
        assert declared[field.name.replace("_", "-")] == value
    assert Theme().css() == ""
    assert list(Theme().unreadable()) == []
    dark = {**declared, **dict(re.findall(r"--([\w-]+): (#\w+);", rest.partition("}")[0]))}
    for ink in ("ink", "ink-soft", "bad"):
        assert contrast(dark[ink], dark["canvas"]) >= LEAST_CONTRAST
        assert contrast(dark[ink], dark["surface"]) >= LEAST_CONTRAST
    assert contrast(dark["brand"], dark["on-brand"]) >= LEAST_CONTRAST


def test_theme_becomes_custom_properties() -> None:
    css = Theme(brand="#7a1fa2", ink="#000000", radius=8).css()
    assert css.splitlines() == [
        ":root { --brand: #7a1fa2; --radius: 8px; }",
        "@media not (prefers-color-scheme: dark) { :root { --ink: #000000; } }",
    ]


@pytest.mark.parametrize(
    ("colour", "beside", "ratio"),
    [("#000000", "#ffffff", 21.0), ("#ffffff", "#ffffff", 1.0), ("#777777", "#ffffff", 4.48)],
)
def test_contrast_is_that_of_the_guidelines(colour: str, beside: str, ratio: float) -> None:
    assert contrast(colour, beside) == pytest.approx(ratio, abs=0.005)


@pytest.mark.parametrize("colour", ["#1fb6ff", "#ffd500", "#777777", "#ffffff", "#00ff00"])
@pytest.mark.parametrize("beside", ["#ffffff", "#000000", "#808080"])
def test_nearest_readable_colour_has_the_contrast(colour: str, beside: str) -> None:
    if contrast(colour, beside) < LEAST_CONTRAST:
        assert contrast(nearest_readable(colour, beside), beside) >= LEAST_CONTRAST


def test_colour_that_is_hard_to_read_is_reported_with_a_remedy() -> None:
    (brand, canvas) = Theme(brand="#1fb6ff").unreadable()
    assert brand.startswith("brand: #1fb6ff beside on_brand #ffffff has a contrast of 2.3:1")
    nearest = re.search(r"nearest colour that has it is (#\w{6})", brand)
    assert nearest is not None
    assert list(Theme(brand=nearest[1]).unreadable()) == []
    assert canvas.startswith("brand: #1fb6ff beside canvas")


async def test_page_of_a_site_with_a_theme_loads_it(server: Server) -> None:
    plain = await server.call("GET", "/chat?site=shop")
    assert b"/theme.css" not in plain.body
    sites = server.chat.settings.sites
    themed = replace(sites["shop"], theme=Theme(brand="#7a1fa2"))
    sites["shop"] = themed  # type: ignore[index]
    page = await server.call("GET", "/chat?site=shop")
    assert b'<link rel="stylesheet" href="/theme.css?site=shop">\n</head>' in page.body
    styles = await server.call("GET", "/theme.css?site=shop")
    assert styles.body == b":root { --brand: #7a1fa2; }"
    assert styles.headers["Content-Type"] == "text/css; charset=utf-8"
    assert (await server.call("GET", "/theme.css?site=none")).status == 404
