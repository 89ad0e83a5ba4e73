"""The story of the demonstration: one consumer on each platform."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from .platform import Consumer, Delivered, Platform
from .samples import Sample, document, photo, still, video, voice


@dataclass(frozen=True, slots=True)
class Line:
    """A message of the story: a text, files, or both."""

    platform: str
    consumer: Consumer
    text: str | None = None
    files: tuple[Sample, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """A line that was sent, and the gateway's answers."""

    line: Line
    answers: tuple[Delivered, ...]


ANN = Consumer("4915112345678", "Ann Berger")
BEN = Consumer("7712345678901234", "Ben Okafor")
CLEO = Consumer("+15550001111", "Cleo Martin")
DANA = Consumer("urn:mbid:AQAAYexampleDana/+=", "Dana Silva")
FAY = Consumer("1789012345678901", "Fay Moreau")
GIA = Consumer("con_6769610000000000000000000000cafe", "Gia Rossi")
#: Her id is a number, because some platforms allow nothing else.
EVA = Consumer("424242001", "Eva Lindqvist")

_CONSUMERS = {
    "apple": DANA,
    "instagram": FAY,
    "messenger": BEN,
    "twilio": CLEO,
    "web": GIA,
    "whatsapp": ANN,
}


def somebody(platform: str) -> Consumer:
    """Return a consumer whose id has this platform's form."""
    return _CONSUMERS.get(platform, EVA)


def story() -> list[Line]:
    """Return the messages of all consumers, in order. Making their files takes a few seconds."""
    parcel = photo("parcel", seed=11, name="IMG_2041.JPG")
    label = photo("parcel", 1200, 1600, seed=12, orientation=6, name="IMG_2042.JPG")
    drum = video("washer", 4.0, 640, 360, seed=21, name="washer.mp4")
    wheel = photo("bicycle", seed=31, name="IMG_0007.JPG")
    ride = video("bicycle", 3.0, 480, 270, seed=32, name="ride.mp4")
    bag = photo("parcel", 1080, 1350, seed=51, name="bag.jpg")
    opened = video("parcel", 3.0, 270, 480, seed=52, name="opened.mp4")
    chain = photo("bicycle", 1280, 960, seed=61, name="chain.jpg")
    turn = video("bicycle", 3.0, 640, 360, seed=62, name="turn.mp4")
    car = photo("car", 2000, 1500, seed=41, name="IMG_0815.JPG")
    drive = video("car", 3.0, 640, 360, seed=42, name="drive.mp4")
    return [
        Line("whatsapp", ANN, "Hello, my parcel came today and the box is dented."),
        Line("whatsapp", ANN, "This is how it stood at the door", (parcel,)),
        Line("messenger", BEN, "Hi! Our new washing machine shakes."),
        Line("twilio", CLEO, "The front wheel of my bike wobbles", (wheel,)),
        Line("apple", DANA, "Good morning! Scratch on the left door, see photo.", (car,)),
        Line("instagram", FAY, "Is this one still available?", (bag,)),
        Line("web", GIA, "The chain of my new bike jumps", (chain,)),
        Line("messenger", BEN, "It does this all day", (drum,)),
        Line("whatsapp", ANN, "And the label", (label,)),
        Line("twilio", CLEO, "Listen to it", (ride,)),
        Line("apple", DANA, "And this is how it sounds when I drive", (drive,)),
        Line("whatsapp", ANN, None, (video("parcel", 3.0, 480, 270, seed=13, name="open.mp4"),)),
        Line("whatsapp", ANN, None, (voice(7.0),)),
        Line("web", GIA, None, (turn,)),
        Line("instagram", FAY, "Mine opens like this", (opened,)),
        Line("messenger", BEN, "The display says this", (still("PNG", "washer", seed=22),)),
        Line("apple", DANA, "This is the bill of the last repair", (_bill(),)),
        Line("apple", DANA, "Could you tell me what the repair would cost?"),
    ]


def _bill() -> Sample:
    words = """Garage Example, Main Street 1
Bill 2026-1107

Left front door: painting    312.00 EUR
Polish                        40.00 EUR
Total                        352.00 EUR"""
    return document(words, pages=2, seed=43, name="bill.pdf")


async def play(
    platforms: Mapping[str, Platform], *, pace: float, lines: Sequence[Line] | None = None
) -> AsyncIterator[Step]:
    """Send the lines `pace` seconds apart; skip those of platforms that are not in `platforms`.

    Sending takes from the pause that follows, so that the whole story lasts as long on a slow machine.
    """
    if lines is None:
        lines = await asyncio.to_thread(story)
    clock = asyncio.get_running_loop().time
    due = clock()
    for line in lines:
        platform = platforms.get(line.platform)
        if platform is not None:
            yield Step(line, tuple(await platform.send(line.consumer, line.text, line.files)))
            due += pace
            await asyncio.sleep(max(0.0, due - clock()))
