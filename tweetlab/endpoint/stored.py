"""Attribute values as DynamoDB stores them: two spellings of one value are one value."""

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from decimal import Context, Decimal
from typing import Any

from tweetlab.endpoint.wire import validation_error

Item = Mapping[str, Any]

_EXACT = Context(prec=38)
"""Digits of DynamoDB's numbers: two that differ in the last one are two keys."""


def same_item(first: Item | None, second: Item | None) -> bool:
    """Whether two items are stored as one and the same: numbers count by value, sets without their
    order (as observed on AWS, where putting such an item again costs an index nothing)."""
    if first is None or second is None:
        return first is second
    return first == second or _members(first) == _members(second)


def plain_value(value: Mapping[str, Any]) -> str:
    """The text of a key's value, one for all of its spellings."""
    try:
        ((kind, content),) = value.items()
        if kind == "N":
            return str(_EXACT.add(Decimal(content), 0).normalize(_EXACT))
        return b64encode(b64decode(content)).decode() if kind == "B" else str(content)
    except (ArithmeticError, ValueError):
        raise validation_error("A key's value is a string, a number or a binary.") from None


def _members(item: Item) -> dict[str, Any]:
    return {name: _as_stored(value) for name, value in item.items()}


def _as_stored(value: Mapping[str, Any]) -> Any:
    """What is equal for two values that are stored alike. Strings, truths and NULL are spelt in one
    way; what is no value of DynamoDB's, which another program may have written, is what it is."""
    try:
        ((kind, content),) = value.items()
        return kind, _CONTENTS[kind](content)
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError):
        return value


_CONTENTS: dict[str, Callable[[Any], Any]] = {
    "N": Decimal,
    "B": b64decode,
    "SS": frozenset,
    "NS": lambda numbers: frozenset(map(Decimal, numbers)),
    "BS": lambda binaries: frozenset(map(b64decode, binaries)),
    "L": lambda values: [_as_stored(value) for value in values],
    "M": _members,
}
