"""Texts that people read: placeholders, names, states, statuses, reasons and notices."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from workspace.timestamps import parse_timestamp

from .language import (
    DEFAULT,
    LANGUAGES,
    current_language,
    is_said,
    say,
    say_count,
    say_one_of,
    speaking,
)
from .safe_text import clean_name, clean_text

PLACEHOLDERS: Mapping[str, str] = {
    "photo": "[photo message]",
    "video": "[video message]",
    "audio": "[audio message]",
    "document": "[document]",
    "sticker": "[sticker]",
    "location": "[location]",
    "contact": "[contact]",
    "unsupported": "[unsupported message]",
}

PLATFORMS: Mapping[str, str] = {
    "apple": "Apple Messages",
    "instagram": "Instagram",
    "messenger": "Messenger",
    "twilio": "SMS",
    "whatsapp": "WhatsApp",
}

#: Platforms whose ids are phone numbers, which mean something to people. Other ids do not.
_PHONE_PLATFORMS = frozenset({"twilio", "whatsapp"})


def fallback_name(platform: str, id: str) -> str:
    """Return a name for a consumer whose name is not known."""
    if platform in _PHONE_PLATFORMS:
        return f"+{id}" if id.isdigit() else id
    characters = "".join(character for character in id if character.isalnum())
    return say("customer", id=characters[-4:].upper())


def platform_name(platform: str) -> str:
    return PLATFORMS.get(platform) or (say("platform.web") if platform == "web" else platform)


def shown_name(platform: str, name: str | None, id: str) -> str:
    """Return a consumer's name as the pages show it."""
    return clean_name(name) or fallback_name(platform, clean_name(id) or "")


def names_in_every_language(platform: str, name: str | None, address: str) -> list[str]:
    """Return the names under which pages show a consumer. One whose name is not known has one in each language."""
    names = []
    for language in LANGUAGES:
        with speaking(language):
            names.append(shown_name(platform, name, address))
    return list(dict.fromkeys(names))


def display_address(platform: str, id: str) -> str:
    """Return a consumer's address as people write it: a number with a plus sign, any other id as it is."""
    return fallback_name(platform, id) if platform in _PHONE_PLATFORMS else id


def format_size(count: float) -> str:
    """Return a number of bytes with a decimal unit, as in the settings."""
    if count < 1000:
        return say_count("size.bytes", round(count))
    if count < 1_000_000:
        return say("size.kB", number=round(count / 1000))
    return say("size.MB", number=count / 1_000_000)


def format_duration(seconds: float) -> str:
    """Return m:ss, or h:mm:ss from one hour on."""
    whole = max(0, round(seconds))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


#: Reasons that are shown with numbers if the detail has them, and the format of the number.
_MEASURED: Mapping[str, Callable[[float], str]] = {
    "too_large": format_size,
    "too_many_pixels": lambda count: say("size.megapixels", number=round(count / 1e6)),
    "too_long": format_duration,
}


def describe_state(attachment: Mapping[str, Any]) -> str:
    """Describe the state of an attachment; the text is empty if the attachment is ready."""
    match attachment.get("state"):
        case "ready":
            return ""
        case "rejected":
            return _describe_with_reason(attachment, "file.rejected")
        case "failed" if removal := _removal_text(attachment):
            return removal
        case "failed":
            return _describe_with_reason(attachment, "file.failed")
        case _:
            return say("file.pending")


def describe_progress(attachment: Mapping[str, Any], now: int) -> str:
    """Describe what is being done for an attachment; the text is empty if it is not pending."""
    if attachment.get("state") != "pending":
        return ""
    progress = attachment.get("progress")
    if not isinstance(progress, Mapping):
        return describe_state(attachment)
    step, percent, tries = (progress.get(name) for name in ("step", "percent", "tries"))
    if step == "waiting" and isinstance(tries, int) and tries > 0:
        return _next_try(say_count("file.tried", tries), progress.get("next_try_at"), now)
    key = f"file.step.{step}"
    text = say(key if is_said(key) else "file.pending")
    return say("file.percent", text=text, percent=percent) if isinstance(percent, int) else text


def _next_try(tried: str, at: object, now: int) -> str:
    due = parse_timestamp(at, 0)
    if not due:
        return tried
    minutes = round(max(0, due - now) / 60_000)
    if not minutes:
        return say("file.next_soon", tried=tried)
    return say_count("file.next", minutes, tried=tried)


def can_retry(attachment: Mapping[str, Any]) -> bool:
    """Whether fetching the attachment again may help."""
    return attachment.get("state") == "failed" and not _removal_text(attachment)


def _removal_text(attachment: Mapping[str, Any]) -> str | None:
    """Describe an attachment that was ready and has been deleted since, by age or to make room."""
    detail = attachment.get("detail")
    if attachment.get("reason") != "expired" or not isinstance(detail, str):
        return None
    removal = _REMOVAL_DETAIL.search(detail)
    if removal is None:
        return None
    newest = removal["newest"]
    return say_count("file.removed.newest", int(newest)) if newest else say("file.removed.age")


