"""Keys of messages: the conversation's key in the upper half, the message's sequence in the lower.

A conversation's messages so lie beside each other, in order, in the table itself: no index has to be kept,
which is one page less to write for each message.
"""

_BITS = 32


def message_key(conversation: int, sequence: int) -> int:
    return conversation << _BITS | sequence


def conversation_of_message(message: int) -> int:
    return message >> _BITS


def messages_of(conversation: int, after: int = 0) -> tuple[int, int]:
    """The lowest and the highest key that a message with a sequence above `after` may have."""
    return message_key(conversation, after) + 1, message_key(conversation + 1, 0) - 1
