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
    for screen in _listed(object_of(raw).get("feedback_screens")):
        for question in _values(object_of(screen).get("questions")):
            yield from _answer(question)


def _answer(raw: Any) -> Iterator[str]:
    question = object_of(raw)
    kind, answer = words_of(question.get("type")), words_of(question.get("payload"))
    if answer is not None:
        yield answer if kind in {None, "free_form"} else f"{_TYPES.get(str(kind), kind)}: {answer}"
    for follow_up in _listed(question.get("follow_up")):
        yield from _answer(follow_up)


def _values(raw: Any) -> list[Any]:
    """Questions are an object with one field for each question; a list is read as well."""
    return list(raw.values()) if isinstance(raw, dict) else _listed(raw)


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
