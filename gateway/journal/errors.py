"""What can go wrong with the journal."""


class JournalUnavailable(Exception):
    """A write could not be made durable. Nothing of it happened; the same write may work later."""
