"""PDFs that name fonts and do not contain them, as programs of offices all over the world write them."""

from .pdf_files import Pdf, stream


def _descriptor(made: Pdf, name: str) -> int:
    return made.add(
        b"<</Type/FontDescriptor/FontName/%s/Flags 4/FontBBox[0 -200 1000 900]/ItalicAngle 0"
        b"/Ascent 880/Descent -120/CapHeight 700/StemV 80>>" % name.encode()
    )


def coded(text: str, charset: str, encoding: str, ordering: str, name: str) -> bytes:
    """Return a page of text in one of the encodings that every reader knows (ISO 32000-1, 9.7.5.2)."""
    made = Pdf()
    letters = made.add(
        b"<</Type/Font/Subtype/CIDFontType0/BaseFont/%s/CIDSystemInfo<</Registry(Adobe)/Ordering(%s)"
        b"/Supplement 2>>/DW 1000/FontDescriptor %d 0 R>>"
        % (name.encode(), ordering.encode(), _descriptor(made, name))
    )
    return _page(made, name, encoding, letters, text.encode(charset), b"")


def by_glyphs(text: str, name: str) -> bytes:
    """Return a page of text by numbers of glyphs, and a table of what the glyphs mean."""
    made = Pdf()
    pairs = b"".join(b"<%04X> <%04X>\n" % (n, ord(letter)) for n, letter in enumerate(text, 1))
    table = made.add(
        stream(
            b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /A def /CMapType 2 def "
            b"1 begincodespacerange <0000> <FFFF> endcodespacerange\n%d beginbfchar\n%sendbfchar endcmap end end"
            % (len(text), pairs)
        )
    )
    letters = made.add(
        b"<</Type/Font/Subtype/CIDFontType2/BaseFont/%s/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)"
        b"/Supplement 0>>/DW 700/FontDescriptor %d 0 R>>" % (name.encode(), _descriptor(made, name))
    )
    codes = b"".join(n.to_bytes(2, "big") for n in range(1, len(text) + 1))
    return _page(made, name, "Identity-H", letters, codes, b"/ToUnicode %d 0 R" % table)


def _page(made: Pdf, name: str, encoding: str, letters: int, codes: bytes, more: bytes) -> bytes:
    font = made.add(
        b"<</Type/Font/Subtype/Type0/BaseFont/%s/Encoding/%s/DescendantFonts[%d 0 R]%s>>"
        % (name.encode(), encoding.encode(), letters, more)
    )
    drawing = b"BT /G 24 Tf 72 720 Td <%s> Tj ET" % codes.hex().encode()
    return made.page(drawing, resources=b"/Font<</G %d 0 R>>" % font).content()
