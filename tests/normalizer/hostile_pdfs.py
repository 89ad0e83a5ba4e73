"""PDFs that ask for too much memory or time, lie about themselves, or are damaged. None is larger than 10 MB."""

from collections.abc import Callable

from .pdf_files import HELVETICA, Pdf, letters, says, stream, with_image, written


def page_tree_loop() -> bytes:
    made = Pdf().page(says("x"))
    return made.content(kids=[2, 2, made.kids[0]])


def deep_page_tree() -> bytes:
    """Return a tree of 2^30 pages in a few objects."""
    made = Pdf()
    made.page(says("x"))
    kid = made.kids[0]
    for level in range(30):
        kid = made.add(b"<</Type/Pages/Count %d/Kids[%d 0 R %d 0 R]>>" % (2 << level, kid, kid))
    return made.content(kids=[kid], count=1 << 30)


def previous_table_loop() -> bytes:
    plain = letters(1)
    at = plain.rindex(b"xref\n0")
    return plain.replace(b"/Root 1 0 R", b"/Root 1 0 R/Prev %d" % at)


def form_in_itself() -> bytes:
    made = Pdf()
    number = len(made.objects) + 1
    head = b"/Type/XObject/Subtype/Form/BBox[0 0 595 842]/Resources<</XObject<</X %d 0 R>>>>"
    made.add(stream(b"0 0 10 10 re f /X Do", head % number))
    return made.page(
        says("x") + b" /X Do", resources=HELVETICA + b"/XObject<</X %d 0 R>>" % number
    ).content()


def forms_in_forms(levels: int = 12, each: int = 10) -> bytes:
    """Return forms that together draw 10^12 times."""
    made = Pdf()
    inner = made.add(stream(b"0 0 10 10 re f", b"/Type/XObject/Subtype/Form/BBox[0 0 595 842]"))
    for _ in range(levels):
        head = b"/Type/XObject/Subtype/Form/BBox[0 0 595 842]/Resources<</XObject<</X %d 0 R>>>>"
        inner = made.add(stream(b"/X Do " * each, head % inner))
    return made.page(b"/X Do", resources=b"/XObject<</X %d 0 R>>" % inner).content()


def huge_content(size: int = 1_000_000_000) -> bytes:
    """Return a page whose drawing has a gigabyte."""
    line = b"0 0 1 1 re f\n"
    return Pdf().page(line * (size // len(line)), packed=1).content()


def nested(kind: str) -> bytes:
    opening = {"state": b"q ", "array": b"[", "dictionary": b"<</A "}[kind]
    return Pdf().page(says("x") + b" " + opening * 3_000_000, packed=1).content()


def costly(operation: bytes, times: int, resources: bytes = HELVETICA) -> bytes:
    return Pdf().page(operation * times, packed=1, resources=resources).content()


def image(width: int, height: int, filter: str = "", content: bytes = b"\0" * 1000) -> bytes:
    entries = {"Width": width, "Height": height, "BitsPerComponent": 8, "ColorSpace": "/DeviceGray"}
    return with_image(
        entries | ({"Filter": filter} if filter else {}), content, packed=0 if filter else 1
    )


def real_image(side: int) -> bytes:
    """Return an image that is as large as it claims, in a thousandth of its bytes."""
    return image(side, side, content=bytes(side * side))


def packed_twice(size: int = 250_000_000) -> bytes:
    """Return a page whose drawing has a quarter of a gigabyte, in a few kilobytes: its objects take more."""
    line = b"0 0 1 1 re f\n"
    made = Pdf().page(line * (size // len(line)), packed=2)
    return made.content()


def long_function(words: int = 4_000) -> bytes:
    """Return a page whose every colour is calculated by a long program."""
    made = Pdf()
    program = b"{ pop " + b"dup mul " * (words // 2) + b"}"
    function = made.add(stream(program, b"/FunctionType 4/Domain[0 1 0 1]/Range[0 1]"))
    shading = (
        b"/ShadingType 1/ColorSpace/DeviceGray/Matrix[595 0 0 842 0 0]/Function %d 0 R" % function
    )
    return made.page(b"/S sh", resources=b"/Shading<</S<<%s>>>>" % shading).content()


def shared_value(fields: int = 100, size: int = 1_000_000) -> bytes:
    """Return a form whose many fields all have the same long value, which pdfium lays out for each."""
    made = Pdf()
    value = made.add(b"(" + b"x" * size + b")")
    widget = b"<</Type/Annot/Subtype/Widget/FT/Tx/T(n)/Rect[72 600 74 602]/F 2/V %d 0 R>>"
    numbers = [made.add(widget % value) for _ in range(fields)]
    listed = b" ".join(b"%d 0 R" % number for number in numbers)
    made.catalogue = b"/AcroForm<</Fields[%s]>>" % listed
    return made.page(says("x"), more=b"/Annots[%s]" % listed).content()


def scripted() -> bytes:
    made = Pdf()
    made.catalogue = (
        b"/OpenAction<</S/JavaScript/JS(while\\(true\\){})>>/AA<</WC<</S/Launch/F(/bin/sh)>>>>"
        b"/AcroForm<</Fields[]/XFA(<xdp:xdp/>)>>"
    )
    return made.page(says("x"), more=b"/AA<</O<</S/JavaScript/JS(app.alert\\(1\\))>>>>").content()


def dies_on(page: int) -> bytes:
    """Return a document whose page of that number takes more memory than a sandbox has."""
    made = Pdf()
    for number in range(1, page):
        made.page(says(f"Page {number}"))
    line = b"0 0 1 1 re f\n"
    made.page(line * (1_000_000_000 // len(line)), packed=1)
    return made.page(says("never")).content()


#: Files of which at least a page is shown.
SHOWN: dict[str, Callable[[], bytes]] = {
    "ten thousand pages": lambda: letters(10_000),
    "a count of 2^31 - 1": lambda: Pdf().page(says("x")).content(count=2**31 - 1),
    "a page tree that contains itself": page_tree_loop,
    "a table before itself": previous_table_loop,
    "blanks before the header": lambda: b" " * 400 + letters(1),
    "a form that draws itself": form_in_itself,
    "scripts, actions and XFA": scripted,
    "an image that claims too much": lambda: image(60_000, 60_000),
    "an image of 20,000 pixels a side": lambda: real_image(20_000),
    "a JPEG 2000 that claims too much": lambda: image(12_000, 12_000, "/JPXDecode"),
    "a JBIG2 that claims too much": lambda: image(60_000, 60_000, "/JBIG2Decode"),
    "nested arrays": lambda: nested("array"),
    "nested dictionaries": lambda: nested("dictionary"),
    "nested states": lambda: nested("state"),
}

#: Files of which nothing is shown, with the reason.
REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "cut after two thirds": (lambda: letters(9)[: len(letters(9)) * 2 // 3], "corrupt"),
    "no pages": (lambda: Pdf().content(), "corrupt"),
    "a header alone": (lambda: b"%PDF-1.7\n", "corrupt"),
    "no catalogue": (lambda: written([b"null"]), "corrupt"),
    "a page tree of 2^30 pages": (deep_page_tree, "corrupt"),
}
