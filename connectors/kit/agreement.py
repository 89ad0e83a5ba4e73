"""Tests that events agree with the names in a delivery, and keep what only machines read: sizes, keys, languages."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

from connectors.recordings import Recording
from connectors.tools.attachment_kind import kind_of
from normalizer.events import (
    AnyEvent,
    Attachment,
    Closed,
    Echo,
    Edit,
    MediaRef,
    Message,
    Notice,
    Reaction,
)

from .facts import FactChecks, type_words
from .meaning import is_quote
from .paths import changed, shown
from .trials import Trial, leaves, parse, parse_with, shape, trials, words_in

#: What platforms call the kinds of files, and the kinds of attachments that these can be.
_FAMILIES: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("image", "photo", "picture"), frozenset({"photo", "sticker"})),
    "video": frozenset({"video"}),
    **dict.fromkeys(("audio", "voice"), frozenset({"audio"})),
    "sticker": frozenset({"sticker", "photo"}),
}
#: Names that leave the kind of a file open.
_OPEN = frozenset({"file", "document", "attachment", "media"})
#: Names of fields that say in which language a person writes.
_LANGUAGES = frozenset({"locale", "language"})
#: Names of fields with the second half of a person's name.
_SURNAMES = frozenset({"lastname", "last_name", "surname", "family_name", "familyname"})
#: What platforms call the words and events that begin and end an opt-out.
_OPT_OUTS = frozenset({"stop", "unsubscribe", "unsubscribed", "optout", "opt_out"})
_OPT_INS = frozenset({"start", "unstop", "subscribe", "subscribed", "optin", "resume"})
#: What platforms call the end of a conversation by the consumer, and its beginning.
_ENDS = frozenset({"unfollow", "unfollowed", "kicked", "blocked"})
#: The same as the name of a type, and not as a word among others.
_CLOSINGS = frozenset(
    {"close", "closed", "conversation_closed", "chat_closed", "ended", "conversation_ended"}
)
_BEGINNINGS = frozenset({"follow", "followed", "member", "unblocked", "joined"})
#: Words in the names of fields about the state before.
_BEFORE = frozenset({"old", "previous", "before", "from"})
#: Smaller numbers than this count the messages of one conversation or one day.
_SMALL = 10_000_000
#: What platforms call a file of which they know nothing.
_UNSAID = "application/octet-stream"
#: Fields about smaller copies of a file.
_COPIES = frozenset({"thumbnail", "thumb", "preview"})


class AgreementChecks(FactChecks):
    """Tests that events agree with the delivery, and that nothing for machines is lost."""

    def test_a_file_is_what_the_delivery_calls_it(self, recording: Recording) -> None:
        for event in parse(self.connector, recording):
            for found in getattr(event, "attachments", ()):
                media_type = found.media.media_type if found.media else None
                assert media_type is None or "/" in media_type or not media_type, (
                    f"the media type of a file is {media_type!r:.40}; give MediaRef the type and the name by keyword"
                )
                by_name = kind_of(None, found.media.name) if found.media else "document"
                assert (
                    found.kind != "document" or media_type or by_name not in {"photo", "video"}
                ), (
                    f"a file called {found.media.name if found.media else ''!r} is a document; use kind_of(None, name)"
                )
                shows = media_type is not None and kind_of(media_type) in {"photo", "video"}
                assert found.kind != "document" or not shows, (
                    f"a file of type {media_type} is a document; use kind_of(media_type, name)"
                )
        for name, found in self._named_files(recording):
            assert found.kind in _FAMILIES[name], (
                f"the delivery calls the file {name!r}, but its kind is {found.kind}; correct the table of kinds"
            )
            assert name != "voice" or found.kind != "audio" or found.voice, (
                "the delivery calls the file 'voice', but it is not marked as one; set Attachment.voice"
            )

    def test_a_picture_that_is_sent_as_a_file_is_a_photo(self, recording: Recording) -> None:
        """Its kind follows from its type, or else from its name."""
        for trial in trials(self.connector, recording):
            for other in _picture(trial):
                for event in parse_with(self.connector, recording, trial.path, other):
                    kinds = [one.kind for one in getattr(event, "attachments", ())]
                    assert kinds != ["document"], (
                        f"{shown(trial.path)} is {other!r}, but the file is a document; use kind_of(media_type, name)"
                    )
        for trial in trials(self.connector, recording):
            content = self._nameless_picture(recording, trial)
            for event in () if content is None else parse(self.connector, content):
                kinds = [one.kind for one in getattr(event, "attachments", ())]
                assert kinds != ["document"], (
                    f"a file of type {_UNSAID} is called picture.png at {shown(trial.path)}, but it is a document; use"
                    " kind_of(media_type, name), which looks at the name if the type says nothing"
                )

    def test_the_size_of_a_file_is_passed_on(self, recording: Recording) -> None:
        before = parse(self.connector, recording)
        found = [one.media for event in before for one in getattr(event, "attachments", ())]
        sizes = [str(one.size) for one in found if one is not None]
        given = {str(value) for _, value in leaves(recording.content)}
        for size in sizes:
            assert size in given | {"None"}, (
                f"the size of a file is {size}, which the delivery does not contain; MediaRef.size is in bytes, as the"
                " platform gives it"
            )
        if len(before) != 1 or "None" not in sizes:
            return
        for trial in self._without_effect(recording, before):
            known = str(trial.value) in sizes or trial.words & _COPIES
            assert known or not _is_size(trial), (
                f"the size at {shown(trial.path)} reaches no event; put it into MediaRef.size, or name"
                f" {shape(trial.path)!r} in `unread` of the test class with the reason"
            )

    def test_the_language_of_a_person_reaches_an_event(self, recording: Recording) -> None:
        before = parse(self.connector, recording)
        if not any(isinstance(event, Message) for event in before):
            return
        for trial in self._without_effect(recording, before):
            assert trial.name.lower() not in _LANGUAGES, (
                f"the language at {shown(trial.path)} ({trial.value!r:.40}) reaches no event; put it into `extra`, or"
                f" name {shape(trial.path)!r} in `unread` of the test class with the reason"
            )

    def test_the_whole_name_of_a_person_is_read(self, recording: Recording) -> None:
        before = parse(self.connector, recording)
        if not any(event.party and event.party.name for event in before):
            return
        for trial in self._without_effect(recording, before):
            lost = trial.name.lower() in _SURNAMES and not is_quote(trial.path)
            assert not lost or str(trial.value) in str(before), (
                f"the name at {shown(trial.path)} ({trial.value!r:.40}) is not part of Party.name; join it to the"
                f" first name, or name {shape(trial.path)!r} in `unread` of the test class with the reason"
            )

    def test_the_app_of_an_echo_is_named(self, recording: Recording) -> None:
        before = parse(self.connector, recording)
        if len(before) != 1 or not isinstance(before[0], Echo):
            return
        for trial in self._without_effect(recording, before):
            is_app = words_in(trial.name) == {"app", "id"}
            assert not is_app or str(trial.value) in str(before), (
                f"the app at {shown(trial.path)} that wrote the echo is lost; put it into Echo.sender_app, or name"
                f" {shape(trial.path)!r} in `unread` of the test class with the reason"
            )

    def test_a_second_change_of_a_message_has_another_id(self, recording: Recording) -> None:
        """A message can be edited twice, and a reaction can be given, taken back and given again."""
        before = parse(self.connector, recording)
        if len(before) != 1 or not isinstance(before[0], Edit | Reaction):
            return
        event = before[0]
        others = [found for found in self._once_more(recording) if _is_second(found, event)]
        assert not others or any(one.id != event.id for one in others), (
            f"every {event.type} of {event.target!r} has the id {event.id!r}, so a second one would be dropped as a"
            " repeat; build the id from the platform's id or the time of the change too"
        )

    def test_an_id_that_is_a_small_number_names_its_chat(self, recording: Recording) -> None:
        before = parse(self.connector, recording)
        event = before[0] if len(before) == 1 else None
        if not isinstance(event, Message) or not event.id.isdecimal():
            return
        counted = [
            path
            for path, value in leaves(recording.content)
            if type(value) is int and str(value) == event.id and value < _SMALL
        ]
        for path in counted:
            assert not self._same_id_elsewhere(recording, event), (
                f"the id of the message is the small number at {shown(path)}, and messages of two consumers may have"
                " the same one; put the id of the chat before it"
            )

    def test_an_opt_out_is_the_last_word(self, recording: Recording) -> None:
        """A message after an opt-out means that the consumer accepts texts again."""
        events = parse(self.connector, recording)
        for notice, event in pairwise(events):
            same = notice.party == event.party and notice.sent_at == event.sent_at
            assert not (_opted_out(notice) is True and isinstance(event, Message) and same), (
                "the notice of an opt-out comes before the message with the word, which then counts as consent; return"
                " the message first"
            )

    def test_an_opt_out_is_what_its_word_says(self, recording: Recording) -> None:
        values = [str(value).strip() for _, value in leaves(recording.content)]
        said = {value.lower() for value in values}
        said |= {word for value in values if " " not in value for word in words_in(value)}
        stops, starts = bool(said & _OPT_OUTS), bool(said & _OPT_INS)
        for event in parse(self.connector, recording) if stops != starts else ():
            given = _opted_out(event)
            assert given is None or given is stops, (
                f"the delivery says {min(said & (_OPT_OUTS | _OPT_INS))!r}, but opted_out is {given}; correct"
                " the table of words"
            )

    def test_an_end_is_an_end(self, recording: Recording) -> None:
        """Who blocks or leaves us gets no more texts; who comes back does."""
        events = parse(self.connector, recording)
        event = events[0] if len(events) == 1 else None
        said = {
            word.lower()
            for path, value in leaves(recording.content)
            if isinstance(value, str) and not words_in(*map(str, path)) & _BEFORE
            for word in words_in(value)
        }
        whole = {str(value).lower() for _, value in leaves(recording.content)}
        ends = sorted((said & _ENDS) | (whole & _CLOSINGS))
        begins = sorted(said & _BEGINNINGS)
        if isinstance(event, Notice) and ends and not begins:
            assert _opted_out(event) is not None, (
                f"the delivery says {ends[0]!r}, but it becomes a notice of kind {event.kind}; return Closed, or set"
                " `opted_out` in its details, so that agents do not write in vain"
            )
        if isinstance(event, Closed) and begins:
            assert ends, (
                f"the delivery says {begins[0]!r}, but it becomes Closed, so that nobody may answer; return a Notice"
            )

    def test_a_notice_does_not_say_the_opposite(self, recording: Recording) -> None:
        """What was unlinked is not linked, and who unblocked us did not block us."""
        for event in parse(self.connector, recording):
            shown_words = words_in(event.text or "") if isinstance(event, Notice) else frozenset()
            for path, value in leaves(recording.content) if shown_words else ():
                said = value.lower() if isinstance(value, str) and value.isalpha() else ""
                other = said.removeprefix("un") if said.startswith("un") else f"un{said}"
                assert not said or other not in shown_words or said in shown_words, (
                    f"the delivery says {value!r} at {shown(path)}, but the notice says {other!r}; exchange the words"
                )

    # helpers ----------------------------------------------------------------------------------------

    def _without_effect(
        self, recording: Recording, before: tuple[AnyEvent, ...]
    ) -> Iterator[Trial]:
        """The values that change nothing, and that the author does not leave out on purpose."""
        for trial in trials(self.connector, recording):
            if trial.events == before and not self.leaves_unread(trial.path):
                yield trial

    def _nameless_picture(self, recording: Recording, trial: Trial) -> Recording | None:
        """The only file of a message with the name of a picture, and a type that says nothing."""
        media = _only_media(trial.events)
        typed = [
            one.path
            for one in trials(self.connector, recording)
            if (found := _only_media(one.events)) and found.media_type == one.fresh
        ]
        if media is None or media.name != trial.fresh or not typed:
            return None
        content = changed(recording.content, trial.path, "picture.png")
        for path in typed:
            content = changed(content, path, _UNSAID)
        return replace(recording, content=content)

    def _named_files(self, recording: Recording) -> Iterator[tuple[str, Attachment]]:
        """The only file of a delivery, with each word that says its kind."""
        files = [
            found
            for event in parse(self.connector, recording)
            for found in getattr(event, "attachments", ())
        ]
        if len(files) != 1 or files[0].media is None:
            return
        (found,) = files
        deciding = [
            trial
            for trial in trials(self.connector, recording)
            if any(_locates(event, str(trial.fresh)) for event in trial.events)
        ]
        holders = [part for trial in deciding for part in trial.path[:-1] if isinstance(part, str)]
        said = set(words_in(*holders))
        for trial in trials(self.connector, recording):
            own = any(one.path[: len(trial.path) - 1] == trial.path[:-1] for one in deciding)
            if own and "type" in words_in(trial.name):
                said |= {word.lower() for word in type_words(trial)}
        if not said & _OPEN:
            yield from ((name, found) for name in sorted(said & _FAMILIES.keys()))

    def _once_more(self, recording: Recording) -> Iterator[AnyEvent]:
        """The events of the delivery with each value in turn another one, times included."""
        for trial in trials(self.connector, recording):
            yield from trial.events if len(trial.events) == 1 else ()
        for path, value in leaves(recording.content):
            if isinstance(value, str) and value[:2] == "20" and ":" in value:
                later = value[:2] + str((int(value[2]) + 1) % 10) + value[3:]
                yield from parse_with(self.connector, recording, path, later)

    def _same_id_elsewhere(self, recording: Recording, event: Message) -> bool:
        """Whether a message of another consumer has the same id."""
        return any(
            one.id == event.id and one.party.id != event.party.id
            for trial in trials(self.connector, recording)
            for one in trial.events
            if isinstance(one, Message) and len(trial.events) == 1
        )


def _is_second(found: AnyEvent, event: Edit | Reaction) -> bool:
    """Whether an event is another change of the same message by the same person."""
    same = type(found) is type(event) and getattr(found, "target", None) == event.target
    return same and found.party == event.party and found != event


def _only_media(events: tuple[AnyEvent, ...]) -> MediaRef | None:
    found: tuple[Attachment, ...] = (
        getattr(events[0], "attachments", ()) if len(events) == 1 else ()
    )
    return found[0].media if len(found) == 1 else None


def _picture(trial: Trial) -> Iterator[str]:
    """What makes a picture of the only file of a message: its type, or its name if it has no type."""
    found: tuple[Attachment, ...] = (
        getattr(trial.events[0], "attachments", ()) if len(trial.events) == 1 else ()
    )
    media = found[0].media if len(found) == 1 and found[0].kind == "document" else None
    if media is not None and media.media_type == trial.fresh:
        yield "image/png"
    elif media is not None and media.media_type is None and media.name == trial.fresh:
        yield "picture.png"


def _opted_out(event: AnyEvent) -> Any:
    return (event.details or {}).get("opted_out") if isinstance(event, Notice) else None


def _locates(event: AnyEvent, value: str) -> bool:
    found = getattr(event, "attachments", ())
    return any(one.media is not None and value in str(dict(one.media.locator)) for one in found)


def _is_size(trial: Trial) -> bool:
    words = words_in(trial.name)
    named = words in ({"size"}, {"bytes"}) or (words & {"size"} and words & {"file", "bytes"})
    return bool(named) and str(trial.value).isdecimal()
