"""Texts that people read: placeholders, names, states, statuses, reasons and notices."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from workspace.timestamps import parse_timestamp

from .safe_text import clean_name

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
    "web": "Web chat",
    "whatsapp": "WhatsApp",
}

#: Platforms whose ids are phone numbers, which mean something to people. Other ids do not.
_PHONE_PLATFORMS = frozenset({"twilio", "whatsapp"})


def fallback_name(platform: str, id: str) -> str:
    """Return a name for a consumer whose name is not known."""
    if platform in _PHONE_PLATFORMS:
        return f"+{id}" if id.isdigit() else id
    characters = "".join(character for character in id if character.isalnum())
    return f"Customer {characters[-4:].upper()}"


def shown_name(platform: str, name: str | None, id: str) -> str:
    """Return a consumer's name as the pages show it."""
    return clean_name(name) or fallback_name(platform, clean_name(id) or "")


def display_address(platform: str, id: str) -> str:
    """Return a consumer's address as people write it: a number with a plus sign, any other id as it is."""
    name = fallback_name(platform, id)
    return id if name.startswith("Customer") else name


_NOUNS: Mapping[str, str] = {
    "photo": "photos",
    "video": "videos",
    "audio": "audio messages",
    "document": "documents",
    "sticker": "stickers",
    "contact": "contact cards",
}

_REJECTED: Mapping[str, str] = {
    "too_large": "Not accepted: the file is too large",
    "unsupported_type": "Not accepted: this type of file is not supported",
    "malware": "Not accepted: malware was found in the file",
    "corrupt": "Not accepted: the file is damaged",
    "too_many_pixels": "Not accepted: it has too many pixels",
    "too_long": "Not accepted: it is too long",
    "protected": "Not accepted: the file needs a password",
    "disabled": "Not accepted: {kind} are turned off for this channel",
}

_FAILED: Mapping[str, str] = {
    "gone": "Could not be downloaded: the platform no longer has it",
    "expired": "Could not be downloaded: the platform's link has expired",
    "unauthorized": "Could not be downloaded: the platform did not accept our credentials; please ask an operator",
    "unreachable": "Could not be downloaded: the platform did not answer",
    "checksum_mismatch": "Could not be downloaded: the file arrived damaged",
    "blocked_host": "Could not be downloaded: its address is not allowed",
    "scanner_unavailable": "Could not be checked: the malware scanner is not responding",
    "decoder_crashed": "Could not be made safe: the file could not be decoded",
}


#: The same if the platform did answer, with a code of its own.
_REFUSED: Mapping[str, str] = {
    "unreachable": "Could not be downloaded: the platform refused it",
}


def format_size(count: float) -> str:
    """Return a number of bytes with a decimal unit, as in the settings."""
    if count < 1000:
        return f"{count:.0f} bytes"
    if count < 1_000_000:
        return f"{count / 1000:.0f} kB"
    megabytes = f"{count / 1_000_000:.1f}"
    return f"{megabytes.removesuffix('.0')} MB"


def format_duration(seconds: float) -> str:
    """Return m:ss, or h:mm:ss from one hour on."""
    whole = max(0, round(seconds))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


#: Reasons that are shown with numbers if the detail has them: the text, and the format of the number.
_MEASURED: Mapping[str, tuple[str, Callable[[float], str]]] = {
    "too_large": ("Too large", format_size),
    "too_many_pixels": ("Too many pixels", lambda count: f"{count / 1e6:.0f} megapixels"),
    "too_long": ("Too long", format_duration),
}


def describe_state(attachment: Mapping[str, Any]) -> str:
    """Describe the state of an attachment; the text is empty if the attachment is ready."""
    match attachment.get("state"):
        case "ready":
            return ""
        case "rejected":
            return _describe_with_reason(attachment, _REJECTED, "Not accepted: {reason}")
        case "failed" if removal := _removal_text(attachment):
            return removal
        case "failed":
            return _describe_with_reason(attachment, _FAILED, "Could not be downloaded: {reason}")
        case _:
            return "Downloading…"