_REMOVAL_DETAIL = re.compile(
    r"the retention time is over|only the newest (?P<newest>\d{1,9}) photos are kept"
)


def _describe_with_reason(attachment: Mapping[str, Any], kind: str) -> str:
    reason = str(attachment.get("reason") or "")
    exact = _describe_with_numbers(reason, attachment.get("detail"))
    if exact:
        return exact
    # Without a code, the detail is the gateway's own, for operators.
    code = attachment.get("code")
    refused = f"file.refused.{reason}"
    values = {
        "kind": say_one_of("plural", str(attachment.get("kind"))),
        "reason": clean_name(reason.replace("_", " ")) or say("file.no_reason"),
    }
    if code and is_said(refused):
        return _with_platform_words(say(refused), code, attachment.get("detail"))
    sentence = say_one_of(kind, reason, **values)
    return _with_platform_words(sentence, code, attachment.get("detail")) if code else sentence


def _describe_with_numbers(reason: str, detail: object) -> str | None:
    """Describe the reason with the numbers in the detail, if there are any. Other details are for operators."""
    found = _NUMBERS.fullmatch(detail) if isinstance(detail, str) else None
    if reason not in _MEASURED or found is None:
        return None
    format_value = _MEASURED[reason]
    amount = format_value(float(found["found"]) * float(found["times"] or 1))
    if found["more"]:
        amount = say("file.measured.more", amount=amount)
    text = say(f"file.measured.{reason}", amount=amount)
    if not found["limit"]:
        return text
    return say("file.measured.limit", text=text, limit=format_value(float(found["limit"])))


#: The gateway's details: "31000000 bytes; the limit for a video is 25000000", "12000 x 9000 pixels, the limit is
#: 64000000", "5400 s", and "more than 25000000 bytes came" when a download was stopped.
_NUMBERS = re.compile(
    r"(?:frames of )?(?P<more>more than )?(?P<found>\d{1,15})(?: x (?P<times>\d{1,9}))? (?:bytes|pixels|s)\b"
    r"(?:\D{1,60}limit\D{1,40}(?P<limit>\d{1,15}))?\D{0,60}"
)


def describe_reason(
    reason: str | None, code: str | None = None, detail: str | None = None
) -> str | None:
    """Describe why a message failed, with the platform's own words beside ours."""
    if reason is None:
        return None
    key = f"reason.{reason}"
    sentence = say(key) if is_said(key) else clean_name(reason.replace("_", " ")) or ""
    return _with_platform_words(sentence, code, detail)


def store_refusal(key: str, sentence: str, status: str = "") -> str:
    """Return what is stored of a refusal: the key of its words, its words in English, and a status that they name."""
    return "\t".join((key, " ".join(sentence.split()), status)) if key else sentence


def describe_refusal(stored: str | None) -> str | None:
    """Return why the gateway did not take a text. In English, its own sentence says more than ours."""
    if stored is None:
        return None
    key, *rest = stored.split("\t")
    if len(rest) != 2 or not is_said(key):
        return clean_text(stored)
    sentence, status = rest
    return clean_text(sentence) if current_language() == DEFAULT else say(key, status=status)


def _with_platform_words(sentence: str, code: object, detail: object) -> str:
    """Return our sentence with what the platform itself said."""
    number, words = _short(code, _MAX_CODE), _short(detail, _MAX_QUOTED)
    shown = say("platform.code", code=number) if number else ""
    if not words or _ONLY_A_STATUS.fullmatch(words):
        return sentence + shown
    return say("platform.words", sentence=sentence, words=words, code=shown)


#: Characters of the platform's words and code that are shown at most.
_MAX_QUOTED, _MAX_CODE = 160, 40


def _short(text: object, length: int) -> str:
    """Return a text on one line, and cut where it is too long."""
    line = (clean_name(text) if isinstance(text, str) else None) or ""
    return line if len(line) <= length else f"{line[: length - 1].rstrip()}…"


_ONLY_A_STATUS = re.compile(r"HTTP \d{3}")


def describe_status(status: str | None) -> str | None:
    if status is None:
        return None
    key = f"status.{status}"
    return say(key) if is_said(key) else clean_text(status.replace("_", " "))


def describe_notice(notice: Mapping[str, Any]) -> str:
    """Describe a notice, which is a line of the transcript that is not a message."""
    key = f"notice.{notice.get('kind')}"
    if is_said(key):
        values = {name: clean_text(str(notice.get(name, ""))) or "" for name in _NOTICE_VALUES}
        return say(key, **values)
    kind = str(notice.get("kind")).replace("_", " ").replace(".", " ")
    return clean_text(str(notice.get("text") or "")) or say(
        "notice.other", kind=clean_text(kind) or ""
    )


_NOTICE_VALUES = ("agent", "by", "text", "former", "address")
