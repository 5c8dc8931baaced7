"""Bytes of items and the capacity units they cost (DynamoDB Developer Guide), and how many of them
one call may name."""

import base64
import math
import reprlib
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

KILOBYTE = 1024
BATCH_KEYS = 100
"""Keys of a BatchGetItem at most (API reference)."""
BATCH_WRITES = 25
"""Writes of a BatchWriteItem at most (API reference)."""


def item_size(item: Mapping[str, Any]) -> int:
    """Bytes of an item in DynamoDB's JSON, such as ``{"tweet_id": {"S": "..."}}``.

    Names and strings count as UTF-8, binaries as raw bytes, a number as a byte and one more for
    every two significant digits, a list or map as 3 bytes and 1 for each element (Developer Guide,
    "Item sizes and formats"). The 100 bytes of overhead that storage is billed for do not count.
    Raises ValueError for a value that is not DynamoDB's.
    """
    return sum(_text_size(name) + value_size(value) for name, value in item.items())


def value_size(value: Mapping[str, Any]) -> int:
    """Bytes of one attribute value, such as ``{"N": "42"}``; raises ValueError if it is not one."""
    try:
        ((kind, content),) = value.items()
        return _SIZES[kind](content)
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
        # Not repr(): it fails on what is nested a thousand times.
        raise ValueError(f"not a DynamoDB attribute value: {reprlib.repr(value)}") from error


def _text_size(text: str) -> int:
    return len(text.encode())


def _number_size(number: str) -> int:
    value = Decimal(number)
    if not value.is_finite():
        raise ValueError("neither infinity nor NaN is a number of DynamoDB's")
    # Not normalize(): it rounds to the context's 28 digits, and DynamoDB's numbers have up to 38.
    digits = "".join(map(str, value.as_tuple().digits)).rstrip("0")
    return 1 + math.ceil(len(digits) / 2)


def _binary_size(content: str | bytes) -> int:
    return len(base64.b64decode(content, validate=True) if isinstance(content, str) else content)


def _elements_size(values: Iterable[Mapping[str, Any]]) -> int:
    return sum(1 + value_size(value) for value in values)


_SIZES: dict[str, Callable[[Any], int]] = {
    "S": _text_size,
    "N": _number_size,
    "B": _binary_size,
    "BOOL": lambda _: 1,
    "NULL": lambda _: 1,
    "SS": lambda texts: sum(map(_text_size, texts)),
    "NS": lambda numbers: sum(map(_number_size, numbers)),
    "BS": lambda binaries: sum(map(_binary_size, binaries)),
    "L": lambda values: 3 + _elements_size(values),
    "M": lambda item: 3 + sum(map(_text_size, item)) + _elements_size(item.values()),
}


def read_units(size: int, consistent: bool = False, transactional: bool = False) -> float:
    """Read units for ``size`` bytes: one for each 4 KB begun, half of that eventually consistent,
    twice in a transaction. A missing item (size 0) costs as much as the smallest one.
    """
    blocks = max(1, math.ceil(size / (4 * KILOBYTE)))
    if transactional:
        return 2.0 * blocks
    return float(blocks) if consistent else blocks / 2


def write_units(size: int, transactional: bool = False) -> float:
    """Write units for ``size`` bytes: one for each KB begun, at least one; twice in a transaction.

    An update or a replacement costs the larger of the item before and after.
    """
    blocks = max(1, math.ceil(size / KILOBYTE))
    return 2.0 * blocks if transactional else float(blocks)
