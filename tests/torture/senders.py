"""Consumers who send texts, photos and videos through their platform, alone and in batches, sometimes twice."""

import asyncio
import random
from collections.abc import Sequence

from simulator import Consumer, Messenger, Sample, WhatsApp

from .ledger import AcceptedMessage, Ledger
from .platforms import CUT_OFF, NOT_AN_IMAGE, PHOTOS, VIDEO, FaultyPlatform

_CONSUMERS = {
    "whatsapp": "49151{:07d}",
    "messenger": "77{:014d}",
    "twilio": "+1555{:07d}",
    "apple": "urn:mbid:AQAAY{:07d}/+=",
}


class Sender:
    """One or more consumers on one platform. They send a message only after the previous one was accepted."""

    def __init__(
        self,
        connector: str,
        platform: FaultyPlatform,
        ledger: Ledger,
        dice: random.Random,
        number: int,
    ) -> None:
        self.connector = connector
        self.platform = platform
        self._ledger = ledger
        self._dice = dice
        count = 3 if isinstance(platform, WhatsApp | Messenger) else 1
        pattern = _CONSUMERS[platform.name]
        self._consumers = [
            Consumer(pattern.format(number * 10 + place), f"Ann {number}-{place}")
            for place in range(count)
        ]
        self._written = 0

    async def run(self, end: asyncio.Event) -> None:
        """Send messages until `end` is set, and finish the current one."""
        while not end.is_set():
            await self._write_something()
            if self._dice.random() < 0.2:
                await self.platform.repeat()
            await asyncio.sleep(self._dice.uniform(0.1, 0.7))

    async def write_to_all(self) -> None:
        """Send one text from each consumer."""
        for consumer in self._consumers:
            await self._text_message(consumer)

    async def _write_something(self) -> None:
        actions = {
            self._text_message: 50,
            self._photo: 25,
            self._photos: 5,
            self._video: 3,
            self._batch: 17,
        }
        (action,) = self._dice.choices(list(actions), list(actions.values()))
        await action(self._dice.choice(self._consumers))

    async def _text_message(self, consumer: Consumer) -> None:
        await self._send(consumer, ())

    async def _photo(self, consumer: Consumer) -> None:
        sample = self._dice.choice([*PHOTOS, *PHOTOS, *PHOTOS, NOT_AN_IMAGE, CUT_OFF])
        await self._send(consumer, (sample,))

    async def _photos(self, consumer: Consumer) -> None:
        await self._send(consumer, PHOTOS[:2])

    async def _video(self, consumer: Consumer) -> None:
        await self._send(consumer, (VIDEO,))

    async def _send(self, consumer: Consumer, files: Sequence[Sample]) -> None:
        text = self._text()
        self.platform.hosted_now.clear()
        times = 2 if self._dice.random() < 0.1 else 1
        answers = await self.platform.send(consumer, text, files, times=times)
        assert all(answer.accepted for answer in answers), answers
        ends = tuple(hosted.extra["ends"] for hosted in self.platform.hosted_now)
        ids = answers[0].ids
        if len(ids) == 1:
            self._note(consumer, ids[0], text, ends)
            return
        # On WhatsApp each file is a message; the text is the caption of the first one.
        for number, (id, end) in enumerate(zip(ids, ends, strict=True)):
            self._note(consumer, id, text if number == 0 else None, (end,))

    async def _batch(self, consumer: Consumer) -> None:
        """Send messages of several consumers in one delivery, one of them twice."""
        parts = [(who, self._text()) for who in (*self._consumers, consumer)]
        match self.platform:
            case WhatsApp() as whatsapp:
                messages = [
                    (who, whatsapp.message(who, "text", {"body": text})) for who, text in parts
                ]
                changes = [whatsapp.change(who, [message]) for who, message in messages]
                ids = [message["id"] for _, message in messages]
                answers = await whatsapp.deliver([*changes, changes[0]])
            case Messenger() as messenger:
                events = [messenger.said(who, {"text": text}) for who, text in parts]
                ids = [event["message"]["mid"] for event in events]
                answers = await messenger.deliver([*events, events[0]])
            case _:
                await self._text_message(consumer)
                return
        assert all(answer.accepted for answer in answers), answers
        for (who, text), id in zip(parts, ids, strict=True):
            self._note(who, id, text, ())

    def _text(self) -> str:
        self._written += 1
        return f"{self.connector} {self._written}"

    def _note(
        self,
        consumer: Consumer,
        id: str,
        text: str | None,
        ends: tuple[tuple[str, str | None], ...],
    ) -> None:
        self._ledger.add(AcceptedMessage(self.connector, consumer.id, id, text, ends))