#: Texts for the gateway's steps of a pending attachment.
_STEPS: Mapping[str, str] = {
    "waiting": "Downloading…",
    "waiting_for_turn": "Waiting for its turn…",
    "fetching": "Downloading…",
    "scanning": "Scanning for malware…",
    "making_safe": "Making it safe…",
}


def describe_progress(attachment: Mapping[str, Any], now: int) -> str:
    """Describe what is being done for an attachment; the text is empty if it is not pending."""
    if attachment.get("state") != "pending":
        return ""
    progress = attachment.get("progress")
    if not isinstance(progress, Mapping):
        return describe_state(attachment)
    step, percent, tries = (progress.get(name) for name in ("step", "percent", "tries"))
    if step == "waiting" and isinstance(tries, int) and tries > 0:
        times = "once" if tries == 1 else f"{tries} times"
        return f"Not downloaded yet: tried {times}{_next_try(progress.get('next_try_at'), now)}"
    text = _STEPS.get(str(step), _STEPS["waiting"])
    return f"{text} {percent}%" if isinstance(percent, int) else text


def _next_try(at: object, now: int) -> str:
    due = parse_timestamp(at, 0)
    if not due:
        return ""
    minutes = round(max(0, due - now) / 60_000)
    return f", trying again in {minutes} min" if minutes else ", trying again in a moment"


def can_retry(attachment: Mapping[str, Any]) -> bool:
    """Whether fetching the attachment again may help."""
    return attachment.get("state") == "failed" and not _removal_text(attachment)


def _removal_text(attachment: Mapping[str, Any]) -> str | None:
    """Describe an attachment that was ready and has been deleted since, by age or to make room."""
    detail = attachment.get("detail")
    if attachment.get("reason") != "expired" or not isinstance(detail, str):
        return None
    removal = _REMOVAL_DETAIL.search(detail)
    return f"No longer kept: {removal[0]}" if removal else None


_REMOVAL_DETAIL = re.compile(r"the retention time is over|only the newest \d+ photos are kept")


def _describe_with_reason(
    attachment: Mapping[str, Any], table: Mapping[str, str], default: str
) -> str:
    reason = str(attachment.get("reason") or "no reason given")
    exact = _describe_with_numbers(reason, attachment.get("detail"))
    if exact:
        return exact
    kind = _NOUNS.get(str(attachment.get("kind")), "attachments")
    # Without a code, the detail is the gateway's own, for operators.
    code = attachment.get("code")
    sentence = (_REFUSED.get(reason) if code else None) or table.get(reason, default)
    sentence = sentence.replace("{kind}", kind).replace("{reason}", reason.replace("_", " "))
    return sentence + (_platform_words(code, attachment.get("detail")) if code else "")


def _describe_with_numbers(reason: str, detail: object) -> str | None:
    """Describe the reason with the numbers in the detail, if there are any. Other details are for operators."""
    found = _NUMBERS.fullmatch(detail) if isinstance(detail, str) else None
    if reason not in _MEASURED or found is None:
        return None
    text, format_value = _MEASURED[reason]
    amount = format_value(float(found["found"]) * float(found["times"] or 1))
    prefix = "more than " if found["more"] else ""
    limit = f", limit {format_value(float(found['limit']))}" if found["limit"] else ""
    return f"{text}: {prefix}{amount}{limit}"


#: The gateway's details: "31000000 bytes; the limit for a video is 25000000", "12000 x 9000 pixels, the limit is
#: 64000000", "5400 s", and "more than 25000000 bytes came" when a download was stopped.
_NUMBERS = re.compile(
    r"(?:frames of )?(?P<more>more than )?(?P<found>\d{1,15})(?: x (?P<times>\d{1,9}))? (?:bytes|pixels|s)\b"
    r"(?:\D{1,60}limit\D{1,40}(?P<limit>\d{1,15}))?\D{0,60}"
)


