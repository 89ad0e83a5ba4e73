"""Attachments are pending or ended at arrival, and always keep the reference to their file."""

import orjson
import pytest

from connectors import Attachment, Kind, MediaRef
from gateway.inbound.attachment_rules import admit
from gateway.journal import NewAttachment
from normalizer.events import TRANSCRIPT_LINES
from tests.gateway.notes import EVERYTHING_OFF, notes

REF = MediaRef({"url": "http://a/1"}, "application/octet-stream", "name.pdf")
NOTHING = {"photos": False, "videos": False, "audio": False}
PLACE = {"latitude": 1.0, "longitude": 2.0}


def admitted(attachment: Attachment, **config: bool) -> NewAttachment:
    (found,) = admit([attachment], notes(**config).config)
    return found


@pytest.mark.parametrize("kind", TRANSCRIPT_LINES)
@pytest.mark.parametrize("config", [{}, {"photos": False}, {"videos": False}])
def test_every_declared_kind_with_a_file_is_pending(kind: Kind, config: dict[str, bool]) -> None:
    found = admitted(Attachment(kind, REF), **config)
    assert (found.kind, found.state, found.reason, found.name) == (kind, "pending", None, REF.name)


@pytest.mark.parametrize(
    ("attachment", "config", "outcome"),
    [
        (Attachment("photo", REF, refused="gone"), {}, ("failed", "gone")),
        (Attachment("audio", REF, refused="too_large"), {}, ("rejected", "too_large")),
        (Attachment("audio", REF), EVERYTHING_OFF, ("rejected", "disabled")),
        (Attachment("photo", REF), EVERYTHING_OFF, ("rejected", "disabled")),
        (Attachment("contact", REF), {"contacts": False}, ("pending", None)),
        (Attachment("photo", REF), {"photos": False, "videos": False}, ("pending", None)),
        (Attachment("photo", REF), {}, ("pending", None)),
    ],
)
def test_the_reference_to_a_file_is_kept_in_every_state(
    attachment: Attachment, config: dict[str, bool], outcome: tuple[str, str | None]
) -> None:
    found = admitted(attachment, **config)
    assert (found.state, found.reason) == outcome
    assert found.media is not None
    assert MediaRef(**orjson.loads(found.media)) == REF


@pytest.mark.parametrize(
    ("attachment", "outcome"),
    [
        (Attachment("location", details=PLACE), ("ready", None)),
        (Attachment("contact", details={"cards": [{"name": "Ann"}]}), ("ready", None)),
        (Attachment("contact"), ("rejected", "unsupported_type")),
        (Attachment("unsupported", details={"type": "poll"}), ("rejected", "unsupported_type")),
        (Attachment("photo", refused="gone"), ("failed", "gone")),
    ],
)
def test_attachments_without_a_file_end_at_once(
    attachment: Attachment, outcome: tuple[str, str | None]
) -> None:
    found = admitted(attachment, photos=False)
    assert (found.state, found.reason, found.media) == (*outcome, None)


def test_cards_of_a_platform_are_dropped_while_contacts_are_off() -> None:
    card = Attachment("contact", details={"cards": [{"name": "Ann"}]})
    found = admitted(card, contacts=False)
    assert (found.state, found.reason, found.details) == ("rejected", "disabled", None)
