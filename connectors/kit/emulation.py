"""Tests of a conversation with the platform's emulator, which knows the platform's documentation and no recording."""

import base64
import hashlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, ClassVar

import orjson

from connectors.contract import Sent
from connectors.errors import Forbidden, Rejected
from normalizer.events import Message, Receipt, Unknown

from .emulated import ANN, CAPTION, KEY, REPLY, SAID, SAMPLES, Posted, Story, story_of
from .subject import Subject
from .trials import text_of

_SLACK = timedelta(minutes=2)
#: What emulators call the states of a text; any other receipt has the name of its state.
_STATES = {"submitted": "sent"}
_STATUSES = frozenset({"sent", "delivered", "read", "failed"})
#: What the actions of a flow are called.
_CALLED = {"mark_read": ("read", "seen"), "send_typing": ("typing",)}
_REMEDY = "one of them misreads the platform's documentation"


class EmulationChecks(Subject):
    """Tests that the connector and the emulator of its platform understand each other."""

    emulator: ClassVar[Any] = None
    consumer: ClassVar[str] = ANN

    def test_an_emulated_message_is_read(self) -> None:
        for story in self._stories():
            for posted in (*story.said, *story.shown):
                self._assert_read(story, posted)
            words = [text_of(event) for one in story.said for event in one.events]
            assert words == [SAID], (
                f"the emulator sends the text {SAID!r}, but the events say {words}; {_REMEDY}"
            )
            captions = [text_of(event) for one in story.shown for event in one.events]
            assert any(CAPTION in one for one in captions), (
                f"the emulator sends files with {CAPTION!r}, but the events say {captions}; {_REMEDY}"
            )

    def test_an_emulated_forgery_is_refused(self) -> None:
        for story in self._stories():
            for posted in story.forged:
                assert isinstance(posted.forbidden, Forbidden), (
                    f"the emulator forges a delivery, but verify says {posted.forbidden or 'nothing'}; raise Forbidden"
                )

    def test_emulated_files_are_fetched(self) -> None:
        for story in self._stories():
            kinds = [kind for kind in SAMPLES if self.connector.capabilities.support(kind) != "no"]  # type: ignore[arg-type]  # kinds are features
            found = [
                one.kind
                for posted in story.shown
                for event in posted.events
                for one in getattr(event, "attachments", ())
            ]
            known = [one for one in found if one in kinds]
            assert known == kinds, (
                f"the emulator sends {kinds}, but the attachments are {found}; {_REMEDY}"
            )
            for fetched in story.fetched:
                assert fetched.refused is None, (
                    f"the emulator's file {dict(fetched.ref.locator)} cannot be fetched: {fetched.refused}; {_REMEDY}"
                )
                samples = [one for one in SAMPLES.values() if one.content == fetched.content]
                assert samples, (
                    f"the file {dict(fetched.ref.locator)} has other bytes than the emulator's; fetch the file itself,"
                    " and decrypt it if it is encrypted"
                )
                self._assert_claims(fetched, samples[0])
            assert not story.leaks, (
                f"the emulator receives credentials at {story.leaks[0][0]}, where they do not belong; set auth=False"
            )

    def test_a_text_arrives_at_the_emulator(self) -> None:
        for story in self._stories():
            if self.connector.capabilities.support("send_text") == "no":
                continue
            assert isinstance(story.sent, Sent), (
                f"send_text to the emulator ends with {story.sent!r:.300}; {_REMEDY}"
            )
            (arrived, *_) = story.arrived or (None,)
            assert arrived is not None, "the emulator received no text; send it"
            assert (arrived.text, _plain(arrived.to)) == (REPLY, _plain(story.consumer.id)), (
                f"the emulator received {arrived.text!r} for {arrived.to!r} instead of {REPLY!r} for"
                f" {story.consumer.id!r}; {_REMEDY}"
            )
            assert arrived.id in story.sent.id, (
                f"the emulator calls the text {arrived.id!r}, but Sent has {story.sent.id!r}; return the platform's id"
            )
            again = story.sent_again
            assert again is None or (isinstance(again, Sent) and again.id == story.sent.id), (
                f"the same text once more ends with {again!r:.300}; resend_is_safe promises the same Sent"
            )
            assert story.arrived_once == 1, (
                f"a text that is sent again arrives {story.arrived_once} times; send its key or id, or set"
                " resend_is_safe to False"
            )

    def test_a_text_that_the_emulator_refuses_is_not_retried(self) -> None:
        for story in self._stories():
            refused = story.out_of_reach
            assert refused is None or isinstance(refused, Sent | Rejected), (
                f"a text to somebody out of reach ends with {refused!r:.300}; raise self.refusal(reply)"
            )
            assert not isinstance(refused, Rejected) or not refused.retry, (
                f"the emulator refuses a text to somebody who is out of reach, but {refused} is retried; correct the"
                " table of codes"
            )

    def test_an_emulated_receipt_is_read(self) -> None:
        for story in self._stories():
            for receipt, posts in story.receipts.items():
                self._assert_receipt(story, _STATES.get(receipt, receipt), posts)

    def test_an_action_arrives_at_the_emulator(self) -> None:
        for story in self._stories():
            for name, actions in story.actions.items():
                ended = story.ends[name]
                assert ended is None, f"{name} to the emulator ends with {ended!r:.300}; {_REMEDY}"
                kinds = [str(one.kind).lower() for one in actions]
                expected = _CALLED.get(name, ())
                assert not expected or any(word in one for one in kinds for word in expected), (
                    f"{name} should make a call about {' or '.join(expected)}, but the emulator sees {kinds}; {_REMEDY}"
                )
                self._assert_names(story, name, actions)
            on, off = (story.actions.get(one) or [] for one in ("send_typing", "send_typing off"))
            assert not on or on != off, (
                "the emulator sees the same when somebody types and when they stop; look at out.on"
            )

    def test_check_is_content_with_the_emulator(self) -> None:
        for story in self._stories():
            ended = story.ends["check"]
            assert isinstance(ended, str), (
                f"check of the emulator ends with {ended!r:.300}; {_REMEDY}"
            )

    # helpers ----------------------------------------------------------------------------------------

    def _stories(self) -> Iterator[Story]:
        """The conversation with the emulator, if the test class names one."""
        if self.emulator is not None:
            yield story_of(type(self.connector), self.emulator, self.consumer)

    def _assert_read(self, story: Story, posted: Posted) -> None:
        assert posted.forbidden is None, (
            f"verify refuses a delivery of the emulator: {posted.forbidden}; {_REMEDY}"
        )
        for event in posted.events:
            assert not isinstance(event, Unknown), (
                f"a message of the emulator cannot be read ({event.reason}); {_REMEDY}"
            )
            party = event.party
            assert party is not None, f"a message of the emulator has no party; {_REMEDY}"
            assert _plain(story.consumer.id) in map(_plain, (party.id, *party.aliases)), (
                f"the emulator's consumer is {story.consumer.id!r}, but the party is {party.id!r}; {_REMEDY}"
            )
            words = orjson.dumps(posted.content).decode()
            named = all(part in words for part in story.consumer.name.split())
            assert (
                not named or not isinstance(event, Message) or party.name == story.consumer.name
            ), (
                f"the emulator's consumer is called {story.consumer.name!r}, but the party is called"
                f" {party.name!r}; {_REMEDY}"
            )
            late = event.sent_at and abs(event.sent_at - posted.request.received_at)
            assert not late or late < _SLACK, (
                f"the emulator sends now, but sent_at is {event.sent_at}; check the unit and the zone"
            )
        ids = [event.id for event in posted.events]
        for id in filter(None, posted.ids):
            assert any(id in one for one in ids), (
                f"the emulator calls the message {id!r}, but the events have the ids {ids}; use the platform's id"
            )

    def _assert_claims(self, fetched: Any, sample: Any) -> None:
        ref, found = fetched.ref, fetched.download
        digest = hashlib.sha256(sample.content)
        digests = {digest.hexdigest(), base64.b64encode(digest.digest()).decode()}
        for name, allowed in (
            ("sha256", digests),
            ("size", {len(sample.content)}),
            ("media_type", {sample.media_type}),
            ("name", {sample.name}),
        ):
            for holder in (ref, found):
                value = getattr(holder, name)
                assert value is None or value in allowed, (
                    f"{name} of the file {sample.name} is {value!r}, but the emulator's is {min(allowed)!r}; {_REMEDY}"
                )

    def _assert_receipt(self, story: Story, status: str, posts: list[Posted]) -> None:
        events = [event for posted in posts for event in posted.events]
        refused = next((one.forbidden for one in posts if one.forbidden), None)
        assert refused is None, f"verify refuses a receipt of the emulator: {refused}; {_REMEDY}"
        if status not in _STATUSES:
            return
        found = [event for event in events if isinstance(event, Receipt)]
        states = [event.status for event in found]
        assert states == [status], (
            f"the emulator reports {status!r}, but the receipts say {states}; {_REMEDY}"
        )
        message, (receipt,) = story.message, found
        named = story.sent.id in receipt.message_ids if isinstance(story.sent, Sent) else True
        assert named or receipt.key == KEY or receipt.watermark is not None, (
            f"the receipt is for {receipt.message_ids}, but Sent was {story.sent!r}; use the same id"
        )
        sides = (receipt.account, receipt.party and receipt.party.id)
        assert message is None or sides == (message.account, message.party.id), (
            f"the receipt belongs to {sides}, but the message came from {message.party.id!r} to {message.account!r};"
            " use the same ids, or the receipt belongs to another conversation"
        )

    def _assert_names(self, story: Story, name: str, actions: list[Any]) -> None:
        message = story.message
        if message is None:
            return
        for one in actions:
            assert not one.to or _plain(one.to) == _plain(story.consumer.id), (
                f"the call of {name} is about {one.to!r} instead of {story.consumer.id!r}; {_REMEDY}"
            )
            assert not one.message_id or one.message_id in message.id, (
                f"the call of {name} is about the message {one.message_id!r} instead of {message.id!r}; {_REMEDY}"
            )


def _plain(id: Any) -> str:
    """An id without what only marks it as a number or a channel."""
    return str(id).rpartition(":")[2].removeprefix("+")