_NOTICES: Mapping[str, str] = {
    "erasure_requested": "The customer deleted the conversation in the chat; everything is being erased",
    "closed_by_consumer": "The customer closed the conversation",
    "unrecognised": "Something arrived that could not be read. An operator can look it up.",
    "OptOutType": "The customer sent an opt-in or opt-out keyword: {text}",
    "user_changed_number": "The customer changed their phone number",
    "address_changed": "The customer's address changed from {former} to {address}. Replies go to the new one.",
    "merged": "Two conversations with the same person were joined. The messages of both are shown here.",
    "opted_out": "The customer opted out of messages",
    "opted_in": "The customer accepts messages again",
    "request_welcome": "The customer opened the chat",
    "taken": "{agent} took the conversation",
    "handed_over": "{by} handed the conversation over to {agent}",
    "released": "{agent} left the conversation",
    "closed": "{agent} closed the conversation",
    "reopened": "{agent} reopened the conversation",
}


#: Texts for the statuses of our own messages.
_STATUSES: Mapping[str, str] = {
    "sending": "Sending…",
    "accepted": "On its way",
    "sent": "Sent",
    "delivered": "Delivered",
    "read": "Read",
    "failed": "Not delivered",
    "refused": "Not sent",
    "unknown": "May not have been sent",
}

#: Texts for the gateway's reasons why one of our messages did not arrive.
_REASONS: Mapping[str, str] = {
    "blocked": "the customer blocked us, or the platform blocked the message",
    "closed": "the customer closed the conversation; you can reply once they write again",
    "invalid": "the platform did not accept the message",
    "misconfigured": "the channel is not set up correctly; ask an operator to check it",
    "not_configured": "the channel is no longer set up",
    "opted_out": "the customer opted out of messages; you can reply once they write again",
    "rate_limited": "the platform accepted no more messages; try again later",
    "suspended": "the platform suspended our account; ask an operator to check it",
    "not_in_control": "another app is answering this customer at the moment; take over the conversation there",
    "temporary": "the platform had problems for too long",
    "unauthorized": "the platform did not accept our credentials; please ask an operator",
    "unreachable": "the platform did not answer for too long",
    "undeliverable": "the platform cannot reach the customer",
    "unknown": "the platform refused the message",
    "window_closed": "too much time has passed since the customer's last message; you can reply once they write again",
}


def describe_reason(
    reason: str | None, code: str | None = None, detail: str | None = None
) -> str | None:
    """Describe why a message failed, with the platform's own words beside ours."""
    if reason is None:
        return None
    return _REASONS.get(reason, reason.replace("_", " ")) + _platform_words(code, detail)


def _platform_words(code: object, detail: object) -> str:
    """Return what the platform itself said, to be added to our sentence."""
    number, words = _short(code, _MAX_CODE), _short(detail, _MAX_QUOTED)
    shown = f" (code {number})" if number else ""
    if not words or _ONLY_A_STATUS.fullmatch(words):
        return shown
    return f". The platform's words: “{words}”{shown}"


#: Characters of the platform's words and code that are shown at most.
_MAX_QUOTED, _MAX_CODE = 160, 40


def _short(text: object, length: int) -> str:
    """Return a text on one line, and cut where it is too long."""
    line = (clean_name(text) if isinstance(text, str) else None) or ""
    return line if len(line) <= length else f"{line[: length - 1].rstrip()}…"


_ONLY_A_STATUS = re.compile(r"HTTP \d{3}")


def describe_status(status: str | None) -> str | None:
    return None if status is None else _STATUSES.get(status, status.replace("_", " "))


def describe_notice(notice: Mapping[str, Any]) -> str:
    """Describe a notice, which is a line of the transcript that is not a message."""
    sentence = _NOTICES.get(str(notice.get("kind")))
    if sentence is None:
        kind = str(notice.get("kind")).replace("_", " ").replace(".", " ")
        return str(notice.get("text") or f"Message from the platform: {kind}")
    for name in ("agent", "by", "text", "former", "address"):
        sentence = sentence.replace(f"{{{name}}}", str(notice.get(name, "")))
    return sentence
