"""PDFs as programs write them, and as attackers do, built object by object."""

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

A4 = b"[0 0 595 842]"
HELVETICA = b"/Font<</F 5 0 R>>"


def stream(content: bytes, entries: bytes = b"", *, packed: int = 0) -> bytes:
    """Return a stream object, deflated so many times."""
    for _ in range(packed):
        content = zlib.compress(content, 9)
    filters = b"/Filter[" + b"/FlateDecode" * packed + b"]" if packed else b""
    return b"<</Length %d%s%s>>\nstream\n%s\nendstream" % (len(content), filters, entries, content)


def says(text: str, x: int = 72, y: int = 720, size: float = 24, more: str = "") -> bytes:
    """Return the content of a page with one line of text."""
    return f"BT {more} /F {size} Tf {x} {y} Td ({text}) Tj ET".encode("latin-1")


@dataclass
class Pdf:
    """A PDF under construction: objects 1 to 5 are the catalogue, the pages, two spare ones and a font."""

    catalogue: bytes = b""
    objects: list[bytes] = field(default_factory=lambda: [b"null"] * 4)
    kids: list[int] = field(default_factory=list)
    trailer: bytes = b""

    def __post_init__(self) -> None:
        self.objects[3:] = [b"null", b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"]

    def add(self, content: bytes) -> int:
        """Add an object and return its number."""
        self.objects.append(content)
        return len(self.objects)

    def page(
        self,
        content: bytes,
        *,
        box: bytes = A4,
        resources: bytes = HELVETICA,
        more: bytes = b"",
        packed: int = 0,
    ) -> "Pdf":
        drawing = self.add(stream(content, packed=packed))
        page = b"<</Type/Page/Parent 2 0 R/MediaBox%s/Contents %d 0 R/Resources<<%s>>%s>>"
        self.kids.append(self.add(page % (box, drawing, resources, more)))
        return self

    def content(self, *, count: int | None = None, kids: Sequence[int] | None = None) -> bytes:
        """Return the file."""
        numbers = self.kids if kids is None else kids
        listed = b" ".join(b"%d 0 R" % kid for kid in numbers)
        self.objects[0] = b"<</Type/Catalog/Pages 2 0 R%s>>" % self.catalogue
        total = len(numbers) if count is None else count
        self.objects[1] = b"<</Type/Pages/Count %d/Kids[%s]>>" % (total, listed)
        return written(self.objects, self.trailer)


def written(objects: Sequence[bytes], trailer: bytes = b"") -> bytes:
    parts, starts, size = [b"%PDF-1.7\n"], [], 9
    for number, content in enumerate(objects, 1):
        starts.append(size)
        parts.append(b"%d 0 obj\n%s\nendobj\n" % (number, content))
        size += len(parts[-1])
    table = b"".join(b"%010d 00000 n \n" % start for start in starts)
    count = len(objects) + 1
    parts.append(b"xref\n0 %d\n0000000000 65535 f \n%s" % (count, table))
    parts.append(
        b"trailer\n<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (count, trailer, size)
    )
    return b"".join(parts)


def letters(count: int) -> bytes:
    """Return a PDF of so many pages, each with its number."""
    made = Pdf()
    for number in range(1, count + 1):
        made.page(says(f"Page {number}"))
    return made.content()


def with_image(entries: Mapping[str, object], content: bytes, *, packed: int = 1) -> bytes:
    """Return a PDF of one page that shows an image over all of it."""
    made = Pdf()
    written_entries = "".join(f"/{name} {value}" for name, value in entries.items())
    image = made.add(
        stream(content, f"/Type/XObject/Subtype/Image{written_entries}".encode(), packed=packed)
    )
    made.page(b"595 0 0 842 0 0 cm /I Do", resources=b"/XObject<</I %d 0 R>>" % image)
    return made.content()


def filled_form(*, appearance: bool, value: str = "Ann Example") -> bytes:
    """Return a form whose only field was filled in, with or without a drawing of the value."""
    made = Pdf()
    drawn = b""
    if appearance:
        content = f"/Tx BMC q BT /F 18 Tf 4 8 Td ({value}) Tj ET Q EMC".encode()
        form = b"/Type/XObject/Subtype/Form/BBox[0 0 300 40]/Resources<</Font<</F 5 0 R>>>>"
        drawn = b"/AP<</N %d 0 R>>" % made.add(stream(content, form))
    widget = made.add(
        b"<</Type/Annot/Subtype/Widget/FT/Tx/T(name)/V(%s)/DA(/F 18 Tf 0 g)/Rect[72 600 372 640]/F 4%s>>"
        % (value.encode(), drawn)
    )
    made.catalogue = (
        b"/AcroForm<</Fields[%d 0 R]/DA(/F 18 Tf 0 g)/DR<</Font<</F 5 0 R>>>>>>" % widget
    )
    return made.page(b"", more=b"/Annots[%d 0 R]" % widget).content()


def form_with(entries: bytes) -> bytes:
    """Return a form with a field of these entries, without a drawing of its value."""
    made = Pdf()
    place = b"/DA(/F 18 Tf 0 g)/Rect[72 600 372 640]"
    widget = made.add(b"<</Type/Annot/Subtype/Widget/T(CANARY-name)%s%s>>" % (place, entries))
    fonts = b"/DA(/F 18 Tf 0 g)/DR<</Font<</F 5 0 R>>>>"
    made.catalogue = b"/AcroForm<</Fields[%d 0 R]%s>>" % (widget, fonts)
    return made.page(b"", more=b"/Annots[%d 0 R]" % widget).content()


# passwords: the oldest of the standard's methods (ISO 32000-1, 7.6.3, revision 2) --------------------

_PAD = bytes.fromhex("28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a")
_FILE_ID = bytes(16)


def rc4(key: bytes, data: bytes) -> bytes:
    state, j = list(range(256)), 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    i = j = 0
    out = bytearray()
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)


def protected(*, user: bytes, owner: bytes, text: str = "Secret words") -> bytes:
    """Return a PDF of one page; without a `user` password it opens, but may not be changed."""
    padded_user, padded_owner = ((word + _PAD)[:32] for word in (user, owner))
    owner_entry = rc4(hashlib.md5(padded_owner).digest()[:5], padded_user)
    rights = (-4 & 0xFFFFFFFF).to_bytes(4, "little")
    key = hashlib.md5(padded_user + owner_entry + rights + _FILE_ID).digest()[:5]
    made = Pdf()
    number = len(made.objects) + 1
    own = hashlib.md5(key + number.to_bytes(3, "little") + bytes(2)).digest()[:10]
    made.page(rc4(own, says(text)))
    encryption = made.add(
        b"<</Filter/Standard/V 1/R 2/P -4/O<%s>/U<%s>>>"
        % (owner_entry.hex().encode(), rc4(key, _PAD).hex().encode())
    )
    id = _FILE_ID.hex().encode()
    made.trailer = b"/Encrypt %d 0 R/ID[<%s><%s>]" % (encryption, id, id)
    return made.content()
