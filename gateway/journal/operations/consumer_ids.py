"""The forms in which platforms write one id of a person, and the conversations that have one of them."""

import re

#: A phone number as people write it, perhaps with the scheme that a platform writes in front.
_PHONE = re.compile(r"(?:[a-z]{2,12}:)?(?:\+|00)?(?P<digits>[0-9][0-9 ()./-]{5,24})")


def spellings(consumer: str) -> tuple[str, ...]:
    """Return the forms in which platforms write an id of a person: some write phone numbers with +, some without."""
    digits = _digits(consumer)
    return tuple(dict.fromkeys((consumer, digits, f"+{digits}"))) if digits else (consumer,)


def of_consumer(consumer: str) -> tuple[str, tuple[str, ...]]:
    """Return a condition for rows of `conversation` that have any form of an id of a person, and its values."""
    forms, digits = spellings(consumer), _digits(consumer)
    is_one = [f"{{0}} IN ({', '.join('?' * len(forms))})"]
    if digits:
        # With the scheme of a platform in front; no index helps, but this is rare.
        is_one.append("{0} LIKE ?")
    values = (*forms, *((f"%:+{digits}",) if digits else ()))
    of_row, of_alias = (" OR ".join(is_one).format(name) for name in ("consumer", "address"))
    condition = f"({of_row} OR key IN (SELECT conversation FROM alias WHERE {of_alias}))"
    return condition, (*values, *values)


def _digits(consumer: str) -> str:
    """Return the digits of a phone number (E.164: at most 15); nothing for any other id."""
    found = _PHONE.fullmatch(consumer.strip())
    digits = re.sub(r"[^0-9]", "", found["digits"]) if found else ""
    return digits if 7 <= len(digits) <= 15 else ""
