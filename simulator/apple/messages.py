"""Answers to Apple's interactive messages: the member `data` of `interactiveData`.

https://register.apple.com/resources/messages/msp-rest-api/type-interactive
"""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

Data = dict[str, Any]

#: The extension that every interactive message belongs to.
EXTENSION = (
    "com.apple.messages.MSMessageExtensionBalloonPlugin:0000000000:"
    "com.apple.icloud.apps.messages.business.extension"
)


def list_picker(*titles: str, reply: str = "") -> Data:
    """Return the rows that the consumer chose; `reply` is the title of the bubble that shows the choice."""
    items = [
        {"identifier": f"item-{number}", "title": title, "order": number}
        for number, title in enumerate(titles)
    ]
    picked = {"sections": [{"title": "Choose", "multipleSelection": True, "items": items}]}
    return {**_answer(reply or ", ".join(titles)), "listPicker": picked}


def time_picker(*starts: str, reply: str, minutes: int = 60) -> Data:
    """Return the times that the consumer chose, such as 2026-04-02T08:30+0000.

    `reply` is the title of the bubble. The business chooses it in advance, so it may not name the time.
    """
    slots = [
        {"identifier": str(number), "startTime": start, "duration": minutes * 60}
        for number, start in enumerate(starts, 7)
    ]
    event = {"identifier": "event-1", "title": "Repair", "timeslots": slots}
    return {**_answer(reply), "event": event}


def quick_reply(titles: Sequence[str], chosen: int) -> Data:
    """Return all titles, and which of them the consumer tapped. There is no bubble."""
    items = [
        {"identifier": f"reply-{number}", "title": title} for number, title in enumerate(titles)
    ]
    reply = {"selectedIndex": chosen, "selectedIdentifier": items[chosen]["identifier"]}
    return {"version": "1.0", "quick-reply": {**reply, "items": items}}


def form(*pages: tuple[str, Mapping[str, str]], reply: str = "Form sent") -> Data:
    """Return the answers to a form: for each page its title, and the answers with their values."""
    selections = [
        {
            "pageIdentifier": str(number),
            "title": title,
            "items": [{"title": label, "value": value} for label, value in answers.items()],
        }
        for number, (title, answers) in enumerate(pages)
    ]
    dynamic = {"template": "messageForms", "version": "1.2", "data": {"selections": selections}}
    return {**_answer(reply), "dynamic": dynamic}


def _answer(reply: str) -> Data:
    return {
        "version": "1.0",
        "requestIdentifier": str(uuid.uuid4()),
        "replyMessage": {"title": reply, "style": "icon"},
    }
