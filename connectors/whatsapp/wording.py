"""Words for agents, made from data: an order's items, and whatever text a message of an unknown type contains."""

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from connectors.tools.entries import listed

from .fields import fields, lines, words

#: Fields whose text people have written or read, as opposed to ids and other machine values.
_WRITTEN = frozenset(
    {
        *("title", "name", "text", "body", "caption", "description", "question", "comment"),
        *("label", "display_text", "option_name", "header", "footer", "address"),
    }
)
#: Fields that describe a failure. The attachment has these words.
_FAILURE = frozenset({"errors"})
#: The levels below a message in which its words can be: poll, options, option.
_LEVELS = 4
#: Cut off there: the content is not known, and a text that no page shows helps nobody.
_MOST_LINES = 40
_ABSURD = Decimal(10**15)


def known_words(content: Mapping[str, Any]) -> str | None:
    """The texts of a content whose type is not known, each on a line of its own."""
    return lines(*list(dict.fromkeys(_texts(content, _LEVELS)))[:_MOST_LINES])


def _texts(value: Any, levels: int) -> Iterator[str]:
    if isinstance(value, list) and levels:
        for inner in value:
            yield from _texts(inner, levels - 1)
    for name, inner in fields(value).items() if levels else ():
        if isinstance(inner, dict | list) and name not in _FAILURE:
            yield from _texts(inner, levels - 1)
        elif name in _WRITTEN and (text := words(inner)):
            yield text


def order_in_words(order: Mapping[str, Any]) -> str | None:
    """What was ordered, at which price, and the consumer's own words."""
    items = [fields(item) for item in listed(order, "product_items")]
    rows = [row for item in items if (row := _item(item))]
    is_sum = len(rows) > 1 or any(_decimal(item.get("quantity")) != 1 for item in items)
    return lines(*rows, _total(items) if rows and is_sum else None, words(order.get("text")))


def _item(item: Mapping[str, Any]) -> str | None:
    name = words(item.get("name")) or words(item.get("product_retailer_id"))
    quantity, price = _decimal(item.get("quantity")), _price(item)
    if name is None and price is None:
        return None
    count = f"{quantity:f} x " if quantity is not None else ""
    return f"{count}{name or 'unnamed product'}" + (f", {price} each" if price else "")


def _price(item: Mapping[str, Any]) -> str | None:
    price = _decimal(item.get("item_price"))
    return None if price is None else _money(price, words(item.get("currency")))


def _total(items: list[Mapping[str, Any]]) -> str | None:
    """The sum, if every item has a price in the same currency."""
    currencies = {words(item.get("currency")) for item in items}
    amounts = [(_decimal(item.get("quantity")), _decimal(item.get("item_price"))) for item in items]
    if len(currencies) != 1:
        return None
    total = Decimal(0)
    for quantity, price in amounts:
        if quantity is None or price is None:
            return None
        total += quantity * price
    return f"Total: {_money(total, currencies.pop())}"


def _money(amount: Decimal, currency: str | None) -> str:
    # Usually two digits after the point; none for whole amounts, and more for prices per litre.
    exponent = -int(amount.as_tuple().exponent)
    digits = min(max(2, exponent), 4) if amount % 1 else 0
    return f"{amount:.{digits}f} {currency or ''}".rstrip()


def _decimal(value: Any) -> Decimal | None:
    """A number that is written as a number or as text. An absurd one would only fill the page."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    is_plain = number.is_finite() and abs(number) < _ABSURD and not isinstance(value, bool)
    return number.normalize() if is_plain else None
