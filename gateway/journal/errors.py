"""Errors of the journal."""


class JournalUnavailable(Exception):
    """A write could not be made durable. Nothing was changed; the same write may succeed later."""


class JournalUnusable(JournalUnavailable):
    """The journal cannot be opened; the message names the file, the cause and the remedy."""
