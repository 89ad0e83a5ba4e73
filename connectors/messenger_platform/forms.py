"""What consumers filled in: answers to a feedback form, contact details, and orders."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .cards import template_lines
from .fields import mapping_of, object_of, words_of


def form_content(key: str, raw: Any) -> dict[str, Any]:
    """The fields `text` and `extra` of the message for an item's form."""
    return {"text": "\n".join(FORMS[key](raw)) or None, "extra": {key: mapping_of(raw)}}


def _answers(raw: Any) -> Iterator[str]:
    """The answers to a form of the template `customer_feedback`. Scores are numbers: 4 of 5, for example."""
    screens = [object_of(screen) for screen in _listed(object_of(raw).get("feedback_screens"))]
    questions = [pair for screen in screens for pair in _named(screen.get("questions"))]
    for name, question in questions:
        # The name is the business's own id of the question. It is needed only to distinguish several questions.
        yield from _answer(question, name if len(questions) > 1 else None)


def _answer(raw: Any, name: str | None = None) -> Iterator[str]:
    question = object_of(raw)
    kind, answer = words_of(question.get("type")), words_of(question.get("payload"))
    known = None if kind in {None, "free_form"} else _TYPES.get(str(kind), kind)
    label = f"{known} ({name})" if known and name else known or name
    if answer is not None:
        yield f"{label}: {answer}" if label else answer
    for follow_up in _listed(question.get("follow_up")):
        yield from _answer(follow_up)


def _named(raw: Any) -> list[tuple[str | None, Any]]:
    """Questions are an object with one field for each question; a list is read as well."""
    return list(raw.items()) if isinstance(raw, dict) else [(None, one) for one in _listed(raw)]


def _listed(raw: Any) -> list[Any]:
    return raw if isinstance(raw, list) else [] if raw is None else [raw]


#: Customer satisfaction, net promoter score, customer effort score.
_TYPES = {"csat": "Satisfaction", "nps": "Recommendation", "ces": "Effort"}

#: The keys of items that hold a form, and the function that returns its words.
FORMS: Mapping[str, Callable[[Any], Iterator[str]]] = {
    "messaging_feedback": _answers,
    "messaging_customer_information": template_lines,
    "order": template_lines,
}
