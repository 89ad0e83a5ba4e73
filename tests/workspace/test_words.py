"""The tables of words: complete in every language, said by every page, and the only place for sentences."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import workspace
from workspace.text.language import (
    LANGUAGES,
    accepted_language,
    page_words,
    plural_form,
    say,
    say_count,
    speaking,
    words,
)

FOLDER = Path(workspace.__file__).parent
SCRIPTS = sorted((FOLDER / "static").glob("*.js"))
TEMPLATES = sorted((FOLDER / "templates").glob("*.html"))
MODULES = sorted(FOLDER.rglob("*.py"))
TABLES = {
    code: json.loads((FOLDER / "text" / "languages" / f"{code}.json").read_text())
    for code in LANGUAGES
}
FORMS = {
    "en": {"one", "other"},
    "de": {"one", "other"},
    "ar": {"zero", "one", "two", "few", "many", "other"},
}


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_language_has_every_word_with_its_placeholders(code: str) -> None:
    assert list(TABLES[code]) == list(TABLES["en"])
    for key, word in TABLES[code].items():
        english = TABLES["en"][key]
        assert isinstance(word, dict) == isinstance(english, dict), key
        assert all(texts(word)), key
        if isinstance(word, dict):
            assert word.keys() == FORMS[code], key
            wanted = placeholders(english["other"])
            assert all(wanted - {"count"} <= placeholders(text) <= wanted for text in texts(word))
        else:
            assert placeholders(word) == placeholders(english), key


def texts(word: str | dict[str, str]) -> list[str]:
    return [word] if isinstance(word, str) else list(word.values())


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


@pytest.mark.parametrize(
    ("count", "form", "text"),
    [
        (0, "zero", "لا رسائل غير مقروءة"),
        (1, "one", "رسالة واحدة غير مقروءة"),
        (2, "two", "رسالتان غير مقروءتان"),
        (5, "few", "5 رسائل غير مقروءة"),
        (11, "many", "11 رسالة غير مقروءة"),
        (100, "other", "100 رسالة غير مقروءة"),
        (103, "few", "103 رسائل غير مقروءة"),
    ],
)
def test_arabic_counts_have_their_plural_forms(count: int, form: str, text: str) -> None:
    with speaking("ar"):
        assert plural_form(count) == form
        assert say_count("notify.unread", count) == text


def test_german_counts_and_numbers_follow_german_rules() -> None:
    with speaking("de"):
        assert [say_count("pages.count", count) for count in (0, 1, 2)] == [
            *("0 Seiten", "1 Seite", "2 Seiten")
        ]
        assert "20.000 Zeichen" in say("reply.long", most=20_000)
        assert say("size.MB", number=1.5) == "1,5 MB"


def test_names_in_arabic_sentences_keep_their_direction() -> None:
    with speaking("ar"):
        assert "\u2068anna (2)\u2069" in say("notice.taken", agent="anna (2)")


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("fr, ar-EG;q=0.5, en;q=0.4", "ar"),
        ("fr;q=1, en;q=0.1, de;q=0.7", "de"),
        ("de;q=0, fr", None),
        ("de;q=x", None),
        ("", None),
    ],
)
def test_browser_gets_the_language_that_it_wants_most(header: str, code: str | None) -> None:
    assert accepted_language(header) == code


def test_a_word_that_a_language_lacks_is_said_in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    words.cache_clear()
    monkeypatch.setattr("workspace.text.language._read", lambda code: LACKING[code])
    try:
        with speaking("de"):
            assert [say("send"), say("close")] == ["Send", "Schließen"]
    finally:
        words.cache_clear()


LACKING = {"en": {"send": "Send", "close": "Close"}, "de": {"close": "Schließen"}}


def test_every_word_that_scripts_and_templates_say_exists() -> None:
    on_pages = set(json.loads(page_words("en"))["words"])
    said = {key for text in map(script, SCRIPTS) for key in keys(text)}
    assert {key for key in said if not key.endswith(".")} <= on_pages
    for kind in (key for key in said if key.endswith(".")):
        assert any(key.startswith(kind) for key in on_pages), kind
    shown = {key for page in TEMPLATES for key in re.findall(r"\$\{([\w.]+)\}", page.read_text())}
    assert shown - {"home"} <= set(TABLES["en"])


def keys(text: str) -> set[str]:
    """Return the keys that a script says, and the beginnings of those that it puts together."""
    plain = re.findall(r'say(?:Count|With)?\(\s*(?:[^()"`]*\? )?"([\w. ]+)"', text)
    others = re.findall(r'say\([^()"`]*\? "[\w.]+" : "([\w.]+)"', text)
    made = re.findall(r"say(?:Count|With)?\(`([\w.]+\.)\$\{", text)
    return {*plain, *others, *made}


def test_no_word_is_left_over() -> None:
    text = "\n".join(path.read_text() for path in (*SCRIPTS, *TEMPLATES, *MODULES))
    kinds = {
        *re.findall(r'(?:sayName|say_one_of|_known|_describe_with_reason)\([^"]*"([\w.]+)"', text)
    }
    kinds |= {found.rstrip(".") for found in re.findall(r"[\"\'`]([\w.]+\.)\$?\{", text)}
    for key in TABLES["en"]:
        exact = re.search(rf"[\"\'`{{]{re.escape(key)}[\"\'`}}]", text)
        assert exact or any(key.startswith(f"{kind}.") for kind in kinds), key


@pytest.mark.parametrize("page", TEMPLATES, ids=lambda page: page.name)
def test_no_template_holds_a_bare_sentence(page: Path) -> None:
    text = re.sub(r"\$\{?[\w.]+\}?|<kbd>.*?</kbd>|&\w+;", "", page.read_text())
    text = re.sub(r"<script\b[^>]*>.*?</script>", "", text)
    attributes = re.findall(r'(?:aria-label|title|alt|placeholder)="([^"]*)"', text)
    bare = [*attributes, *re.sub(r"<[^>]*>", "\n", text).split("\n")]
    assert [one for one in bare if re.search(r"[^\W\d_]", one)] in ([], ["Airlock"])


#: Texts in scripts that no one reads: names of keys, types, headers and events.
NOT_SHOWN = re.compile(
    r"Arrow\w*|Files|Page(?:Up|Down)?|px px|Home|End|Enter|Escape|Key[A-Z]|Accept|Event|POST|Notification|NotAllowedError|Content-Type|"
    r"X-CSRF-Token|airlock \w+|the page has no element .*|.* sending",
    re.IGNORECASE,
)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_no_script_holds_a_bare_sentence(path: Path) -> None:
    text = re.sub(
        r'(?:class|querySelector(?:All)?|matches|closest|matchMedia|rootMargin)(?:: |\()["`][^"`]*["`]',
        "",
        script(path),
    )
    literals = [
        re.sub(r"\$\{(?:[^{}]|\{[^{}]*\})*\}", "", found).strip()
        for pair in re.findall(r'"((?:[^"\\\n]|\\.)*)"|`([^`]*)`', text)
        for found in pair
    ]
    assert [one for one in literals if reads_like_words(one)] == []


def reads_like_words(text: str) -> bool:
    if NOT_SHOWN.fullmatch(text):
        return False
    return bool(
        re.fullmatch(r"[A-Z][a-z]+[.…:]?", text) or re.search(r"[a-z]{2}[,:]? [a-z]{2}", text)
    )


def script(path: Path) -> str:
    """Return a script without its comments."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
    return re.sub(r"(?m)(?<![:\w])//.*$", "", text)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_module_holds_a_bare_sentence_for_agents(path: Path) -> None:
    assert [text for text in spoken(ast.parse(path.read_text())) if SENTENCE.match(text)] == []


#: A sentence of the pages begins with a capital letter. Logs, the command line and errors for developers do not.
SENTENCE = re.compile(
    r"(?!SELECT|INSERT|UPDATE|DELETE|ALTER|DROP|PRAGMA|BEGIN)[A-Z][a-z]+(?:'s)? [a-z]"
)


def spoken(tree: ast.AST) -> Iterator[str]:
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    silent = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in silent
        ):
            yield node.value
