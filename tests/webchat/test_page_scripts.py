"""The page's scripts and words: typed, light, complete in every language, and in agreement with the server."""

import json
import re
from pathlib import Path
from typing import get_type_hints

import pytest

import webchat
from normalizer.media import FailedReason, RejectedReason
from webchat import shapes
from webchat.http.problems import CODES
from webchat.http.static_files import static_file

STATIC = Path(webchat.__file__).parent / "static"
SCRIPTS = sorted(STATIC.glob("*.js"))
LANGUAGES = sorted((STATIC / "words").glob("*.json"))
#: What is loaded after the first view, for the camera, the preview and the viewer.
CAMERA = ("camera.js", "recorder.js", "keeping.js", "viewer.js", "preview.js", "sheets.css")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_every_page_script_is_type_checked(script: Path) -> None:
    text = script.read_text()
    assert text.startswith("// @ts-check\n")
    assert not re.search(r"@ts-(?:ignore|expect-error|nocheck)", text)


def test_loader_and_first_view_stay_within_their_weight() -> None:
    html = (STATIC / "chat.html").read_text()
    first = set(re.findall(r'"/static/([\w.]+\.(?:js|css))"', html))
    reached = {"chat.js"} | {name for script in first for name in _imports(script)}
    assert reached | {"chat.css"} == first, "preload what the first view imports, and nothing else"
    assert _weight("loader.js") <= 2_500
    assert _weight(*first) <= 25_000
    assert _weight(*CAMERA) <= 10_000


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda path: path.stem)
def test_words_are_complete_in_every_language(language: Path) -> None:
    words = json.loads(language.read_text())
    english = json.loads((STATIC / "words" / "en.json").read_text())
    assert list(words) == list(english)
    for key, text in words.items():
        assert _placeholders(text) == _placeholders(english[key]), key
        assert bool(text) == bool(english[key]), key


def test_every_word_that_the_page_says_exists() -> None:
    words = json.loads((STATIC / "words" / "en.json").read_text())
    text = "\n".join(script.read_text() for script in SCRIPTS) + (STATIC / "chat.html").read_text()
    said = set(re.findall(r'say\("([\w.]+)"', text))
    said |= set(re.findall(r'data-(?:word|label|placeholder)="([\w.]+)"', text))
    assert said <= set(words)
    kinds = set(re.findall(r'sayCode\("(\w+)"', text))
    assert kinds == {"failed", "refused", "reason", "gate"}
    assert {f"{kind}.other" for kind in kinds} <= set(words)
    codes = {*CODES, "network", "offline", "other"}
    for key in words:
        kind, _, code = key.partition(".")
        if kind in {"failed", "refused", "gate"}:
            assert code in codes, f"{key}: the server has no such code"


def test_every_reason_for_a_hidden_file_has_words() -> None:
    words = json.loads((STATIC / "words" / "en.json").read_text())
    said = {key.partition(".")[2] for key in words if key.startswith("reason.")}
    assert said - {"other"} == set(RejectedReason.__args__)  # type: ignore[attr-defined]
    # A file that could not be fetched is our own business: one sentence serves all.
    assert not said & set(FailedReason.__args__)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "name",
    [
        "ConsumerView",
        "LimitsView",
        "SessionView",
        "AttachmentView",
        "MessageView",
        "ConversationView",
        "HistoryView",
        "ChangesView",
    ],
)
def test_declared_types_match_the_server(name: str) -> None:
    declared = re.search(
        rf"interface {name} \{{\n(.*?)^\}}",
        (STATIC / "types.d.ts").read_text(),
        re.MULTILINE | re.DOTALL,
    )
    assert declared is not None
    fields = set(re.findall(r"^  (\w+)\??:", declared[1], re.MULTILINE))
    assert fields == set(get_type_hints(getattr(shapes, name)))


def _imports(script: str) -> set[str]:
    return set(
        re.findall(r'^import .* from "\./([\w.]+)";$', (STATIC / script).read_text(), re.MULTILINE)
    )


def _weight(*names: str) -> int:
    return sum(len(static_file(name).compressed) for name in names)


def _placeholders(text: str) -> set[str]:
    return set(re.findall(r"\{\w+\}", text))
