"""The pages' HTML: templates with `${key}` for each word, in the language of the request."""

import html
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from string import Template

from workspace.text.language import current_language, direction, page_words, words

_FOLDER = Path(__file__).parents[1] / "templates"


class _Page(Template):
    # The keys of words have dots.
    braceidpattern = r"[a-z][a-z0-9_.]*"


def render(template: str, /, **values: str) -> str:
    """Return a page. `values` are HTML already; they are `$name` in the template."""
    language = current_language()
    page = {"lang": language, "dir": direction(), "words": page_words(language)}
    return _template(template).substitute({**_escaped_words(language), **page, **values})


@cache
def _template(name: str) -> Template:
    return _Page((_FOLDER / f"{name}.html").read_text("utf-8"))


@cache
def _escaped_words(language: str) -> dict[str, str]:
    table: Mapping[str, object] = words(language)
    return {key: html.escape(word) for key, word in table.items() if isinstance(word, str)}
