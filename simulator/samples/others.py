"""Samples that are neither photo, video, sound nor document: a contact card."""

from .sample import Sample


def card(name: str = "Ann Example", phone: str = "+1 555-000-1111") -> Sample:
    """Return a contact card as phones share it."""
    lines = ("BEGIN:VCARD", "VERSION:3.0", f"FN:{name}", f"N:{name};;;;", f"TEL:{phone}")
    content = "\r\n".join((*lines, "END:VCARD", "")).encode()
    return Sample("contact.vcf", "text/vcard", content)
