"""Making documents, cards and voice messages safe: time and memory, other programs, and photos beside them.

    python -m bench.documents [--rounds N] [--photos N] [--publish]

A file goes through the sandbox with all isolation layers. pdftoppm and mutool paint the same pages, where they are
installed. Each figure is the best of several rounds, in which the programs take turns.
"""

import asyncio
import io
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from PIL import Image

from bench.report import machine, options, publish, table
from bench.sanitize_inputs import photos
from bench.sanitize_sandbox import most_memory, timed
from normalizer.media import Limits
from normalizer.sanitizer import Sanitizer
from simulator.samples.sounds import sound
from tests.normalizer.office_files import docx, paragraph, xlsx
from tests.normalizer.pdf_files import Pdf, says, stream

_SCANNED = (1654, 2339)
_PAGES = 10
_DPI = "150"

#: Paints the pages of a PDF into a folder.
Peer = Callable[[Path, Path], None]


def files() -> Mapping[str, bytes]:
    """Return what consumers send most."""
    letters = "".join(
        paragraph("The machine is loud, and I want my money back. " * 6) for _ in range(54)
    )
    row = "<row>" + "<c><v>12345.5</v></c>" * 10 + "</row>"
    return {
        "voice message of 20 s": sound("ogg", 20.0).content,
        "invoice of one page": invoice(),
        "text of ten pages": text_pages(_PAGES),
        "DOCX of 15,000 letters": docx(letters),
        "XLSX of 200 rows": xlsx({"Prices": f"<sheetData>{row * 200}</sheetData>"}),
        "contact card with a photo of 1 MB": card(),
        "scan of ten pages": scan(_PAGES),
    }


def invoice() -> bytes:
    lines = b" ".join(
        says(f"Position {n}: spare part, 12.50 EUR", 72, 760 - 16 * n, 11) for n in range(40)
    )
    return Pdf().page(lines).content()


def text_pages(count: int) -> bytes:
    made = Pdf()
    lines = b" ".join(
        says("The quick brown fox jumps over the lazy dog. " * 2, 50, 800 - 13 * n, 9)
        for n in range(58)
    )
    for _ in range(count):
        made.page(lines)
    return made.content()


def scan(count: int) -> bytes:
    """Return pages that are one photo of paper each."""
    made = Pdf()
    head = b"/Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 8/ColorSpace/DeviceRGB/Filter/DCTDecode"
    for _ in range(count):
        image = made.add(stream(_paper(), head % _SCANNED))
        made.page(b"595 0 0 842 0 0 cm /I Do", resources=b"/XObject<</I %d 0 R>>" % image)
    return made.content()


def _paper() -> bytes:
    width, height = _SCANNED
    paper = Image.effect_noise(_SCANNED, 12).point(lambda level: min(255, level + 110))
    drawing = Image.effect_mandelbrot((width // 2, height // 3), (-2, -1.2, 1, 1.2), 30)
    paper.paste(drawing, (200, 300))
    file = io.BytesIO()
    paper.convert("RGB").save(file, "JPEG", quality=80)
    return file.getvalue()


def card() -> bytes:
    photo = b"PHOTO;ENCODING=b;TYPE=JPEG:" + b"QUJD" * 250_000
    return (
        b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ann Example\r\nTEL:+491701\r\n"
        + photo
        + b"\r\nEND:VCARD\r\n"
    )


def peers() -> dict[str, Peer]:
    """Return the programs that are installed."""

    def pdftoppm(source: Path, folder: Path) -> None:
        _call("pdftoppm", "-r", _DPI, "-jpeg", "-jpegopt", "quality=75", str(source), f"{folder}/p")

    def mutool(source: Path, folder: Path) -> None:
        # mutool writes no JPEG: PNG would take far longer, PAM is the pixels alone.
        _call(
            "mutool", "draw", "-q", "-r", _DPI, "-F", "pam", "-o", f"{folder}/p%d.pam", str(source)
        )

    known: dict[str, Peer] = {"pdftoppm": pdftoppm, "mutool": mutool}
    return {name: run for name, run in known.items() if shutil.which(name)}


async def rows(rounds: int) -> list[list[str]]:
    running = Sanitizer(Limits(), sandboxes=1)
    await running.start()
    found, installed = [], peers()
    for name, content in files().items():
        most_memory(running)
        ours, others = [], dict[str, list[float]]()
        for _ in range(rounds):
            ours.append(await timed(running, content))
            if content.startswith(b"%PDF"):
                for peer, run in installed.items():
                    others.setdefault(peer, []).append(_painted(run, content))
        took, outcome = min(ours)
        ratios = ", ".join(f"{peer} {min(times) / took:.1f}" for peer, times in others.items())
        memory = f"{most_memory(running) / 2**20:.0f} MiB"
        found.append([name, f"{len(content):,}", outcome, f"{took * 1000:,.0f} ms", memory, ratios])
    await running.close()
    return found


def _painted(run: Peer, content: bytes) -> float:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source.pdf"
        source.write_bytes(content)
        begin = time.perf_counter()
        run(source, Path(folder))
        return time.perf_counter() - begin


async def photos_beside(count: int) -> list[list[str]]:
    """Return how long a photo takes alone, and while documents keep their lane busy."""
    photo, paper = photos()["2 MP sRGB"], scan(_PAGES)
    running = Sanitizer(Limits())
    await running.start()
    alone = sorted([(await timed(running, photo))[0] for _ in range(count)])
    is_over = False

    async def keep_busy() -> None:
        while not is_over:
            await timed(running, paper)

    busy = [asyncio.create_task(keep_busy()) for _ in range(4)]
    beside = sorted([(await timed(running, photo))[0] for _ in range(count)])
    is_over = True
    await asyncio.gather(*busy)
    await running.close()
    at = min(count - 1, int(count * 0.95))
    return [
        ["alone", f"{alone[count // 2] * 1000:,.0f} ms", f"{alone[at] * 1000:,.0f} ms"],
        [
            "beside four scans at a time",
            f"{beside[count // 2] * 1000:,.0f} ms",
            f"{beside[at] * 1000:,.0f} ms",
        ],
    ]


def _call(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="rounds for each file (default: 3)")
    parser.add_argument(
        "--photos", type=int, default=40, help="photos beside documents (default: 40)"
    )
    arguments = parser.parse_args()
    made = asyncio.run(rows(arguments.rounds))
    beside = asyncio.run(photos_beside(arguments.photos))
    heads = ("a file", "bytes", "outcome", "time", "largest sandbox", "÷ ours")
    absent = sorted({"pdftoppm", "mutool"} - peers().keys())
    note = f"\n\nNot installed: {', '.join(absent)}." if absent else ""
    second = table(("a photo of 2 megapixels", "p50", "p95"), beside)
    text = f"{machine()}\n\n{table(heads, made)}{note}\n\n{second}"
    print(text)
    if arguments.publish:
        publish("documents", text)


if __name__ == "__main__":
    main()
