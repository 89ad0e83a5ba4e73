"""What people read: transcript lines, and every state of an attachment as a sentence."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from workspace.timestamps import parse_timestamp

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
    "messenger": "Messenger",
    "twilio": "SMS",
    "whatsapp": "WhatsApp",
}

#: Platforms whose ids are phone numbers, which people know; elsewhere an id is a mere string of signs.
_PHONE_PLATFORMS = frozenset({"twilio", "whatsapp"})


def fallback_name(platform: str, id: str) -> str:
    """What to call somebody whose name is not known."""
    if platform in _PHONE_PLATFORMS:
        return f"+{id}" if id.isdigit() else id
    characters = "".join(character for character in id if character.isalnum())
    return f"Customer {characters[-4:].upper()}"


_NOUNS: Mapping[str, str] = {
    "photo": "photos",
    "video": "videos",
    "audio": "audio messages",
    "document": "documents",
    "sticker": "stickers",
}

_REJECTED: Mapping[str, str] = {
    "too_large": "Not accepted: the file is too large",
    "unsupported_type": "Not accepted: this type of file is not supported",
    "malware": "Not accepted: malware was found in the file",
    "corrupt": "Not accepted: the file is damaged",
    "too_many_pixels": "Not accepted: it has too many pixels",
    "too_long": "Not accepted: it is too long",
    "disabled": "Not accepted: {kind} are turned off for this channel",
}

_FAILED: Mapping[str, str] = {
    "gone": "Could not be downloaded: the platform no longer has it",
    "expired": "Could not be downloaded: the platform's link has expired",
    "unauthorized": "Could not be downloaded: the platform did not accept our credentials",
    "unreachable": "Could not be downloaded: the platform did not answer",
    "checksum_mismatch": "Could not be downloaded: the file arrived damaged",
    "blocked_host": "Could not be downloaded: its address is not allowed",
    "scanner_unavailable": "Could not be checked: the malware scanner is not responding",
    "decoder_crashed": "Could not be made safe: the file could not be decoded",
}


def format_size(count: float) -> str:
    """Bytes as people read them; decimal, as the settings are."""
    if count < 1000:
        return f"{count:.0f} bytes"
    if count < 1_000_000:
        return f"{count / 1000:.0f} kB"
    megabytes = f"{count / 1_000_000:.1f}"
    return f"{megabytes.removesuffix('.0')} MB"


def format_duration(seconds: float) -> str:
    """m:ss, or h:mm:ss from an hour on."""
    whole = max(0, round(seconds))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


#: What is told exactly where the detail holds numbers: the words for it, and how such a number reads.
_MEASURED: Mapping[str, tuple[str, Callable[[float], str]]] = {
    "too_large": ("Too large", format_size),
    "too_many_pixels": ("Too many pixels", lambda count: f"{count / 1e6:.0f} megapixels"),
    "too_long": ("Too long", format_duration),
}


def describe_state(attachment: Mapping[str, Any]) -> str:
    """The state of an attachment as people should read it; empty when it is ready to be seen."""
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


#: What is being done for an attachment that is pending, in the gateway's words for it.
_STEPS: Mapping[str, str] = {
    "waiting": "Downloading…",
    "fetching": "Downloading…",
    "scanning": "Scanning for malware…",
    "making_safe": "Making it safe…",
}


def describe_progress(attachment: Mapping[str, Any], now: int) -> str:
    """What is being done for an attachment just now; empty when it is not pending any more."""
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
    """Whether fetching it again may help."""
    return attachment.get("state") == "failed" and not _removal_text(attachment)


def _removal_text(attachment: Mapping[str, Any]) -> str | None:
    """What was ready once and had to make room, or whose time is over, says so."""
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
    sentence = table.get(reason, default)
    return sentence.replace("{kind}", kind).replace("{reason}", reason.replace("_", " "))


def _describe_with_numbers(reason: str, detail: object) -> str | None:
    """The sentence with numbers, where the detail holds them. What else it says is for operators."""
    found = _NUMBERS.fullmatch(detail) if isinstance(detail, str) else None
    if reason not in _MEASURED or found is None:
        return None
    text, format_value = _MEASURED[reason]
    amount = format_value(float(found["found"]) * float(found["times"] or 1))
    prefix = "more than " if found["more"] else ""
    limit = f", limit {format_value(float(found['limit']))}" if found["limit"] else ""
    return f"{text}: {prefix}{amount}{limit}"


#: "31000000 bytes; the limit for a video is 25000000", "12000 x 9000 pixels, the limit is 64000000", "5400 s";
#: where a file ended being fetched, "more than 25000000 bytes came".
_NUMBERS = re.compile(
    r"(?:frames of )?(?P<more>more than )?(?P<found>\d{1,15})(?: x (?P<times>\d{1,9}))? (?:bytes|pixels|s)\b"
    r"(?:\D{1,60}limit\D{1,40}(?P<limit>\d{1,15}))?\D{0,60}"
)


_NOTICES: Mapping[str, str] = {
    "closed_by_consumer": "The customer closed the conversation",
    "unrecognised": "Something arrived that could not be read. An operator can look it up.",
    "OptOutType": "The customer sent an opt-in or opt-out keyword: {text}",
    "user_changed_number": "The customer changed their phone number",
    "request_welcome": "The customer opened the chat",
    "taken": "{agent} took the conversation",
    "handed_over": "{by} handed the conversation over to {agent}",
    "released": "{agent} left the conversation",
    "closed": "{agent} closed the conversation",
    "reopened": "{agent} reopened the conversation",
}


#: What became of a text of ours.
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

#: Why a text of ours did not arrive, in the gateway's word.
_REASONS: Mapping[str, str] = {
    "blocked": "the customer blocked us, or the platform blocked the message",
    "closed": "the customer closed the conversation; you can reply once they write again",
    "invalid": "the platform did not accept the message",
    "misconfigured": "the channel is not set up correctly; ask an operator to check it",
    "not_configured": "the channel is no longer set up",
    "opted_out": "the customer opted out of messages; you can reply once they write again",
    "rate_limited": "the platform accepted no more messages; try again later",
    "suspended": "the platform suspended our account; ask an operator to check it",
    "temporary": "the platform had problems for too long",
    "unauthorized": "the platform did not accept our credentials; ask an operator to check them",
    "unreachable": "the platform did not answer for too long",
    "undeliverable": "the platform cannot reach the customer",
    "window_closed": "too much time has passed since the customer's last message; you can reply once they write again",
}


def describe_reason(reason: str | None) -> str | None:
    return None if reason is None else _REASONS.get(reason, reason.replace("_", " "))


def describe_status(status: str | None) -> str | None:
    return None if status is None else _STATUSES.get(status, status.replace("_", " "))


def describe_notice(notice: Mapping[str, Any]) -> str:
    """A line of the transcript that nobody wrote."""
    sentence = _NOTICES.get(str(notice.get("kind")))
    if sentence is None:
        kind = str(notice.get("kind")).replace("_", " ").replace(".", " ")
        return str(notice.get("text") or f"Message from the platform: {kind}")
    for name in ("agent", "by", "text"):
        sentence = sentence.replace(f"{{{name}}}", str(notice.get(name, "")))
    return sentence
