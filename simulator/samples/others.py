"""Samples that are neither photo, video nor sound: a document, a contact card."""

from .sample import Sample


def document(words: str = "Example invoice") -> Sample:
    """Return a PDF of one page with one line of text."""
    content_stream = f"BT /F1 24 Tf 72 720 Td ({words}) Tj ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources 6 0 R >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content_stream), content_stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Font << /F1 5 0 R >> >>",
    ]
    file, starts = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        starts.append(len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % start for start in starts)
    count, at = len(objects) + 1, len(file)
    file += b"xref\n0 %d\n0000000000 65535 f \n%s" % (count, table)
    file += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count, at)
    return Sample("invoice.pdf", "application/pdf", file)


def card(name: str = "Ann Example", phone: str = "+1 555-000-1111") -> Sample:
    """Return a contact card as phones share it."""
    lines = ("BEGIN:VCARD", "VERSION:3.0", f"FN:{name}", f"N:{name};;;;", f"TEL:{phone}")
    content = "\r\n".join((*lines, "END:VCARD", "")).encode()
    return Sample("contact.vcf", "text/vcard", content)
