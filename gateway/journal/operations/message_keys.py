"""Keys of messages: the conversation's key in the upper half, the message's sequence in the lower half.

The messages of a conversation are therefore adjacent and in order in the table itself. No index is needed, which
saves writing one page for each message.
"""

_BITS = 32
#: Set in the key of a message from the business (an echo), which has no place in the sequence.
_ECHO = 1 << 31


def message_key(conversation: int, sequence: int) -> int:
    return conversation << _BITS | sequence


def echo_key(conversation: int, number: int) -> int:
    """Return the key of an echo; echoes are numbered within their conversation, apart from its messages."""
    return message_key(conversation, _ECHO | number)


def is_echo(message: int) -> bool:
    return bool(message & _ECHO)


def conversation_of_message(message: int) -> int:
    return message >> _BITS


def messages_of(conversation: int, after: int = 0) -> tuple[int, int]:
    """Return the lowest and the highest key of the consumer's messages with a sequence above `after`."""
    return message_key(conversation, after) + 1, message_key(conversation, _ECHO) - 1


def all_messages_of(conversation: int) -> tuple[int, int]:
    """Return the lowest and the highest key of all messages, echoes included."""
    return message_key(conversation, 0), message_key(conversation + 1, 0) - 1
